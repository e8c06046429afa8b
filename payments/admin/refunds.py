from django.contrib import admin
from unfold.admin import ModelAdmin
from unfold.decorators import display

from payments.admin.base import ReadOnly, ReadOnlyInline, amount_of
from payments.admin.confirming import Declined, Step, confirmed
from payments.admin.long_lists import LongList
from payments.models import Refund, RefundItem, RefundStatus
from payments.services.refunds import send_refund


class RefundItemInline(ReadOnlyInline):
    model = RefundItem
    verbose_name_plural = "Courses given up"
    fields = ["item"]


def _send(request, refund):
    if refund.status != RefundStatus.PENDING or refund.stripe_id:
        raise Declined(f"nothing to send: it is {refund.get_status_display()}")
    return send_refund(refund).get_status_display()


SEND = Step(
    title="Send to Stripe again",
    button="Send",
    sentence=lambda refund: f"{amount_of(refund)}, {refund.get_status_display()}; asking twice gives back once.",
    work=_send,
)


@admin.register(Refund)
class RefundAdmin(ReadOnly, LongList, ModelAdmin):
    list_display = ["public_id", "amount", "shown_status", "origin", "reason", "payment", "created_at"]
    list_filter = ["status", "origin", "reason", "created_at"]
    list_select_related = ["payment"]
    search_fields = ["public_id", "stripe_id", "payment__stripe_payment_intent", "payment__order__user__email"]
    fields = [
        "public_id",
        "payment",
        "amount",
        "shown_status",
        "failure_reason",
        "origin",
        "reason",
        "requested_by",
        "stripe_id",
        "created_at",
        "updated_at",
    ]
    readonly_fields = ["public_id", "amount", "shown_status", "updated_at"]
    inlines = [RefundItemInline]
    actions = ["send_again"]

    @display(description="amount", ordering="amount_minor")
    def amount(self, refund):
        return amount_of(refund)

    @display(
        description="status",
        ordering="status",
        label={"Succeeded": "success", "Failed": "danger", "Canceled": "warning", "Pending": "info"},
    )
    def shown_status(self, refund):
        return refund.get_status_display()

    @admin.action(description="Send to Stripe again", permissions=["send"])
    def send_again(self, request, queryset):
        rows = queryset.select_related("payment")
        return confirmed(self, request, rows, SEND, back=request.get_full_path(), action="send_again")

    def has_send_permission(self, request):
        return request.user.has_perm("payments.add_refund")
