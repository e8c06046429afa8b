"""The facts of this app: the catalogue, the curriculum, who may learn, what they did, and news for them."""

from courses.models.catalogue import Course, CourseQuerySet, Level, University
from courses.models.curriculum import Lesson, LessonQuerySet, LessonRef, LessonResource, LessonTies, Part
from courses.models.enrollment import Enrollment, EnrollmentSource
from courses.models.progress import LessonProgress
from courses.models.update import CourseUpdate

__all__ = [
    "Course",
    "CourseQuerySet",
    "CourseUpdate",
    "Enrollment",
    "EnrollmentSource",
    "Lesson",
    "LessonProgress",
    "LessonQuerySet",
    "LessonRef",
    "LessonResource",
    "LessonTies",
    "Level",
    "Part",
    "University",
]
