"""News of courses: written by those who manage them, stopped by those who get them."""

from typing import TYPE_CHECKING, cast

from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods
from drf_spectacular.utils import extend_schema
from rest_framework import generics, serializers
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response

from courses.api.authoring_views import AuthoringView, changes_refused_as_400
from courses.api.serializers import EnrollmentSerializer
from courses.models import CourseUpdate, Enrollment
from courses.reading import fetch_progress
from courses.services.updates import read_unsubscribe_token, set_wants_updates, write_update

if TYPE_CHECKING:
    from users.models import User


class CourseUpdateSerializer(serializers.ModelSerializer[CourseUpdate]):
    """News; `sent_at` is when the last mail was made, `recipient_count` how many there are so far."""

    class Meta:
        model = CourseUpdate
        fields = ["id", "subject", "body", "created_at", "requested_at", "sent_at", "recipient_count"]
        read_only_fields = ["created_at", "requested_at", "sent_at", "recipient_count"]


class CourseUpdatesView(generics.ListAPIView, AuthoringView):
    """The news of a course, for those who manage it; newest first."""

    serializer_class = CourseUpdateSerializer
    queryset = CourseUpdate.objects.none()

    def get_queryset(self) -> QuerySet[CourseUpdate]:
        return CourseUpdate.objects.filter(course=self.managed_course(self.kwargs["slug"]))

    @extend_schema(responses={201: CourseUpdateSerializer, 200: CourseUpdateSerializer})
    def post(self, request: Request, slug: str) -> Response:
        """Mail news to the course's students. The same words within an hour are sent once: 200 instead of 201.

        A course sends five a day at most (`too_many_updates`).
        """
        course = self.managed_course(slug)
        values = self.sent(CourseUpdateSerializer).validated_data
        with changes_refused_as_400():
            update, is_new = write_update(course=course, author=self.person, **values)
        update.refresh_from_db()
        return Response(CourseUpdateSerializer(update).data, status=201 if is_new else 200)


class EnrollmentChangesSerializer(serializers.Serializer[Enrollment]):
    wants_updates = serializers.BooleanField(help_text="Whether news of the course are mailed to me.")


class MyEnrollmentView(generics.GenericAPIView):
    """My right to a course."""

    permission_classes = [IsAuthenticated]
    serializer_class = EnrollmentSerializer

    @extend_schema(request=EnrollmentChangesSerializer)
    def patch(self, request: Request, slug: str) -> Response:
        """Choose whether news of the course are mailed to me."""
        user = cast("User", request.user)
        mine = Enrollment.objects.filter(user=user, course__slug=slug, is_active=True).select_related("course")
        enrollment = get_object_or_404(mine)
        data = EnrollmentChangesSerializer(data=request.data)
        data.is_valid(raise_exception=True)
        set_wants_updates(user_id=user.pk, course=enrollment.course, **data.validated_data)
        enrollment.refresh_from_db(fields=["wants_updates"])
        fetch_progress([enrollment], user)
        return Response(EnrollmentSerializer(enrollment, context=self.get_serializer_context()).data)


@csrf_exempt  # the address itself is the key, and a mail program sends it without cookies (RFC 8058)
@never_cache
@require_http_methods(["GET", "POST"])
def unsubscribe(request: HttpRequest, token: str) -> HttpResponse:
    """Stop the news of a course by the address in its mails; opening it only asks, since mail programs look ahead."""
    enrollment = read_unsubscribe_token(token)
    if enrollment is None:
        raise Http404
    if request.method == "POST":
        set_wants_updates(user_id=enrollment.user_id, course=enrollment.course, wants_updates=False)
    context = {"course": enrollment.course.title, "is_done": request.method == "POST"}
    page = render(request, "courses/unsubscribe.html", context)
    page["Referrer-Policy"] = "no-referrer"  # the address would be told to whatever is clicked next
    return page
