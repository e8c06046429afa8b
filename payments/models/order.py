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
MONEY_CAME = (*GRANTS_ACCESS, OrderStatus.DISPUTED, OrderStatus.REFUNDED)
OPEN = (OrderStatus.PENDING, OrderStatus.PROCESSING)


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
    needs_attention = models.TextField(blank=True, help_text="Why a person has to look; empty: nothing to do.")

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
            models.Index(fields=["paid_at"], name="order_by_payment_time"),
            models.Index(fields=["created_at"], name="order_for_a_person", condition=~Q(needs_attention="")),
        ]

    def __str__(self) -> str:
        return str(self.public_id)


class Access(models.TextChoices):
    """What an item gives its student now."""

    NONE = "none", "not yet"
    GRANTED = "granted"
    SUSPENDED = "suspended", "suspended while the payment is disputed"
    REVOKED = "revoked", "ended by a refund or a lost dispute"


class OrderItem(models.Model):
    order = models.ForeignKey(Order, on_delete=models.CASCADE, related_name="items")
    course = models.ForeignKey(Course, on_delete=models.PROTECT, related_name="order_items")
    title = models.CharField(max_length=200)
    unit_minor = models.PositiveIntegerField()
    discount_minor = models.PositiveIntegerField(default=0)
    net_minor = models.PositiveIntegerField()
    access = models.CharField(max_length=12, choices=Access, default=Access.NONE)
    is_duplicate = models.BooleanField(default=False, help_text="Paid although the course was already owned.")

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["order", "course"], name="order_item_once_per_course"),
            models.CheckConstraint(
                condition=Q(net_minor=F("unit_minor") - F("discount_minor")), name="order_item_net_adds_up"
            ),
            models.CheckConstraint(condition=Q(access__in=Access.values), name="order_item_access_known"),
        ]
        indexes = [models.Index(fields=["course", "access"], name="order_item_by_course")]

    def __str__(self) -> str:
        return self.title
