from django.contrib import admin, messages
from django.db.models import Q
from django.shortcuts import redirect
from django.utils.html import format_html_join
from unfold.admin import ModelAdmin, TabularInline
from unfold.decorators import action, display

from courses import money
from payments.errors import PaymentsError
from payments.models import PAID_FOR_NOBODY, Order, OrderItem, Payment, WebhookEvent
from payments.services.sync import sync_order


class ReadOnly:
    """Money is changed by services that ask Stripe, never by a form."""

    def has_add_permission(self, request, obj=None):
        return False

    def has_change_permission(self, request, obj=None):
        return False

    def has_delete_permission(self, request, obj=None):
        return False


class ReadOnlyInline(ReadOnly, TabularInline):
    extra = 0
    can_delete = False
    tab = True


class ItemInline(ReadOnlyInline):
    model = OrderItem
    fields = ["title", "course", "net", "is_duplicate"]
    readonly_fields = ["net"]

    @display(description="price")
    def net(self, item):
        return money.display(item.net_minor, item.order.currency)


class PaymentInline(ReadOnlyInline):
    model = Payment
    fields = ["attempt", "status", "failure_code", "amount", "session_id", "stripe_payment_intent", "updated_at"]
    readonly_fields = ["amount", "updated_at"]

    @display(description="amount")
    def amount(self, payment):
        return money.display(payment.amount_minor, payment.currency)


class NeedsAttentionFilter(admin.SimpleListFilter):
    title = "needs attention"
    parameter_name = "needs_attention"

    def lookups(self, request, model_admin):
        return [("yes", "Yes"), ("no", "No")]

    def queryset(self, request, queryset):
        if self.value() == "yes":
            return queryset.exclude(needs_attention="")
        if self.value() == "no":
            return queryset.filter(needs_attention="")
        return queryset


@admin.register(Order)
class OrderAdmin(ReadOnly, ModelAdmin):
    list_display = ["public_id", "student", "shown_status", "total", "created_at", "paid_at", "needs_attention"]
    list_filter = [NeedsAttentionFilter, "status", "currency", "created_at"]
    list_select_related = ["user"]
    search_fields = ["public_id", "user__email", "payments__session_id", "payments__stripe_payment_intent"]
    date_hierarchy = "created_at"
    fields = [
        "public_id",
        "student",
        "shown_status",
        "total",
        "created_at",
        "paid_at",
        "fulfilled_at",
        "needs_attention",
        "events",
    ]
    readonly_fields = fields
    inlines = [ItemInline, PaymentInline]
    actions = ["sync_with_stripe", "mark_as_seen_to"]
    actions_detail = ["sync_one_with_stripe"]

    @display(description="student", ordering="user__email")
    def student(self, order):
        return f"{order.user} ({order.user.email})"

    @display(
        description="status",
        ordering="status",
        label={"paid": "success", "pending": "info", "processing": "info", "failed": "danger", "disputed": "danger"},
    )
    def shown_status(self, order):
        return order.status

    @display(description="total", ordering="total_minor")
    def total(self, order):
        return money.display(order.total_minor, order.currency)

    @display(description="events")
    def events(self, order):
        session_ids = [payment.session_id for payment in order.payments.all() if payment.session_id]
        events = WebhookEvent.objects.filter(object_id__in=session_ids).order_by("received_at")
        rows = (
            (event.received_at.strftime("%Y-%m-%d %H:%M:%S"), event.type, event.last_error or _state(event))
            for event in events
        )
        return format_html_join("", "<div>{} · {} · {}</div>", rows) or "none"

    @admin.action(description="Sync with Stripe", permissions=["reconcile"])
    def sync_with_stripe(self, request, queryset):
        for order in queryset:
            self._sync(request, order)

    @action(description="Sync with Stripe", url_path="sync", permissions=["reconcile"])
    def sync_one_with_stripe(self, request, object_id):
        order = self.get_object(request, object_id)
        if order is not None:
            self._sync(request, order)
        return redirect("admin:payments_order_change", object_id)

    @admin.action(description="Mark as seen to", permissions=["reconcile"])
    def mark_as_seen_to(self, request, queryset):
        seen = queryset.exclude(needs_attention="").update(needs_attention="")
        self.message_user(request, f"{seen} orders marked.", messages.SUCCESS)

    def has_reconcile_permission(self, request, object_id=None):
        return request.user.has_perm("payments.change_order")

    def _sync(self, request, order):
        try:
            order = sync_order(order)
        except PaymentsError as error:
            self.message_user(request, f"{order}: {type(error).__name__}", messages.ERROR)
        else:
            self.message_user(request, f"{order}: {order.status} {order.needs_attention}", messages.SUCCESS)


class OrphanFilter(admin.SimpleListFilter):
    title = "paid for nobody"
    parameter_name = "paid_for_nobody"

    def lookups(self, request, model_admin):
        return [("yes", "Money to give back")]

    def queryset(self, request, queryset):
        return queryset.filter(failure_code__in=PAID_FOR_NOBODY) if self.value() == "yes" else queryset


@admin.register(Payment)
class PaymentAdmin(ReadOnly, ModelAdmin):
    list_display = ["public_id", "order", "status", "failure_code", "amount", "created_at"]
    list_filter = [OrphanFilter, "status", "failure_code"]
    list_select_related = ["order"]
    search_fields = ["public_id", "session_id", "stripe_payment_intent", "order__public_id"]
    exclude = ["session_url"]

    @display(description="amount")
    def amount(self, payment):
        return money.display(payment.amount_minor, payment.currency)


class HandledFilter(admin.SimpleListFilter):
    title = "handled"
    parameter_name = "handled"

    def lookups(self, request, model_admin):
        return [("no", "Not yet"), ("noted", "With a note")]

    def queryset(self, request, queryset):
        conditions = {"no": Q(handled_at=None), "noted": ~Q(last_error="")}
        return queryset.filter(conditions.get(self.value(), Q()))


@admin.register(WebhookEvent)
class WebhookEventAdmin(ReadOnly, ModelAdmin):
    list_display = ["event_id", "type", "object_id", "received_at", "handled_at", "attempts", "last_error"]
    list_filter = [HandledFilter, "type", "received_at"]
    search_fields = ["event_id", "object_id"]


def _state(event):
    return "handled" if event.handled_at else f"waiting, {event.attempts} attempts"
