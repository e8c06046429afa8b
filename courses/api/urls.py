from django.urls import path, re_path

from courses.api import file_views
from courses.api.authoring_views import (
    CourseOrderView,
    PartLessonsView,
    PartListView,
    PartView,
    ResourceListView,
    ResourceView,
)
from courses.api.lesson_video_views import LessonVideoView
from courses.api.lesson_views import LessonView
from courses.api.progress_views import CourseProgressView, LessonCompletionView
from courses.api.update_views import CourseUpdatesView, MyEnrollmentView, unsubscribe
from courses.api.views import CourseListView, CourseView, EnrollmentView, UniversityListView, UniversityView

app_name = "courses"

urlpatterns = [
    path("universities/", UniversityListView.as_view(), name="university-list"),
    path("universities/<slug:slug>/", UniversityView.as_view(), name="university"),
    path("courses/", CourseListView.as_view(), name="course-list"),
    path("courses/<slug:slug>/", CourseView.as_view(), name="course"),
    path("courses/<slug:slug>/progress/", CourseProgressView.as_view(), name="course-progress"),
    path("courses/<slug:slug>/parts/", PartListView.as_view(), name="part-list"),
    path("courses/<slug:slug>/order/", CourseOrderView.as_view(), name="course-order"),
    path("courses/<slug:slug>/updates/", CourseUpdatesView.as_view(), name="course-updates"),
    path("updates/unsubscribe/<str:token>/", unsubscribe, name="unsubscribe"),
    path("parts/<int:part_id>/", PartView.as_view(), name="part"),
    path("parts/<int:part_id>/lessons/", PartLessonsView.as_view(), name="part-lessons"),
    path("lessons/<slug:slug>/", LessonView.as_view(), name="lesson"),
    path("lessons/<slug:slug>/completion/", LessonCompletionView.as_view(), name="lesson-completion"),
    path("lessons/<slug:slug>/video/", LessonVideoView.as_view(), name="lesson-video"),
    path("lessons/<slug:slug>/resources/", ResourceListView.as_view(), name="resource-list"),
    path("lessons/<slug:slug>/resources/<int:resource_id>/", ResourceView.as_view(), name="managed-resource"),
    path("enrollments/", EnrollmentView.as_view(), name="enrollment-list"),
    path("enrollments/<slug:slug>/", MyEnrollmentView.as_view(), name="enrollment"),
    re_path(
        r"^images/(?P<kind>thumbnails|logos)/(?P<owner_id>\d{1,18})/(?P<name>[\w.-]+)$", file_views.image, name="image"
    ),
    path("resources/<str:token>/", file_views.resource, name="resource"),
]
