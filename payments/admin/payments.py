from django.contrib import admin
from django.shortcuts import redirect
from django.urls import reverse
from unfold.admin import ModelAdmin
from unfold.decorators import action, display

from courses import money
from payments.admin import steps
from payments.admin.base import ReadOnly, ReadOnlyInline, amount_of, breakable
from payments.admin.confirming import confirmed
from payments.admin.long_lists import CurrencyFilter, LongList
from payments.admin.refunding import refund_view
from payments.models import PAID_FOR_NOBODY, Dispute, Payment, Refund


class RefundInline(ReadOnlyInline):
    model = Refund
    show_change_link = True
    fields = ["created_at", "amount", "status", "origin", "reason", "failure_reason", "stripe_id"]
    readonly_fields = ["amount"]

    @display(description="amount")
    def amount(self, refund):
        return amount_of(refund)


class DisputeInline(ReadOnlyInline):
    model = Dispute
    show_change_link = True
    fields = ["created_at", "amount", "status", "reason", "answer_due_at", "stripe_id"]
    readonly_fields = ["amount"]

    @display(description="amount")
    def amount(self, dispute):
        return amount_of(dispute)


class OrphanFilter(admin.SimpleListFilter):
    title = "paid for nobody"
    parameter_name = "paid_for_nobody"

    def lookups(self, request, model_admin):
        return [("yes", "Money to give back")]

    def queryset(self, request, queryset):
        return queryset.filter(failure_code__in=PAID_FOR_NOBODY) if self.value() == "yes" else queryset


@admin.register(Payment)
class PaymentAdmin(ReadOnly, LongList, ModelAdmin):
    list_display = ["public_id", "order", "status", "failure_code", "amount", "refunded", "created_at"]
    list_filter = [OrphanFilter, "status", "failure_code", CurrencyFilter, "created_at"]
    list_select_related = ["order"]
    search_fields = ["public_id", "session_id", "stripe_payment_intent", "charge_id", "order__public_id"]
    fields = [
        "public_id",
        "order",
        "attempt",
        "status",
        "failure_code",
        "is_processing",
        "amount",
        "discount",
        "refunded",
        "paid_at",
        "seen_to_at",
        "session",
        "session_expires_at",
        "stripe_payment_intent",
        "charge_id",
        "livemode",
        "created_at",
        "updated_at",
    ]
    readonly_fields = ["amount", "discount", "refunded", "session", "created_at", "updated_at", "public_id"]
    inlines = [RefundInline, DisputeInline]
    actions_detail = ["give_money_back", "sync_with_stripe", "mark_as_seen_to"]

    @display(description="amount", ordering="amount_minor")
    def amount(self, payment):
        return amount_of(payment)

    @display(description="discount")
    def discount(self, payment):
        return money.display(payment.discount_minor, payment.currency)

    @display(description="given back", ordering="refunded_minor")
    def refunded(self, payment):
        return money.display(payment.refunded_minor, payment.currency)

    @display(description="session id")
    def session(self, payment):
        return breakable(payment.session_id)

    @action(description="Give money back", url_path="refund", permissions=["refund"])
    def give_money_back(self, request, object_id):
        payment = self.get_object(request, object_id)
        return refund_view(self, request, payment) if payment else redirect("admin:payments_payment_changelist")

    @action(description="Sync with Stripe", url_path="sync", permissions=["reconcile"])
    def sync_with_stripe(self, request, object_id):
        return self._on_page(request, object_id, steps.SYNC_PAYMENT)

    @action(description="Mark as seen to", url_path="seen", permissions=["reconcile"])
    def mark_as_seen_to(self, request, object_id):
        return self._on_page(request, object_id, steps.SEE_TO_PAYMENT)

    def has_reconcile_permission(self, request, object_id=None):
        return request.user.has_perm("payments.change_payment")

    def has_refund_permission(self, request, object_id=None):
        return request.user.has_perm("payments.add_refund")

    def _on_page(self, request, object_id, step):
        back = reverse("admin:payments_payment_change", args=[object_id])
        payment = self.get_object(request, object_id)
        page = confirmed(self, request, [payment], step, back=back) if payment else None
        return page or redirect(back)
