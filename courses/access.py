"""Who may see and change which course. Whether a lesson may be watched is asked of COURSE_ACCESS_POLICY."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, TypeAlias, Union, cast

from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.utils.module_loading import import_string

from courses.models import Course, CourseQuerySet, Lesson, LessonRef
from videos.access import Decision

if TYPE_CHECKING:
    from users.models import User

Person: TypeAlias = Union["User", AnonymousUser]


COURSE_TERMS = (
    "slug",
    "university",
    "price_minor",
    "currency",
    "included_in_tier",
    "is_published",
    "instructors",
)
"""The fields of a course that say on which terms it is offered; instructors write the others."""


def is_platform_staff(user: Person) -> bool:
    """Whether `user` runs the platform and so manages every course.

    `is_staff` alone only opens the admin, which instructors use too: it takes the permission
    `courses.manage_all_courses` (the group Staff has it) or a superuser.
    """
    if not user.is_active:
        return False
    return user.is_superuser or (user.is_staff and user.has_perm("courses.manage_all_courses"))


def manageable_courses(user: Person) -> CourseQuerySet:
    """The courses that `user` may change: all for staff, their own for instructors."""
    if not user.is_authenticated:
        return Course.objects.none()
    return Course.objects.all() if is_platform_staff(user) else Course.objects.taught_by(user)


def may_set_terms(user: Person) -> bool:
    """Whether `user` may make courses and change their COURSE_TERMS: staff alone."""
    return is_platform_staff(user)


def may_see_course(user: Person, course: Course) -> bool:
    """Whether `user` may open the page of `course` (of `as_pages`): published, or attended, taught or run by them."""
    return course.is_published or course.is_enrolled or course.is_taught or is_platform_staff(user)


def lesson_decisions(user: Person, lessons: Sequence[LessonRef]) -> dict[int, Decision]:
    """Ask COURSE_ACCESS_POLICY about all `lessons` at once; keyed by the lesson's primary key."""
    policy = cast(
        Callable[[Person, Sequence[LessonRef]], dict[int, Decision]], import_string(settings.COURSE_ACCESS_POLICY)
    )
    return policy(user, lessons)


def may_open_lesson(user: Person, lesson: Lesson) -> bool:
    """Whether `user` may open `lesson` with all that belongs to it."""
    return lesson_decisions(user, [lesson.ref])[lesson.pk].allowed


def may_manage_lesson(user: Person, lesson: Lesson) -> bool:
    """Whether `user` may change `lesson`: staff and the instructors of its course."""
    return manageable_courses(user).filter(pk=lesson.part.course_id).exists()
