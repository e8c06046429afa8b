"""Who may watch, upload and change which video: the project's answers to `videos` and `courses`.

A lesson opens to those who have a right to its course, and to everybody signed in when it is a free preview. A video
may be watched when one of its lessons allows it, or the lesson or course that is its subject; for the others its own
access level counts. Public and unlisted ones are for everybody, wherever they are shown.
"""

from collections.abc import Collection, Sequence
from functools import cache

from django.conf import settings
from django.contrib.contenttypes.models import ContentType
from django.db.models import CharField, Q, QuerySet
from django.db.models.functions import Cast

from courses.access import Person, is_platform_staff
from courses.models import Course, Lesson, LessonRef, LessonTies
from videos.access import Decision
from videos.models import AccessLevel, Video

_OPEN_LEVELS = (AccessLevel.PUBLIC, AccessLevel.UNLISTED)
# Of several reasons why not, the one that helps most; a code that is not here is told last.
_TOLD = {code: rank for rank, code in enumerate(("", "enrollment_ended", "tier_too_low", "not_enrolled"))}
_TIES = ("is_enrolled", "has_ended", "is_taught")


def decide(user: Person, video: Video) -> Decision:
    """Whether `user` may watch `video`, and how; one query, two more for staff who are not superusers."""
    lessons = Lesson.objects.ties_of_video(video.pk, user)
    if _owns(user, video) or any(lesson.is_taught for lesson in lessons) or is_platform_staff(user):
        return _allowed(user, is_counted=False)
    if video.access_level in _OPEN_LEVELS:
        return _allowed(user)
    if not user.is_authenticated:
        return Decision(allowed=False, code="not_authenticated")
    return _best([_judge(user, lesson) for lesson in lessons]) if lessons else _judge_by_level(user, video)


def decide_lessons(user: Person, lessons: Sequence[LessonRef]) -> dict[int, Decision]:
    """Whether `user` may open each of `lessons`, keyed by primary key; one query whatever their number.

    The answer for a video is the best answer of its lessons, unless its owner or its access level open it anyway.
    """
    if is_platform_staff(user):
        return dict.fromkeys((lesson.pk for lesson in lessons), _allowed(user, is_counted=False))
    rows = Course.objects.filter(pk__in={lesson.course_id for lesson in lessons}).order_by().with_rights(user)
    courses = {pk: row for pk, *row in rows.values_list("pk", "is_published", "included_in_tier", *_TIES)}

    @cache
    def judge(course_id: int, is_free_preview: bool) -> Decision:
        return _judge(user, LessonTies(is_free_preview, *courses[course_id]))

    return {lesson.pk: judge(lesson.course_id, lesson.is_free_preview) for lesson in lessons}


def may_manage(user: Person, video: Video) -> bool:
    """Whether `user` may upload, change, delete and measure `video`: those for whom `managed_videos` finds it."""
    if _owns(user, video) or is_platform_staff(user):
        return True
    return user.is_authenticated and Video.objects.filter(managed_videos(user), pk=video.pk).exists()


def managed_videos(user: Person) -> Q:
    """The videos that `user` manages, as a condition on `Video`: all for staff; for others those they own, those that
    lessons of their courses show, and those whose subject is one of their courses or lessons.
    """
    if is_platform_staff(user):
        return Q()
    if not user.is_authenticated:
        return Q(pk__in=[])
    courses = Course.objects.taught_by(user)
    lessons = Lesson.objects.filter(part__course__in=courses)
    shown = lessons.filter(video__isnull=False).values("video_id")
    return Q(owner=user.pk) | Q(pk__in=shown) | _has_subject(courses) | _has_subject(lessons)


def tier_of(user: Person) -> str:
    """The membership tier that `user` has; empty without one."""
    return ""


def may_create(user: Person) -> bool:
    """Whether `user` may upload new videos: instructors of any course, and staff."""
    return user.is_authenticated and (is_platform_staff(user) or Course.objects.taught_by(user).exists())


def _has_subject(rows: QuerySet) -> Q:
    keys = rows.order_by().annotate(key=Cast("pk", CharField())).values("key")
    return Q(subject_type=ContentType.objects.get_for_model(rows.model), subject_id__in=keys)


def _has_tier(user: Person, tier: str) -> bool:
    return bool(tier) and tier_of(user) == tier


def is_staff(user: Person) -> bool:
    """Whether `user` runs the platform and may read its metrics."""
    return is_platform_staff(user)


def _judge(user: Person, lesson: LessonTies) -> Decision:
    if not user.is_authenticated:
        return Decision(allowed=False, code="not_authenticated")
    if lesson.is_taught:
        return _allowed(user, is_counted=False)
    if lesson.is_enrolled or (lesson.is_free_preview and lesson.is_published):
        return _allowed(user)
    if lesson.is_published and _has_tier(user, lesson.tier):
        return _allowed(user)
    if lesson.has_ended:
        return Decision(allowed=False, code="enrollment_ended")
    if lesson.tier:
        return Decision(allowed=False, code="tier_too_low", tier=lesson.tier)
    return Decision(allowed=False, code="not_enrolled")


def _judge_by_level(user: Person, video: Video) -> Decision:
    if video.access_level == AccessLevel.TIER:
        if _has_tier(user, video.required_tier):
            return _allowed(user)
        return Decision(allowed=False, code="tier_too_low", tier=video.required_tier)
    if video.access_level == AccessLevel.MEMBERS:
        is_member = user.is_authenticated and user.is_email_verified
        return _allowed(user) if is_member else Decision(allowed=False, code="email_unverified")
    return Decision(allowed=False, code="not_entitled")


def _best(decisions: Collection[Decision]) -> Decision:
    return min(decisions, key=lambda decision: (not decision.allowed, _TOLD.get(decision.code, len(_TOLD))))


def _allowed(user: Person, *, is_counted: bool = True) -> Decision:
    return Decision(allowed=True, watermark=_watermark(user), counted=is_counted)


def _watermark(user: Person) -> str:
    if not user.is_authenticated:
        return ""
    return settings.VIDEO_WATERMARK.format(
        name=user.display_name, email=user.email, masked_email=_masked(user.email), id=user.pk
    )


def _masked(email: str) -> str:
    name, _, domain = email.partition("@")
    return f"{name[:1]}***@{domain}"


def _owns(user: Person, video: Video) -> bool:
    return user.is_authenticated and video.owner_id == user.pk
