import logging
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.db.models import F
from django.template.loader import render_to_string
from django.utils import timezone

from background import enqueue
from mailing.models import OutgoingMail

logger = logging.getLogger(__name__)

LEASE = timedelta(minutes=3)
MAX_ATTEMPTS = 10
BACKOFF_START_S = 30
BACKOFF_CAP_S = 6 * 3600
SWEEP_BATCH = 200


@dataclass(frozen=True, kw_only=True)
class Message:
    """A mail ready to be worded: `template` "mail/x" stands for `mail/x.txt` and `mail/x.html`.

    `headers` are extra ones, such as `List-Unsubscribe`.
    """

    to: str
    subject: str
    template: str
    context: dict[str, Any] = field(default_factory=dict, repr=False)
    headers: dict[str, str] = field(default_factory=dict, repr=False)


Renderer = Callable[[dict[str, Any]], Message | None]
_renderers: dict[str, Renderer] = {}


def register(kind: str, render: Renderer) -> None:
    """Let `render(reference)` word every mail of `kind`; None from it means that there is nothing left to say."""
    _renderers[kind] = render


def queue_mail(*, kind: str, key: str, reference: dict[str, Any]) -> OutgoingMail:
    """Owe one mail per `(kind, key)`, in the caller's transaction; a worker is woken once that has committed."""
    mail, created = OutgoingMail.objects.get_or_create(kind=kind, key=key, defaults={"reference": reference})
    if created:
        enqueue("mailing.send", mail.pk)
    return mail


def queue_mails(*, kind: str, references: Mapping[str, dict[str, Any]]) -> int:
    """Owe one mail for each key of `references`, as `queue_mail` does for one; gives how many are new."""
    known = set(OutgoingMail.objects.filter(kind=kind, key__in=references).values_list("key", flat=True))
    wanted = [OutgoingMail(kind=kind, key=key, reference=references[key]) for key in references if key not in known]
    OutgoingMail.objects.bulk_create(wanted, ignore_conflicts=True)
    new = OutgoingMail.objects.filter(kind=kind, key__in=[mail.key for mail in wanted]).values_list("pk", flat=True)
    for mail_id in new:
        enqueue("mailing.send", mail_id)
    return len(new)


def send(mail_id: int) -> bool:
    """Send the mail if it is due and nobody else is sending it; True when it went out.

    Nothing is raised when that fails: the reason is kept in the row, without addresses, and the next try is set.
    """
    mail = _claim(mail_id)
    if mail is None:
        return False
    try:
        message = _renderers[mail.kind](mail.reference)
        if message is not None:
            _deliver(message)
    except Exception as error:  # a renderer or a mail backend may raise anything; each failure is kept and shown
        _postpone(mail, error)
        return False
    if message is None:
        _settle(mail, status=OutgoingMail.Status.DROPPED)
        return False
    _settle(mail, status=OutgoingMail.Status.SENT, sent_at=timezone.now(), last_error="")
    return True


def send_again(mail: OutgoingMail) -> None:
    """Start a mail over, whatever became of it: all attempts are left and it is due now."""
    OutgoingMail.objects.filter(pk=mail.pk).update(
        status=OutgoingMail.Status.WAITING, sent_at=None, due_at=timezone.now(), attempts=0, last_error=""
    )
    enqueue("mailing.send", mail.pk)


def sweep() -> int:
    """Wake a worker for mails that are due, oldest first; gives how many were asked for.

    A mail whose last attempt died with its worker is given up here, where an operator sees it.
    """
    due = OutgoingMail.objects.due(timezone.now())
    given_up = due.filter(attempts__gte=MAX_ATTEMPTS).update(status=OutgoingMail.Status.GIVEN_UP)
    if given_up:
        logger.error("%s mails were given up: see the outbox in the admin", given_up)
    mail_ids = list(due.order_by("due_at").values_list("pk", flat=True)[:SWEEP_BATCH])
    for mail_id in mail_ids:
        enqueue("mailing.send", mail_id)
    return len(mail_ids)


def backoff(attempts: int) -> timedelta:
    """How long to wait after so many failed attempts: 30 s, doubled each time, six hours at most."""
    return timedelta(seconds=min(BACKOFF_START_S * 2 ** (attempts - 1), BACKOFF_CAP_S))


def _claim(mail_id: int) -> OutgoingMail | None:
    now = timezone.now()
    claimed = (
        OutgoingMail.objects.due(now)
        .filter(pk=mail_id, attempts__lt=MAX_ATTEMPTS)
        .update(due_at=now + LEASE, attempts=F("attempts") + 1)
    )
    return OutgoingMail.objects.get(pk=mail_id) if claimed else None


def _deliver(message: Message) -> None:
    context = {"frontend_url": settings.FRONTEND_URL, "subject": message.subject} | message.context
    email = EmailMultiAlternatives(
        subject=" ".join(message.subject.split()),
        body=render_to_string(f"{message.template}.txt", context),
        to=[message.to],
        headers=message.headers,
    )
    email.attach_alternative(render_to_string(f"{message.template}.html", context), "text/html")
    email.send()


def _postpone(mail: OutgoingMail, error: Exception) -> None:
    reason = _describe(error)
    given_up = mail.attempts >= MAX_ATTEMPTS
    logger.log(
        logging.ERROR if given_up else logging.WARNING,
        "Mail %s (%s) was not sent, attempt %s of %s: %s",
        mail.pk,
        mail.kind,
        mail.attempts,
        MAX_ATTEMPTS,
        reason,
    )
    _settle(
        mail,
        status=OutgoingMail.Status.GIVEN_UP if given_up else OutgoingMail.Status.WAITING,
        due_at=timezone.now() + backoff(mail.attempts),
        last_error=reason,
    )


def _settle(mail: OutgoingMail, **values: Any) -> None:
    OutgoingMail.objects.filter(pk=mail.pk, attempts=mail.attempts, status=OutgoingMail.Status.WAITING).update(**values)


def _describe(error: Exception) -> str:
    """The error's type, code and place: its text is left out, since servers repeat addresses in it."""
    code = getattr(error, "smtp_code", None) or getattr(error, "status_code", None) or getattr(error, "errno", None)
    frame = traceback.extract_tb(error.__traceback__)[-1]
    place = f"{frame.filename.rsplit('/', 1)[-1]}:{frame.lineno}"
    return f"{type(error).__name__}{f' {code}' if code else ''} ({place})"
