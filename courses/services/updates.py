"""News of a course: written once, mailed to every student who wants them, in batches that survive a crash."""

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from django.core import signing
from django.db import transaction
from django.utils import timezone

from background import enqueue
from courses.models import Course, CourseUpdate, Enrollment
from courses.services.errors import InvalidChange
from mailing.services import queue_mails

if TYPE_CHECKING:
    from django.db.models import QuerySet

    from users.models import User

COURSE_UPDATE = "courses.course_update"
BATCH = 500
UPDATES_PER_DAY = 5
SAME_WITHIN = timedelta(hours=1)
_SALT = "courses.unsubscribe"


def write_update(*, course: Course, author: "User", subject: str, body: str) -> tuple[CourseUpdate, bool]:
    """Write news and have them sent; gives them and whether they are new.

    The same words within an hour are the same news, which a second click or a retry sends only once.
    Raises InvalidChange as `request_sending`.
    """
    with transaction.atomic():
        _lock(course.pk)
        since = timezone.now() - SAME_WITHIN
        known = course.updates.filter(subject=subject, body=body, created_at__gt=since).first()
        update = known or CourseUpdate.objects.create(course=course, author=author, subject=subject, body=body)
        request_sending(update)
    return update, known is None


def request_sending(update: CourseUpdate) -> bool:
    """Have a draft sent to the course's students; False when that was asked for before.

    Raises InvalidChange (`too_many_updates`) when the course sent UPDATES_PER_DAY within 24 hours already.
    """
    now = timezone.now()
    with transaction.atomic():
        _lock(update.course_id)
        if not CourseUpdate.objects.filter(pk=update.pk, requested_at=None).update(requested_at=now):
            return False
        _require_few(update.course_id, since=now - timedelta(days=1))
        enqueue("courses.send_update", update.pk)
    update.requested_at = now
    return True


def send_update(update_id: int) -> int:
    """Make the mails that are still to be made of one update, batch by batch; gives how many.

    Each batch is one transaction with its mark, so that a process that died is taken up where it stopped.
    """
    total = 0
    while (made := _make_batch(update_id)) is not None:
        total += made
    return total


def send_due() -> int:
    """Go on with every update whose mails are not all made; gives how many mails were."""
    due = CourseUpdate.objects.filter(requested_at__isnull=False, sent_at=None).order_by("requested_at")
    return sum(send_update(update_id) for update_id in due.values_list("pk", flat=True))


def unsubscribe_token(enrollment: Enrollment) -> str:
    """What lets whoever holds the mail stop the news of its course; it never runs out."""
    return signing.Signer(salt=_SALT).sign(str(enrollment.pk))


def read_unsubscribe_token(token: str) -> Enrollment | None:
    """The enrollment that a token is of; None when it is forged or the enrollment is gone."""
    try:
        enrollment_id = int(signing.Signer(salt=_SALT).unsign(token))
    except (signing.BadSignature, ValueError):
        return None
    return Enrollment.objects.select_related("course").filter(pk=enrollment_id).first()


def set_wants_updates(*, user_id: int, course: Course, wants_updates: bool) -> int:
    """Let a student have the news of a course mailed, or not; gives how many rights of theirs that concerns."""
    return Enrollment.objects.filter(user=user_id, course=course).update(wants_updates=wants_updates)


def _lock(course_id: int) -> None:
    Course.objects.select_for_update(no_key=True).get(pk=course_id)


def _require_few(course_id: int, *, since: datetime) -> None:
    if CourseUpdate.objects.filter(course=course_id, requested_at__gt=since).count() > UPDATES_PER_DAY:
        detail = f"A course sends its students at most {UPDATES_PER_DAY} news a day."
        raise InvalidChange("too_many_updates", attr="subject", detail=detail)


def _make_batch(update_id: int) -> int | None:
    with transaction.atomic():
        sending = CourseUpdate.objects.select_for_update(no_key=True).filter(requested_at__isnull=False, sent_at=None)
        update = sending.filter(pk=update_id).first()
        if update is None:
            return None
        batch = list(_recipients(update)[:BATCH])
        made = queue_mails(
            kind=COURSE_UPDATE,
            references={f"{update.pk}-{pk}": {"update_id": update.pk, "enrollment_id": pk} for pk in batch},
        )
        update.recipient_count += made
        if batch:
            update.queued_up_to = batch[-1]
        if len(batch) < BATCH:
            update.sent_at = timezone.now()
        update.save(update_fields=["recipient_count", "queued_up_to", "sent_at"])
        return made


def _recipients(update: CourseUpdate) -> "QuerySet[Enrollment, int]":
    students = Enrollment.objects.active().filter(
        course=update.course_id,
        pk__gt=update.queued_up_to,
        wants_updates=True,
        user__is_active=True,
        user__email_verified_at__isnull=False,
    )
    return students.order_by("pk").values_list("pk", flat=True)
