"""Rows for tests: each function makes one valid object and takes overrides of its fields."""

from itertools import count

from courses.models import Course, Enrollment, EnrollmentSource, Lesson, Part, University
from courses.services import enroll
from videos.models import VideoProgress, Viewer

_numbers = count(1)


def make_university(**overrides) -> University:
    number = next(_numbers)
    return University.objects.create(**{"name": f"University {number}", "slug": f"university-{number}"} | overrides)


def make_course(*, instructors=(), **overrides) -> Course:
    number = next(_numbers)
    fields = {"title": f"Course {number}", "slug": f"course-{number}", "price_minor": 4900, "is_published": True}
    if "university" not in overrides:
        fields["university"] = make_university()
    course = Course.objects.create(**fields | overrides)
    course.instructors.set(instructors)
    return course


def make_part(**overrides) -> Part:
    number = next(_numbers)
    if "course" not in overrides:
        overrides["course"] = make_course()
    return Part.objects.create(**{"title": f"Part {number}", "position": number} | overrides)


def make_lesson(*, course: Course | None = None, **overrides) -> Lesson:
    """A lesson in a part of its own; `course` names the course of that part."""
    number = next(_numbers)
    if "part" not in overrides:
        overrides["part"] = make_part(**({"course": course} if course else {}))
    return Lesson.objects.create(
        **{"title": f"Lesson {number}", "slug": f"lesson-{number}", "position": number} | overrides
    )


def enroll_student(user, course: Course, **overrides) -> Enrollment:
    enrollment, _ = enroll(user=user, course=course, source=EnrollmentSource.STAFF)
    for name, value in overrides.items():
        setattr(enrollment, name, value)
    if overrides:
        enrollment.save(update_fields=list(overrides))
    return enrollment


def watch(user, lesson: Lesson, **overrides) -> VideoProgress:
    """What `user` has seen of the lesson's video: a quarter of a minute's film, unless told otherwise."""
    viewer, _ = Viewer.objects.get_or_create(user=user)
    values = {"position_s": 15, "covered_ms": 15_000, "duration_ms": 60_000} | overrides
    progress, _ = VideoProgress.objects.update_or_create(viewer=viewer, video=lesson.video, defaults=values)
    return progress
