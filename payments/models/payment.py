import uuid

from django.db import models
from django.db.models import F, Q

from payments.models.order import Order


class PaymentStatus(models.IntegerChoices):
    PENDING = 1
    COMPLETED = 2
    FAILED = -1
    REFUNDED = -2


SETTLED = (PaymentStatus.COMPLETED, PaymentStatus.REFUNDED)


class FailureCode(models.TextChoices):
    EXPIRED = "expired", "the checkout ran out"
    SUPERSEDED = "superseded", "replaced by another attempt"
    REJECTED = "rejected", "refused by the payment provider"
    ASYNC_FAILED = "async_failed", "the bank did not send the money"
    USER_GONE = "user_gone", "paid, but the account is closed"
    ORDER_GONE = "order_gone", "paid, but the order is gone"
    MISMATCH = "mismatch", "paid, but not what was ordered"


PAID_FOR_NOBODY = (FailureCode.USER_GONE, FailureCode.ORDER_GONE, FailureCode.MISMATCH)


class PaymentQuerySet(models.QuerySet["Payment"]):
    def live(self) -> "PaymentQuerySet":
        return self.filter(status=PaymentStatus.PENDING)

    def under_review(self) -> "PaymentQuerySet":
        """Those that brought money for nobody which has not gone back.

        What a payment that does not fit its order took is not known here: any refund of it counts as all.
        """
        is_part = Q(refunded_minor__lt=F("amount_minor") - F("discount_minor")) & ~Q(failure_code=FailureCode.MISMATCH)
        unseen = self.filter(failure_code__in=PAID_FOR_NOBODY, seen_to_at=None)
        return unseen.filter(is_part | Q(failure_code=FailureCode.MISMATCH, refunded_minor=0))


class Payment(models.Model):
    """One attempt to pay an order. `transaction_id` is the checkout session's id, once the money is there.

    A payment outlives its order: it is the proof that money was taken. `amount_minor` is asked for, `discount_minor`
    what a promotion code took off it. `revision` counts the answers of the provider that changed this payment, its
    refunds or its disputes: an answer that was asked for under an older one is not applied.
    """

    public_id = models.UUIDField(unique=True, default=uuid.uuid4, editable=False)
    order = models.ForeignKey(Order, null=True, on_delete=models.SET_NULL, related_name="payments")
    attempt = models.PositiveSmallIntegerField(default=1)
    provider = models.CharField(max_length=16, default="stripe")
    status = models.SmallIntegerField(choices=PaymentStatus, default=PaymentStatus.PENDING)
    is_processing = models.BooleanField(default=False, help_text="Completed at the provider, money not there yet.")
    failure_code = models.CharField(max_length=32, choices=FailureCode, blank=True)
    amount_minor = models.PositiveIntegerField()
    discount_minor = models.PositiveIntegerField(default=0)
    refunded_minor = models.PositiveIntegerField(default=0, help_text="Given back, lost disputes included.")
    currency = models.CharField(max_length=3)
    session_id = models.CharField(max_length=255, null=True, blank=True, unique=True)
    session_url = models.URLField(max_length=2000, blank=True)
    session_expires_at = models.DateTimeField(null=True, blank=True)
    transaction_id = models.CharField(max_length=255, blank=True)
    stripe_payment_intent = models.CharField(max_length=255, null=True, blank=True, unique=True)
    charge_id = models.CharField(max_length=255, blank=True)
    idempotency_key = models.CharField(max_length=255, unique=True)
    livemode = models.BooleanField(default=False)
    revision = models.PositiveIntegerField(default=0)
    paid_at = models.DateTimeField(null=True, blank=True)
    seen_to_at = models.DateTimeField(null=True, blank=True, help_text="When a person dealt with money for nobody.")
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    objects = PaymentQuerySet.as_manager()

    class Meta:
        ordering = ["order_id", "attempt"]
        constraints = [
            models.CheckConstraint(condition=Q(status__in=PaymentStatus.values), name="payment_status_known"),
            models.CheckConstraint(
                condition=Q(amount_minor__gte=F("discount_minor") + F("refunded_minor")),
                name="payment_refund_within_paid",
            ),
            models.CheckConstraint(
                condition=~Q(status__in=[2, -2]) | Q(paid_at__isnull=False), name="payment_settled_has_time"
            ),
            models.UniqueConstraint(fields=["order", "attempt"], name="payment_attempt_once"),
            models.UniqueConstraint(fields=["order"], condition=Q(status=1), name="payment_one_live_attempt"),
        ]
        indexes = [
            models.Index(fields=["created_at"], name="payment_pending", condition=Q(status=1)),
            models.Index(fields=["paid_at"], name="payment_by_time"),
            models.Index(
                fields=["created_at"], name="payment_for_nobody", condition=Q(failure_code__in=PAID_FOR_NOBODY)
            ),
        ]

    def __str__(self) -> str:
        return str(self.public_id)

    @property
    def paid_minor(self) -> int:
        """What the student pays for this attempt."""
        return self.amount_minor - self.discount_minor

    @property
    def has_money(self) -> bool:
        """Whether money was taken, be it that nothing could be given for it."""
        return self.status in SETTLED or self.failure_code in PAID_FOR_NOBODY
