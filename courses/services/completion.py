from typing import TYPE_CHECKING

from courses.models import Lesson, LessonProgress

if TYPE_CHECKING:
    from users.models import User


def mark_completed(*, user: "User", lesson: Lesson) -> LessonProgress:
    """Note that `user` is done with `lesson`; the first time counts."""
    return LessonProgress.objects.get_or_create(user=user, lesson=lesson)[0]


def unmark_completed(*, user: "User", lesson: Lesson) -> bool:
    """Take a mark back; False when there was none. A lesson whose video was watched to the end stays completed."""
    return LessonProgress.objects.filter(user=user, lesson=lesson).delete()[0] > 0
