from typing import TYPE_CHECKING

from django.db import transaction
from django.utils import timezone

from courses.access import videos_out_of_reach
from courses.models import Course, Enrollment, EnrollmentSource, Lesson
from videos.services.sessions import revoke

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

    Videos of the course that another lesson still opens to the student keep playing.
    """
    with transaction.atomic():
        ended = (
            Enrollment.objects.active()
            .filter(pk=enrollment.pk)
            .update(is_active=False, ended_at=timezone.now(), ended_reason=reason)
        )
        if ended:
            course_videos = Lesson.objects.filter(part__course=enrollment.course_id, video__isnull=False)
            video_ids = set(course_videos.values_list("video_id", flat=True))
            revoke(
                user_id=enrollment.user_id,
                video_ids=videos_out_of_reach(enrollment.user, video_ids),
                reason=reason,
            )
    enrollment.refresh_from_db()
    return bool(ended)
