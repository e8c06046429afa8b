"""Writing courses: their parts, lessons, order and what is to be read beside a lesson."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import generics
from rest_framework.exceptions import ErrorDetail, ValidationError
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import Serializer
from rest_framework.views import APIView

from courses.api.authoring_serializers import (
    CourseOrderSerializer,
    LessonWriteSerializer,
    ManagedResourceSerializer,
    PartSerializer,
)
from courses.api.managing import ManagingView
from courses.models import LessonResource
from courses.services.curriculum import (
    PartOrder,
    add_lesson,
    add_part,
    delete_part,
    delete_resource,
    order_course,
)
from courses.services.errors import InvalidChange

GONE = {204: OpenApiResponse(description="Deleted.")}


@contextmanager
def changes_refused_as_400() -> Iterator[None]:
    """Tell a change that makes no sense as an error of the field that it is about."""
    try:
        yield
    except InvalidChange as error:
        raise ValidationError({error.attr: [ErrorDetail(error.detail, error.code)]}) from error


class AuthoringView(ManagingView):
    def sent(self, serializer: type[Serializer[Any]], **options: Any) -> Serializer[Any]:
        """What the request's body says, by `serializer`; raises ValidationError."""
        data = serializer(data=self.request.data, context=self.get_serializer_context(), **options)
        data.is_valid(raise_exception=True)
        return data


class PartListView(AuthoringView):
    serializer_class = PartSerializer

    def post(self, request: Request, slug: str) -> Response:
        """Add a part to a course."""
        course = self.managed_course(slug)
        part = add_part(course=course, **self.sent(PartSerializer).validated_data)
        return Response(PartSerializer(part).data, status=201)


class PartView(AuthoringView):
    serializer_class = PartSerializer

    def patch(self, request: Request, part_id: int) -> Response:
        """Change a part's title or place."""
        data = PartSerializer(self.managed_part(part_id), data=request.data, partial=True)
        data.is_valid(raise_exception=True)
        data.save()
        return Response(data.data)

    @extend_schema(responses=GONE)
    def delete(self, request: Request, part_id: int) -> Response:
        """Delete a part with its lessons. Their videos stay."""
        delete_part(self.managed_part(part_id))
        return Response(status=204)


class PartLessonsView(AuthoringView):
    serializer_class = LessonWriteSerializer

    def post(self, request: Request, part_id: int) -> Response:
        """Add a lesson to a part."""
        part = self.managed_part(part_id)
        values = self.sent(LessonWriteSerializer).validated_data
        with changes_refused_as_400():
            lesson = add_lesson(part=part, **values)
        return Response(LessonWriteSerializer(lesson).data, status=201)


class CourseOrderView(AuthoringView):
    serializer_class = CourseOrderSerializer

    @extend_schema(responses={204: OpenApiResponse(description="The course has this order now.")})
    def post(self, request: Request, slug: str) -> Response:
        """Give a course its order at once: every part and every lesson, each named once. Lessons may change part."""
        course = self.managed_course(slug)
        parts = [PartOrder(**part) for part in self.sent(CourseOrderSerializer).validated_data["parts"]]
        with changes_refused_as_400():
            order_course(course=course, parts=parts)
        return Response(status=204)


class ResourceListView(generics.ListAPIView, AuthoringView):
    """What is to be read beside a lesson, for those who manage it."""

    serializer_class = ManagedResourceSerializer
    queryset = LessonResource.objects.none()
    parser_classes = [*APIView.parser_classes, MultiPartParser]

    def get_queryset(self) -> QuerySet[LessonResource]:
        return LessonResource.objects.filter(lesson=self.managed_lesson(self.kwargs["slug"])).order_by("pk")

    def post(self, request: Request, slug: str) -> Response:
        """Add an address, or a file sent as multipart/form-data."""
        lesson = self.managed_lesson(slug)
        data = self.sent(ManagedResourceSerializer)
        data.save(lesson=lesson)
        return Response(data.data, status=201)


class ResourceView(AuthoringView):
    serializer_class = ManagedResourceSerializer

    @extend_schema(responses=GONE)
    def delete(self, request: Request, slug: str, resource_id: int) -> Response:
        """Delete something to read, with its file."""
        lesson = self.managed_lesson(slug)
        delete_resource(get_object_or_404(LessonResource, lesson=lesson, pk=resource_id))
        return Response(status=204)
