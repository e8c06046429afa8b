"""What waits for a person: one list of everything about money that does not mend itself."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Exists, F, OuterRef, Q, QuerySet, Subquery, Sum
from django.db.models.functions import Coalesce
from django.utils import timezone

from payments.models import (
    GIVEN_BACK,
    PAID_FOR_NOBODY,
    Dispute,
    DisputeStatus,
    FailureCode,
    Order,
    Payment,
    Refund,
    RefundStatus,
    WebhookEvent,
)

TO_ANSWER = (
    DisputeStatus.NEEDS_RESPONSE,
    DisputeStatus.WARNING_NEEDS_RESPONSE,
    DisputeStatus.APPEAL_NEEDS_RESPONSE,
    DisputeStatus.UNKNOWN,
)
PATIENCE = timedelta(minutes=10)


@dataclass(frozen=True, kw_only=True)
class Attention:
    """Querysets of what needs a person, the most urgent first in each."""

    disputes: QuerySet[Dispute]
    orders: QuerySet[Order]
    payments: QuerySet[Payment]
    refunds: QuerySet[Refund]
    events: QuerySet[WebhookEvent]

    def count(self) -> int:
        """How many there are in all; five statements."""
        return sum(rows.count() for rows in (self.disputes, self.orders, self.payments, self.refunds, self.events))


def attention(now: datetime | None = None) -> Attention:
    """What needs a person now; nothing is read before it is used."""
    long_ago = (now or timezone.now()) - PATIENCE
    return Attention(
        disputes=disputes_to_answer(),
        orders=Order.objects.exclude(needs_attention="").select_related("user").order_by("created_at"),
        payments=payments_for_nobody(),
        refunds=stuck_refunds(long_ago),
        events=WebhookEvent.objects.filter(handled_at=None, received_at__lt=long_ago).order_by("received_at"),
    )


def disputes_to_answer() -> QuerySet[Dispute]:
    """Disputes and inquiries that wait for evidence, by the day that it is due."""
    waiting = Dispute.objects.filter(status__in=TO_ANSWER).select_related("payment__order__user")
    return waiting.order_by(F("answer_due_at").asc(nulls_last=True), "pk")


def payments_for_nobody() -> QuerySet[Payment]:
    """Money that came for nobody, was not all given back and is not marked as seen to.

    What a payment that does not fit its order took is not known here: any refund of it counts as all.
    """
    refunds = Refund.objects.filter(payment=OuterRef("pk"), status__in=GIVEN_BACK).order_by().values("payment")
    back = Coalesce(Subquery(refunds.annotate(sum_minor=Sum("amount_minor")).values("sum_minor")), 0)
    is_part = Q(back_minor__lt=F("amount_minor") - F("discount_minor")) & ~Q(failure_code=FailureCode.MISMATCH)
    waiting = Payment.objects.filter(failure_code__in=PAID_FOR_NOBODY, seen_to_at=None).annotate(back_minor=back)
    return waiting.filter(Q(back_minor=0) | is_part).select_related("order__user").order_by("created_at")


def stuck_refunds(long_ago: datetime) -> QuerySet[Refund]:
    """Refunds that failed and nobody has seen to or made up for since, and those not sent for long.

    One whose order lives is seen to with its order; one whose order is gone, with its payment.
    """
    later = Refund.objects.filter(
        payment=OuterRef("payment"), status__in=GIVEN_BACK, created_at__gt=OuterRef("created_at")
    )
    unseen = (Q(payment__order__isnull=False) & ~Q(payment__order__needs_attention="")) | Q(
        payment__order=None, payment__seen_to_at=None
    )
    failed = Q(status=RefundStatus.FAILED) & ~Exists(later) & unseen
    unsent = Q(status=RefundStatus.PENDING, stripe_id=None, created_at__lt=long_ago)
    return Refund.objects.filter(failed | unsent).select_related("payment__order__user").order_by("created_at", "pk")
