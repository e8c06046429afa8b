from django.contrib import admin
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.contenttypes.models import ContentType
from django.http import StreamingHttpResponse
from django.shortcuts import redirect
from django.urls import path, reverse
from django.utils import timezone
from unfold.admin import ModelAdmin
from unfold.decorators import action, display

from courses import money
from payments.admin import steps
from payments.admin.attention import attention_view, may_see_attention
from payments.admin.base import ReadOnly, ReadOnlyInline, amount_of, moment, person
from payments.admin.confirming import confirmed
from payments.admin.long_lists import CurrencyFilter, LongList
from payments.admin.revenue import revenue_view
from payments.admin.timeline import timeline
from payments.models import Order, OrderItem, Payment
from payments.services.exports import order_rows
from payments.services.refund_requests import refundable_minor
from payments.spreadsheets import csv_lines

STATUS_TONES = {
    "paid": "success",
    "pending": "info",
    "processing": "info",
    "partially refunded": "warning",
    "refunded": "warning",
    "failed": "danger",
    "disputed": "danger",
}


class ItemInline(ReadOnlyInline):
    model = OrderItem
    verbose_name_plural = "Courses"
    fields = ["title", "course", "net", "access", "is_duplicate"]
    readonly_fields = ["net"]

    def get_queryset(self, request):
        return super().get_queryset(request).select_related("course", "order")

    @display(description="price")
    def net(self, item):
        return money.display(item.net_minor, item.order.currency)


class PaymentInline(ReadOnlyInline):
    model = Payment
    show_change_link = True
    fields = ["attempt", "status", "failure_code", "amount", "refunded", "session_id", "stripe_payment_intent"]
    readonly_fields = ["amount", "refunded"]

    @display(description="amount")
    def amount(self, payment):
        return amount_of(payment)

    @display(description="given back")
    def refunded(self, payment):
        return money.display(payment.refunded_minor, payment.currency)


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
class OrderAdmin(ReadOnly, LongList, ModelAdmin):
    list_display = ["public_id", "student", "shown_status", "total", "ordered", "needs_attention"]
    list_filter = [NeedsAttentionFilter, "status", CurrencyFilter, "created_at"]
    list_select_related = ["user"]
    search_fields = [
        "public_id",
        "user__email",
        "payments__session_id",
        "payments__stripe_payment_intent",
        "payments__refunds__stripe_id",
        "payments__disputes__stripe_id",
    ]
    fields = [
        "public_id",
        "student",
        "shown_status",
        "total",
        "created_at",
        "paid_at",
        "fulfilled_at",
        "needs_attention",
    ]
    readonly_fields = fields
    inlines = [ItemInline, PaymentInline]
    change_form_outer_after_template = "admin/payments/timeline.html"
    actions = ["sync_with_stripe", "mark_as_seen_to", "export_as_csv"]
    actions_list = ["needs_attention_list", "revenue_page", "export_all"]
    actions_detail = [
        "give_money_back",
        "sync_one_with_stripe",
        "resend_confirmation",
        "mark_one_as_seen_to",
    ]

    def get_queryset(self, request):
        return super().get_queryset(request).select_related("user")

    def change_view(self, request, object_id, form_url="", extra_context=None):
        order = self.get_object(request, object_id)
        told = timeline(order) if order and self.has_view_permission(request, order) else []
        return super().change_view(request, object_id, form_url, {**(extra_context or {}), "timeline": told})

    def get_urls(self):
        view = self.admin_site.admin_view
        pages = [
            path("attention/", view(attention_view(self)), name="payments_attention"),
            path("revenue/", view(revenue_view(self)), name="payments_revenue"),
        ]
        return [*pages, *super().get_urls()]

    @display(description="student", ordering="user__email")
    def student(self, order):
        return person(order)

    @display(description="status", ordering="status", label=STATUS_TONES)
    def shown_status(self, order):
        return order.get_status_display().lower()

    @display(description="ordered", ordering="created_at")
    def ordered(self, order):
        return moment(order.created_at)

    @display(description="total", ordering="total_minor")
    def total(self, order):
        return money.display(order.total_minor, order.currency)

    @admin.action(description="Sync with Stripe", permissions=["reconcile"])
    def sync_with_stripe(self, request, queryset):
        return self._on_list(request, queryset, steps.SYNC, "sync_with_stripe")

    @admin.action(description="Mark as seen to", permissions=["reconcile"])
    def mark_as_seen_to(self, request, queryset):
        return self._on_list(request, queryset, steps.SEE_TO, "mark_as_seen_to")

    @admin.action(description="Export as CSV", permissions=["export"])
    def export_as_csv(self, request, queryset):
        return self._export(request, queryset)

    @action(description="Needs attention", url_path="to-attention", permissions=["attention"])
    def needs_attention_list(self, request):
        return redirect("admin:payments_attention")

    @action(description="Revenue", url_path="to-revenue", permissions=["export"])
    def revenue_page(self, request):
        return redirect("admin:payments_revenue")

    @action(description="Export all as CSV", url_path="export", permissions=["export"])
    def export_all(self, request):
        return self._export(request, Order.objects.all(), with_orphans=True)

    @action(description="Give money back", url_path="refund", permissions=["refund"])
    def give_money_back(self, request, object_id):
        order = self.get_object(request, object_id)
        payments = order.payments.order_by("-paid_at", "-attempt") if order else []
        paid = [payment for payment in payments if payment.has_money]
        chosen = next((payment for payment in paid if refundable_minor(payment)), next(iter(paid), None))
        if chosen is None:
            self.message_user(request, "Nothing was paid for this order: there is nothing to give back.", "WARNING")
            return redirect("admin:payments_order_change", object_id)
        return redirect("admin:payments_payment_give_money_back", chosen.pk)

    @action(description="Sync with Stripe", url_path="sync", permissions=["reconcile"])
    def sync_one_with_stripe(self, request, object_id):
        return self._on_page(request, object_id, steps.SYNC)

    @action(description="Resend confirmation", url_path="resend", permissions=["reconcile"])
    def resend_confirmation(self, request, object_id):
        return self._on_page(request, object_id, steps.RESEND)

    @action(description="Mark as seen to", url_path="seen", permissions=["reconcile"])
    def mark_one_as_seen_to(self, request, object_id):
        return self._on_page(request, object_id, steps.SEE_TO)

    def has_attention_permission(self, request):
        return may_see_attention(request.user)

    def has_reconcile_permission(self, request, object_id=None):
        return request.user.has_perm("payments.change_order")

    def has_refund_permission(self, request, object_id=None):
        return request.user.has_perm("payments.add_refund")

    def has_export_permission(self, request, object_id=None):
        return request.user.has_perms([f"payments.view_{name}" for name in ("order", "payment", "refund", "dispute")])

    def _on_list(self, request, queryset, step, name):
        back = reverse("admin:payments_order_changelist")
        return confirmed(self, request, queryset, step, back=back, action=name)

    def _on_page(self, request, object_id, step):
        back = reverse("admin:payments_order_change", args=[object_id])
        order = self.get_object(request, object_id)
        page = confirmed(self, request, [order], step, back=back) if order else None
        return page or redirect(back)

    def _export(self, request, orders, **options):
        LogEntry.objects.create(
            user=request.user,
            content_type=ContentType.objects.get_for_model(Order),
            object_repr="orders",
            action_flag=CHANGE,
            change_message=f"Exported {orders.count()} orders",
        )
        name = f"orders-{timezone.now():%Y-%m-%d}.csv"
        return StreamingHttpResponse(
            csv_lines(order_rows(orders, **options)),
            content_type="text/csv; charset=utf-8",
            headers={"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"},
        )
