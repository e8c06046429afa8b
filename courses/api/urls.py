from django.urls import path, re_path

from courses.api import file_views
from courses.api.lesson_views import LessonView
from courses.api.progress_views import CourseProgressView, LessonCompletionView
from courses.api.views import CourseListView, CourseView, EnrollmentView, UniversityListView, UniversityView

app_name = "courses"

urlpatterns = [
    path("universities/", UniversityListView.as_view(), name="university-list"),
    path("universities/<slug:slug>/", UniversityView.as_view(), name="university"),
    path("courses/", CourseListView.as_view(), name="course-list"),
    path("courses/<slug:slug>/", CourseView.as_view(), name="course"),
    path("courses/<slug:slug>/progress/", CourseProgressView.as_view(), name="course-progress"),
    path("lessons/<slug:slug>/", LessonView.as_view(), name="lesson"),
    path("lessons/<slug:slug>/completion/", LessonCompletionView.as_view(), name="lesson-completion"),
    path("enrollments/", EnrollmentView.as_view(), name="enrollment-list"),
    re_path(
        r"^images/(?P<kind>thumbnails|logos)/(?P<owner_id>\d{1,18})/(?P<name>[\w.-]+)$", file_views.image, name="image"
    ),
    path("resources/<str:token>/", file_views.resource, name="resource"),
]
