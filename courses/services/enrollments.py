from collections.abc import Callable, Sequence
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


ROUNDS = 3


@transaction.atomic
def enroll(
    *, user: "User", course: Course, source: EnrollmentSource | str, source_reference: str = ""
) -> tuple[Enrollment, bool]:
    """Give `user` a right to `course`; returns the active enrollment and whether it is new.

    An active enrollment wins over a second one, also in a race: the loser of the unique constraint reads the winner's
    row, and holds it: whoever is ending it has ended it by then, or sees this caller's work first.
    """
    for _ in range(ROUNDS):
        enrollment, is_new = Enrollment.objects.get_or_create(
            user=user,
            course=course,
            is_active=True,
            defaults={"source": source, "source_reference": source_reference},
        )
        if is_new or _lock_active(user, course) is not None:
            return enrollment, is_new
    raise RuntimeError(f"the enrollment of user {user.pk} in course {course.pk} kept ending")


@transaction.atomic
def end_right(
    *, user: "User", course: Course, source_reference: str, reason: str, heirs: Callable[[], Sequence[str]]
) -> bool:
    """End the active enrollment that has this source; False when the student's right comes from elsewhere.

    `heirs` is asked under the enrollment's lock for other sources that still stand: the first of them takes over, and
    nothing is ended.
    """
    enrollment = _lock_active(user, course)
    if enrollment is None or enrollment.source_reference != source_reference:
        return False
    if others := heirs():
        Enrollment.objects.filter(pk=enrollment.pk).update(source_reference=others[0])
        return False
    return end_enrollment(enrollment=enrollment, reason=reason)


def _lock_active(user: "User", course: Course) -> Enrollment | None:
    return (
        Enrollment.objects.active()
        .filter(user=user, course=course)
        .select_for_update(of=("self",), no_key=True)
        .first()
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
