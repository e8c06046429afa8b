from typing import TYPE_CHECKING, Any, cast

from django.db.models import Count, Q, QuerySet
from django.shortcuts import get_object_or_404
from django.utils.cache import patch_vary_headers
from django.utils.decorators import method_decorator
from django.views.decorators.http import condition
from drf_spectacular.utils import extend_schema
from rest_framework import generics, status
from rest_framework.exceptions import NotFound, PermissionDenied
from rest_framework.permissions import AllowAny, IsAuthenticated, IsAuthenticatedOrReadOnly
from rest_framework.request import Request
from rest_framework.response import Response

from courses import catalogue
from courses.access import COURSE_TERMS, may_see_course, may_set_terms
from courses.api.authoring_serializers import CourseWriteSerializer
from courses.api.filters import CatalogueFilters, CourseFilter
from courses.api.managing import ManagingView
from courses.api.permissions import PlatformStaffWrites
from courses.api.serializers import (
    CourseCardSerializer,
    CourseDetailSerializer,
    EnrollmentCreateSerializer,
    EnrollmentSerializer,
    UniversitySerializer,
)
from courses.models import Course, Enrollment, EnrollmentSource, University
from courses.reading import fetch_people, fetch_progress, outline_of
from courses.services import enroll

if TYPE_CHECKING:
    from users.models import User


class PublicReadView(generics.GenericAPIView):
    """Public answers may be kept and asked about by their ETag; those of somebody signed in are theirs alone."""

    permission_classes = [AllowAny]

    def finalize_response(self, request: Request, response: Response, *args: Any, **kwargs: Any) -> Response:
        answer: Response = super().finalize_response(request, response, *args, **kwargs)
        patch_vary_headers(answer, ["Authorization"])
        answer.headers.setdefault(
            "Cache-Control", f"{'private' if request.user.is_authenticated else 'public'}, no-cache"
        )
        return answer


def _list_etag(request: Request, *args: Any, **kwargs: Any) -> str | None:
    if request.user.is_authenticated:
        return None
    return f'"{catalogue.list_version()}"'


def _detail_etag(request: Request, *args: Any, slug: str, **kwargs: Any) -> str | None:
    if request.user.is_authenticated:
        return None
    return f'"{catalogue.detail_version(slug)}"'


def course_page(view: generics.GenericAPIView, slug: str) -> dict[str, Any]:
    """The answer about one course for whoever asks; raises NotFound where they may not see it."""
    user = view.request.user
    course = get_object_or_404(Course.objects.as_pages(user), slug=slug)
    if not may_see_course(user, course):
        raise NotFound
    fetch_people([course])
    outline = outline_of(course, user)
    course.lesson_count = outline.lesson_count
    context = {**view.get_serializer_context(), "outline": outline}
    body: dict[str, Any] = CourseDetailSerializer(course, context=context).data
    return body


def _universities() -> QuerySet[University]:
    return University.objects.annotate(course_count=Count("courses", filter=Q(courses__is_published=True)))


class UniversityListView(PublicReadView, generics.ListAPIView):
    serializer_class = UniversitySerializer

    def get_queryset(self) -> QuerySet[University]:
        return _universities().order_by("name", "pk")


class UniversityView(PublicReadView, generics.RetrieveAPIView):
    serializer_class = UniversitySerializer
    lookup_field = "slug"

    def get_queryset(self) -> QuerySet[University]:
        return _universities()


class CourseListView(PublicReadView, generics.ListAPIView):
    """The published courses."""

    permission_classes = [PlatformStaffWrites]
    serializer_class = CourseCardSerializer
    filter_backends = [CatalogueFilters]
    filterset_class = CourseFilter

    def get_queryset(self) -> QuerySet[Course]:
        return Course.objects.published().as_cards(self.request.user)

    @method_decorator(condition(etag_func=_list_etag))
    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        courses = self.paginate_queryset(self.filter_queryset(self.get_queryset())) or []
        fetch_people(courses)
        return self.get_paginated_response(self.get_serializer(courses, many=True).data)

    @extend_schema(request=CourseWriteSerializer, responses={201: CourseDetailSerializer})
    def post(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Make a course; staff alone. `instructors` are named by their addresses."""
        data = CourseWriteSerializer(data=request.data)
        data.is_valid(raise_exception=True)
        course = data.save()
        return Response(course_page(self, course.slug), status=status.HTTP_201_CREATED)


class CourseView(PublicReadView, ManagingView):
    """A course with its curriculum, what of it is locked for me and how far I am."""

    permission_classes = [IsAuthenticatedOrReadOnly]
    serializer_class = CourseDetailSerializer

    @method_decorator(condition(etag_func=_detail_etag))
    def get(self, request: Request, slug: str) -> Response:
        return Response(course_page(self, slug))

    @extend_schema(request=CourseWriteSerializer)
    def patch(self, request: Request, slug: str) -> Response:
        """Change a course: its instructors write the content, its terms are for staff (`terms_for_staff`)."""
        course = self.managed_course(slug)
        if not may_set_terms(request.user) and not set(COURSE_TERMS).isdisjoint(request.data):
            raise PermissionDenied("The terms of a course are changed by staff.", code="terms_for_staff")
        data = CourseWriteSerializer(course, data=request.data, partial=True)
        data.is_valid(raise_exception=True)
        return Response(course_page(self, data.save().slug))


class EnrollmentView(generics.ListCreateAPIView):
    """My rights to courses, those that ended included; staff may give one to somebody."""

    permission_classes = [IsAuthenticated, PlatformStaffWrites]
    serializer_class = EnrollmentSerializer

    def get_queryset(self) -> QuerySet[Enrollment]:
        return Enrollment.objects.filter(user=self.request.user.pk).select_related("course")

    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        enrollments = self.paginate_queryset(self.get_queryset()) or []
        fetch_progress(enrollments, cast("User", request.user))
        return self.get_paginated_response(self.get_serializer(enrollments, many=True).data)

    @extend_schema(request=EnrollmentCreateSerializer, responses={201: EnrollmentSerializer, 200: EnrollmentSerializer})
    def post(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        wanted = EnrollmentCreateSerializer(data=request.data)
        wanted.is_valid(raise_exception=True)
        enrollment, is_new = enroll(**wanted.validated_data, source=EnrollmentSource.STAFF)
        fetch_progress([enrollment], enrollment.user)
        body = EnrollmentSerializer(enrollment, context=self.get_serializer_context()).data
        return Response(body, status=status.HTTP_201_CREATED if is_new else status.HTTP_200_OK)
