import uuid

from django.conf import settings
from django.db import models
from django.db.models import F, Prefetch, Q

from courses.models import Course


class OrderStatus(models.TextChoices):
    DRAFT = "draft"
    PENDING = "pending"
    PROCESSING = "processing"
    PAID = "paid"
    PARTIALLY_REFUNDED = "partially_refunded"
    REFUNDED = "refunded"
    DISPUTED = "disputed"
    FAILED = "failed"
    EXPIRED = "expired"


GRANTS_ACCESS = (OrderStatus.PAID, OrderStatus.PARTIALLY_REFUNDED)
OPEN = (OrderStatus.PENDING, OrderStatus.PROCESSING)


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


PAID_FOR_NOBODY = (FailureCode.USER_GONE, FailureCode.ORDER_GONE)


class OrderQuerySet(models.QuerySet["Order"]):
    def open(self) -> "OrderQuerySet":
        return self.filter(status__in=OPEN)

    def with_details(self) -> "OrderQuerySet":
        """With items, their courses and the payments: two more statements however many orders there are."""
        items = OrderItem.objects.select_related("course").order_by("id")
        return self.prefetch_related(Prefetch("items", items), "payments")


class Order(models.Model):
    """What a student agreed to pay for, frozen at checkout. `status` is derived from the payments by `recompute`."""

    public_id = models.UUIDField(unique=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="orders")
    status = models.CharField(max_length=24, choices=OrderStatus, default=OrderStatus.PENDING)
    currency = models.CharField(max_length=3)
    total_minor = models.PositiveIntegerField()
    created_at = models.DateTimeField(auto_now_add=True)
    paid_at = models.DateTimeField(null=True, blank=True)
    fulfilled_at = models.DateTimeField(null=True, blank=True)
    needs_attention = models.CharField(
        max_length=255, blank=True, help_text="Why a person has to look; empty: nothing to do."
    )

    objects = OrderQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at", "-id"]
        constraints = [
            models.CheckConstraint(condition=Q(status__in=OrderStatus.values), name="order_status_known"),
            models.CheckConstraint(condition=~Q(status="paid") | Q(paid_at__isnull=False), name="order_paid_has_time"),
        ]
        indexes = [
            models.Index(fields=["user", "-created_at"], name="order_by_user"),
            models.Index(fields=["created_at"], name="order_open", condition=Q(status__in=["pending", "processing"])),
        ]

    def __str__(self) -> str:
        return str(self.public_id)


class OrderItem(models.Model):
    order = models.ForeignKey(Order, on_delete=models.CASCADE, related_name="items")
    course = models.ForeignKey(Course, on_delete=models.PROTECT, related_name="order_items")
    title = models.CharField(max_length=200)
    unit_minor = models.PositiveIntegerField()
    discount_minor = models.PositiveIntegerField(default=0)
    net_minor = models.PositiveIntegerField()
    is_duplicate = models.BooleanField(default=False, help_text="Paid although the course was already owned.")

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["order", "course"], name="order_item_once_per_course"),
            models.CheckConstraint(
                condition=Q(net_minor=F("unit_minor") - F("discount_minor")), name="order_item_net_adds_up"
            ),
        ]

    def __str__(self) -> str:
        return self.title


class PaymentQuerySet(models.QuerySet["Payment"]):
    def live(self) -> "PaymentQuerySet":
        return self.filter(status=PaymentStatus.PENDING)


class Payment(models.Model):
    """One attempt to pay an order. `transaction_id` is the checkout session's id, once the money is there.

    A payment outlives its order: it is the proof that money was taken.
    """

    public_id = models.UUIDField(unique=True, default=uuid.uuid4, editable=False)
    order = models.ForeignKey(Order, null=True, on_delete=models.SET_NULL, related_name="payments")
    attempt = models.PositiveSmallIntegerField(default=1)
    provider = models.CharField(max_length=16, default="stripe")
    status = models.SmallIntegerField(choices=PaymentStatus, default=PaymentStatus.PENDING)
    is_processing = models.BooleanField(default=False, help_text="Completed at the provider, money not there yet.")
    failure_code = models.CharField(max_length=32, choices=FailureCode, blank=True)
    amount_minor = models.PositiveIntegerField()
    refunded_minor = models.PositiveIntegerField(default=0)
    currency = models.CharField(max_length=3)
    session_id = models.CharField(max_length=255, null=True, blank=True, unique=True)
    session_url = models.URLField(max_length=2000, blank=True)
    session_expires_at = models.DateTimeField(null=True, blank=True)
    transaction_id = models.CharField(max_length=255, blank=True)
    stripe_payment_intent = models.CharField(max_length=255, null=True, blank=True, unique=True)
    charge_id = models.CharField(max_length=255, blank=True)
    idempotency_key = models.CharField(max_length=255, unique=True)
    livemode = models.BooleanField(default=False)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    objects = PaymentQuerySet.as_manager()

    class Meta:
        ordering = ["order_id", "attempt"]
        constraints = [
            models.CheckConstraint(condition=Q(status__in=PaymentStatus.values), name="payment_status_known"),
            models.CheckConstraint(
                condition=Q(refunded_minor__lte=F("amount_minor")), name="payment_refund_within_amount"
            ),
            models.UniqueConstraint(fields=["order", "attempt"], name="payment_attempt_once"),
            models.UniqueConstraint(fields=["order"], condition=Q(status=1), name="payment_one_live_attempt"),
        ]
        indexes = [models.Index(fields=["created_at"], name="payment_pending", condition=Q(status=1))]

    def __str__(self) -> str:
        return str(self.public_id)


class WebhookEvent(models.Model):
    """One verified delivery that we act on: what it was, and whether its work is done."""

    event_id = models.CharField(max_length=255, unique=True)
    type = models.CharField(max_length=100)
    object_id = models.CharField(max_length=255)
    livemode = models.BooleanField()
    api_version = models.CharField(max_length=64, blank=True)
    payload = models.JSONField(default=dict, help_text="Trimmed: ids, amounts and states only.")
    received_at = models.DateTimeField(auto_now_add=True)
    handled_at = models.DateTimeField(null=True, blank=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    last_error = models.TextField(blank=True)

    class Meta:
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["type", "object_id"], name="webhook_object"),
            models.Index(fields=["received_at"], name="webhook_unhandled", condition=Q(handled_at=None)),
        ]

    def __str__(self) -> str:
        return f"{self.type} {self.event_id}"
