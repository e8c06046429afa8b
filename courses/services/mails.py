"""What the mails of this app say, worded when they are sent."""

from typing import Any

from django.conf import settings
from django.urls import reverse

from courses.learning import Step
from courses.models import CourseUpdate, Enrollment
from courses.reading import fetch_progress
from courses.services.updates import unsubscribe_token
from mailing.services import Message


def render_course_update(reference: dict[str, Any]) -> Message | None:
    """News for one student; None once they have no right to the course, or want no news of it."""
    update = CourseUpdate.objects.select_related("course", "author").filter(pk=reference["update_id"]).first()
    enrollment = _recipient(reference["enrollment_id"])
    if update is None or enrollment is None:
        return None
    fetch_progress([enrollment], enrollment.user)
    unsubscribe = settings.PUBLIC_URL + reverse("courses:unsubscribe", args=[unsubscribe_token(enrollment)])
    return Message(
        to=enrollment.user.email,
        subject=f"{update.course.title}: {update.subject}",
        template="mail/course_update",
        context={
            "author": update.author.display_name if update.author else "",
            "course": update.course.title,
            "course_link": f"{settings.FRONTEND_URL}/courses/{update.course.slug}",
            "headline": update.subject,
            "body": update.body,
            "percentage": enrollment.progress.percentage,
            "has_begun": enrollment.progress.last is not None,
            "next": _continue_at(enrollment.continue_at),
            "unsubscribe_link": unsubscribe,
        },
        headers={
            "List-Unsubscribe": f"<{unsubscribe}>",
            "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
        },
    )


def _recipient(enrollment_id: int) -> Enrollment | None:
    wanted = Enrollment.objects.active().filter(
        pk=enrollment_id, wants_updates=True, user__is_active=True, user__email_verified_at__isnull=False
    )
    return wanted.select_related("user").first()


def _continue_at(step: Step | None) -> dict[str, str] | None:
    if step is None:
        return None
    link = f"{settings.FRONTEND_URL}/lessons/{step.slug}"
    return {"title": step.title, "link": link, "at": _clock(step.position_s) if step.position_s else ""}


def _clock(seconds: float) -> str:
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
