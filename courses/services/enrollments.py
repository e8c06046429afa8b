from typing import TYPE_CHECKING

from django.db import transaction
from django.utils import timezone

from courses.models import Course, Enrollment, EnrollmentSource
from videos.conf import access_policy
from videos.models import Video
from videos.services.sessions import revoke
from videos.services.streams import lock_viewer

if TYPE_CHECKING:
    from users.models import User


def enroll(
    *, user: "User", course: Course, source: EnrollmentSource | str, source_reference: str = ""
) -> tuple[Enrollment, bool]:
    """Give `user` a right to `course`; returns the active enrollment and whether it is new.

    An active enrollment wins over a second one, also in a race: the loser of the unique constraint reads the winner's
    row. It is safe inside a transaction of the caller.
    """
    return Enrollment.objects.get_or_create(
        user=user,
        course=course,
        is_active=True,
        defaults={"source": source, "source_reference": source_reference},
    )


def end_enrollment(*, enrollment: Enrollment, reason: str) -> bool:
    """End the right and, in the same transaction, what is being watched by it; False when it had ended before.

    What the student may watch all the same keeps playing: by another course, as a preview, or because it is public.
    """
    with transaction.atomic():
        ended = (
            Enrollment.objects.active()
            .filter(pk=enrollment.pk)
            .update(is_active=False, ended_at=timezone.now(), ended_reason=reason)
        )
        if ended:
            _end_unentitled_viewings(enrollment.user, reason)
    enrollment.refresh_from_db()
    return bool(ended)


def _end_unentitled_viewings(user: "User", reason: str) -> None:
    # The lock first: a start that is under way is seen by the next statement, or sees that the right is gone.
    viewer = lock_viewer(user_id=user.pk)
    watched = Video.objects.filter(pk__in=viewer.sessions.live().values("video_id"))
    decide = access_policy()
    revoke(user_id=user.pk, video_ids={video.pk for video in watched if not decide(user, video).allowed}, reason=reason)
