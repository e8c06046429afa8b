import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q

from payments.models.order import OrderItem
from payments.models.payment import Payment


class RefundStatus(models.TextChoices):
    """The provider's words: https://docs.stripe.com/api/refunds/object#refund_object-status"""

    PENDING = "pending"
    REQUIRES_ACTION = "requires_action", "waits for the student"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELED = "canceled"


GIVEN_BACK = (RefundStatus.PENDING, RefundStatus.REQUIRES_ACTION, RefundStatus.SUCCEEDED)


class RefundOrigin(models.TextChoices):
    STAFF = "staff"
    AUTOMATIC = "automatic", "automatic, for a double payment"
    PROVIDER = "provider", "made at the provider"


class RefundReason(models.TextChoices):
    """Those that the provider takes; any other word of its own is kept as it is."""

    REQUESTED_BY_CUSTOMER = "requested_by_customer", "requested by the student"
    DUPLICATE = "duplicate", "paid twice"
    FRAUDULENT = "fraudulent"


class RefundQuerySet(models.QuerySet["Refund"]):
    def given_back(self) -> "RefundQuerySet":
        """Those that the provider has and has not taken back."""
        return self.filter(status__in=GIVEN_BACK).exclude(stripe_id=None)

    def reserved(self) -> "RefundQuerySet":
        """Those whose amount nobody else may give back, the ones not yet sent among them."""
        return self.filter(status__in=GIVEN_BACK)

    def unsent(self) -> "RefundQuerySet":
        return self.filter(status=RefundStatus.PENDING, stripe_id=None)


class Refund(models.Model):
    """Money given back. One of ours exists before the provider is asked: `public_id` is its idempotency key there."""

    public_id = models.UUIDField(unique=True, default=uuid.uuid4, editable=False)
    payment = models.ForeignKey(Payment, on_delete=models.PROTECT, related_name="refunds")
    stripe_id = models.CharField(max_length=255, null=True, blank=True, unique=True)
    amount_minor = models.PositiveIntegerField()
    currency = models.CharField(max_length=3)
    status = models.CharField(max_length=16, choices=RefundStatus, default=RefundStatus.PENDING)
    origin = models.CharField(max_length=16, choices=RefundOrigin, default=RefundOrigin.STAFF)
    reason = models.CharField(max_length=40, choices=RefundReason, blank=True)
    failure_reason = models.CharField(max_length=64, blank=True)
    failed_at = models.DateTimeField(null=True, blank=True, help_text="When the bank sent the money back.")
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    created_at = models.DateTimeField(help_text="By the provider's clock, once it has the refund.")
    updated_at = models.DateTimeField(auto_now=True)

    objects = RefundQuerySet.as_manager()

    class Meta:
        ordering = ["created_at", "id"]
        constraints = [
            models.CheckConstraint(condition=Q(status__in=RefundStatus.values), name="refund_status_known"),
            models.CheckConstraint(condition=Q(amount_minor__gt=0), name="refund_has_amount"),
        ]
        indexes = [
            models.Index(fields=["created_at"], name="refund_by_time"),
            models.Index(fields=["created_at"], name="refund_unsent", condition=Q(status="pending", stripe_id=None)),
        ]

    def __str__(self) -> str:
        return str(self.public_id)


class RefundItem(models.Model):
    """An item that a refund names: its student loses that course, whatever the rest of the order."""

    refund = models.ForeignKey(Refund, on_delete=models.CASCADE, related_name="items")
    item = models.ForeignKey(OrderItem, on_delete=models.CASCADE, related_name="refunds")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["refund", "item"], name="refund_item_once")]

    def __str__(self) -> str:
        return f"{self.item_id} of {self.refund_id}"


class DisputeStatus(models.TextChoices):
    """The provider's words: https://docs.stripe.com/api/disputes/object#dispute_object-status"""

    WARNING_NEEDS_RESPONSE = "warning_needs_response", "inquiry, answer it"
    WARNING_UNDER_REVIEW = "warning_under_review", "inquiry, answered"
    WARNING_CLOSED = "warning_closed", "inquiry closed"
    NEEDS_RESPONSE = "needs_response", "answer it"
    UNDER_REVIEW = "under_review", "answered, the bank decides"
    WON = "won"
    LOST = "lost"
    PREVENTED = "prevented"
    APPEAL_NEEDS_RESPONSE = "appeal_needs_response", "appeal, answer it"
    APPEAL_UNDER_REVIEW = "appeal_under_review", "appeal, the bank decides"
    UNKNOWN = "unknown", "a state that is new to us"


INQUIRY = (DisputeStatus.WARNING_NEEDS_RESPONSE, DisputeStatus.WARNING_UNDER_REVIEW)
OPEN_DISPUTE = (
    DisputeStatus.NEEDS_RESPONSE,
    DisputeStatus.UNDER_REVIEW,
    DisputeStatus.APPEAL_NEEDS_RESPONSE,
    DisputeStatus.APPEAL_UNDER_REVIEW,
    DisputeStatus.UNKNOWN,
)


class Dispute(models.Model):
    """A student's bank takes the money back, or asks whether it may. The provider says how it stands."""

    payment = models.ForeignKey(Payment, on_delete=models.PROTECT, related_name="disputes")
    stripe_id = models.CharField(max_length=255, unique=True)
    amount_minor = models.PositiveIntegerField()
    currency = models.CharField(max_length=3)
    status = models.CharField(max_length=32, choices=DisputeStatus)
    reason = models.CharField(max_length=64, blank=True)
    is_refundable = models.BooleanField(default=False, help_text="The provider still takes refunds of this payment.")
    answer_due_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(help_text="By the provider's clock.")
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["created_at", "id"]
        constraints = [
            models.CheckConstraint(condition=Q(status__in=DisputeStatus.values), name="dispute_status_known")
        ]
        indexes = [models.Index(fields=["status", "answer_due_at"], name="dispute_to_answer")]

    def __str__(self) -> str:
        return self.stripe_id
