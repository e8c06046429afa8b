"""All that happened to an order, as one list by time: money, events, mails, rights and what people did."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from django.contrib.admin.models import LogEntry
from django.contrib.contenttypes.models import ContentType
from django.db.models import Q
from django.urls import reverse

from courses import money
from courses.models import Enrollment
from mailing.models import OutgoingMail
from payments.admin.base import moment
from payments.models import (
    OPEN_DISPUTE,
    PAID_FOR_NOBODY,
    SETTLED,
    Dispute,
    DisputeStatus,
    Order,
    Payment,
    PaymentStatus,
    Refund,
    RefundStatus,
    WebhookEvent,
)
from payments.services.mails import DISPUTE_CLOSED, DISPUTE_OPENED, ORDER_CONFIRMATION, PAYMENT_FAILED, REFUND_ISSUED
from payments.services.webhooks import EVENTS

ICONS = {
    "order": "shopping_cart",
    "payment": "payments",
    "refund": "undo",
    "dispute": "gavel",
    "event": "bolt",
    "mail": "mail",
    "access": "school",
    "person": "person",
}
_MAIL_TONES = {OutgoingMail.Status.SENT: "success", OutgoingMail.Status.GIVEN_UP: "danger"}


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One thing that happened. `tone` colours its state: success, danger, warning, info or nothing."""

    at: datetime
    kind: str
    title: str
    state: str = ""
    tone: str = ""
    detail: str = ""
    link: str = ""

    @property
    def icon(self) -> str:
        return ICONS[self.kind]


def timeline(order: Order) -> list[Entry]:
    """The history of an order, oldest first; ten statements however much happened."""
    payments = list(order.payments.all())
    refunds = list(
        Refund.objects.filter(payment__in=payments).select_related("requested_by").prefetch_related("items__item")
    )
    disputes = list(Dispute.objects.filter(payment__in=payments))
    entries = [
        *_of_order(order),
        *(entry for payment in payments for entry in _of_payment(payment)),
        *(_of_refund(refund) for refund in refunds),
        *(_of_dispute(dispute) for dispute in disputes),
        *_of_fulfilment(order),
        *(entry for enrollment in _enrollments(order) for entry in _of_enrollment(enrollment, order)),
        *(_of_mail(mail) for mail in _mails(order, payments, refunds, disputes)),
        *(_of_event(event) for event in _events(payments, refunds, disputes)),
        *(_of_log(entry) for entry in _log(order, payments, refunds, disputes)),
    ]
    # Stripe's times are whole seconds: within one, the order above is the order of causes.
    return sorted(entries, key=lambda entry: entry.at.replace(microsecond=0))


def _of_order(order: Order) -> Iterator[Entry]:
    total = money.display(order.total_minor, order.currency)
    titles = ", ".join(item.title for item in order.items.all())
    yield Entry(at=order.created_at, kind="order", title=f"Ordered for {total}", detail=titles)


def _of_fulfilment(order: Order) -> Iterator[Entry]:
    if order.fulfilled_at:
        yield Entry(at=order.fulfilled_at, kind="order", title="Fulfilled", state="done", tone="success")


def _of_payment(payment: Payment) -> Iterator[Entry]:
    state, tone = _payment_state(payment)
    link = reverse("admin:payments_payment_change", args=[payment.pk])
    asked = money.display(payment.amount_minor, payment.currency)
    yield Entry(
        at=payment.created_at,
        kind="payment",
        title=f"Attempt {payment.attempt} to pay {asked}",
        state=state,
        tone=tone,
        detail=payment.session_id or "no checkout at Stripe yet",
        link=link,
    )
    if payment.has_money and payment.paid_at:
        discount = money.display(payment.discount_minor, payment.currency)
        less = f", {discount} less by a promotion code" if payment.discount_minor else ""
        yield Entry(
            at=payment.paid_at,
            kind="payment",
            title=f"Paid {money.display(payment.paid_minor, payment.currency)}{less}",
            state="for nobody" if payment.failure_code in PAID_FOR_NOBODY else "paid",
            tone="danger" if payment.failure_code in PAID_FOR_NOBODY else "success",
            detail=payment.stripe_payment_intent or "",
            link=link,
        )
    if payment.seen_to_at:
        yield Entry(at=payment.seen_to_at, kind="payment", title="Money for nobody was dealt with", link=link)


def _payment_state(payment: Payment) -> tuple[str, str]:
    if payment.status in SETTLED:
        back = money.display(payment.refunded_minor, payment.currency)
        if payment.status == PaymentStatus.REFUNDED:
            return f"all of it, {back}, went back", "warning"
        return (f"paid, {back} went back", "warning") if payment.refunded_minor else ("paid", "success")
    if payment.status == PaymentStatus.FAILED:
        return payment.get_failure_code_display() or "failed", "danger"
    return ("waits for the bank", "info") if payment.is_processing else ("waits for the student", "info")


def _of_refund(refund: Refund) -> Entry:
    by = f", asked for by {refund.requested_by}" if refund.requested_by else ""
    named = ", ".join(row.item.title for row in refund.items.all())
    about = [refund.get_reason_display(), f"for {named}" if named else "", refund.stripe_id or "not sent yet"]
    failure = f" ({refund.failure_reason})" if refund.failure_reason else ""
    return Entry(
        at=refund.created_at,
        kind="refund",
        title=f"Refund of {money.display(refund.amount_minor, refund.currency)}, {refund.get_origin_display()}{by}",
        state=f"{refund.get_status_display()}{failure}",
        tone=refund_tone(refund),
        detail=" · ".join(filter(None, about)),
        link=reverse("admin:payments_refund_change", args=[refund.pk]),
    )


def refund_tone(refund: Refund) -> str:
    if refund.status in (RefundStatus.FAILED, RefundStatus.CANCELED):
        return "danger"
    return "success" if refund.status == RefundStatus.SUCCEEDED else "info"


def _of_dispute(dispute: Dispute) -> Entry:
    due = f"answer by {moment(dispute.answer_due_at)}" if dispute.answer_due_at else ""
    return Entry(
        at=dispute.created_at,
        kind="dispute",
        title=f"Dispute over {money.display(dispute.amount_minor, dispute.currency)}",
        state=dispute.get_status_display(),
        tone=dispute_tone(dispute),
        detail=" · ".join(filter(None, [dispute.reason, dispute.stripe_id, due])),
        link=reverse("admin:payments_dispute_change", args=[dispute.pk]),
    )


def dispute_tone(dispute: Dispute) -> str:
    if dispute.status in (*OPEN_DISPUTE, DisputeStatus.LOST):
        return "danger"
    return "success" if dispute.status == DisputeStatus.WON else "warning"


def _events(payments: list[Payment], refunds: list[Refund], disputes: list[Dispute]) -> list[WebhookEvent]:
    """Those whose work led to a payment, and those that name one of the objects but are not done."""
    ids = [payment.session_id for payment in payments] + [row.stripe_id for row in [*refunds, *disputes]]
    intents = [payment.stripe_payment_intent for payment in payments if payment.stripe_payment_intent]
    named = Q(type__in=EVENTS, object_id__in=[object_id for object_id in ids if object_id])
    waiting = Q(handled_at=None, payload__payment_intent__in=intents)
    return list(WebhookEvent.objects.filter(Q(payment__in=payments) | named | waiting))


def _of_event(event: WebhookEvent) -> Entry:
    tried = f" after {event.attempts} attempts" if event.attempts > 1 else ""
    state = f"handled{tried}" if event.handled_at else f"not handled{tried}"
    return Entry(
        at=event.received_at,
        kind="event",
        title=event.type,
        state=state,
        tone="success" if event.handled_at else "danger",
        detail=" · ".join(filter(None, [event.last_error, event.event_id])),
        link=reverse("admin:payments_webhookevent_change", args=[event.pk]),
    )


def _mails(order: Order, payments: list[Payment], refunds: list[Refund], disputes: list[Dispute]) -> list[OutgoingMail]:
    about_disputes = [dispute.stripe_id for dispute in disputes]
    owed = Q(kind=ORDER_CONFIRMATION, key=str(order.public_id))
    owed |= Q(kind=PAYMENT_FAILED, key__in=[str(payment.public_id) for payment in payments])
    owed |= Q(kind=REFUND_ISSUED, key__in=[str(refund.public_id) for refund in refunds])
    owed |= Q(kind__in=[DISPUTE_OPENED, DISPUTE_CLOSED], key__in=about_disputes)
    return list(OutgoingMail.objects.filter(owed))


def _of_mail(mail: OutgoingMail) -> Entry:
    state = f"sent {moment(mail.sent_at)}" if mail.sent_at else mail.get_status_display()
    return Entry(
        at=mail.created_at,
        kind="mail",
        title=f"Mail: {mail.kind.rpartition('.')[2].replace('_', ' ')}",
        state=state,
        tone=_MAIL_TONES.get(mail.status, "info"),
        detail=mail.last_error,
        link=reverse("admin:mailing_outgoingmail_change", args=[mail.pk]),
    )


def _enrollments(order: Order) -> list[Enrollment]:
    courses = [item.course_id for item in order.items.all()]
    return list(Enrollment.objects.filter(user=order.user_id, course__in=courses).select_related("course"))


def _of_enrollment(enrollment: Enrollment, order: Order) -> Iterator[Entry]:
    is_ours = enrollment.source_reference == str(order.public_id)
    source = "by this order" if is_ours else f"by another way: {enrollment.get_source_display()}"
    link = reverse("admin:courses_enrollment_change", args=[enrollment.pk])
    yield Entry(
        at=enrollment.started_at,
        kind="access",
        title=f"Enrolled in {enrollment.course.title}",
        state="active" if enrollment.is_active else "ended since",
        tone="success" if enrollment.is_active else "",
        detail=source,
        link=link,
    )
    if enrollment.ended_at:
        yield Entry(
            at=enrollment.ended_at,
            kind="access",
            title=f"Enrollment in {enrollment.course.title} ended",
            state=enrollment.ended_reason,
            tone="warning",
            detail=source,
            link=link,
        )


def _log(order: Order, payments: list[Payment], refunds: list[Refund], disputes: list[Dispute]) -> list[LogEntry]:
    types = ContentType.objects.get_for_models(Order, Payment, Refund, Dispute)
    rows = {Order: [order], Payment: payments, Refund: refunds, Dispute: disputes}
    about = Q()
    for model, found in rows.items():
        about |= Q(content_type=types[model], object_id__in=[str(row.pk) for row in found])
    return list(LogEntry.objects.filter(about).select_related("user", "content_type"))


def _of_log(entry: LogEntry) -> Entry:
    return Entry(at=entry.action_time, kind="person", title=entry.get_change_message(), detail=f"by {entry.user}")
