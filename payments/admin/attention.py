"""What waits for a person, on one page and counted on the first page of the admin."""

from django.core.exceptions import PermissionDenied
from django.template.response import TemplateResponse
from django.urls import reverse

from courses import money
from payments.admin.base import amount_of, moment, person
from payments.services.attention import attention

SHOWN = 50
_SHOWN_KINDS = ("order", "payment", "refund", "dispute", "webhookevent")


def may_see_attention(user):
    """Whether a user may look at every kind of row that the list shows."""
    return user.has_perms([f"payments.view_{kind}" for kind in _SHOWN_KINDS])


def attention_view(model_admin):
    """The page: a section for each kind, the first SHOWN of each, and where to find all."""

    def view(request):
        if not may_see_attention(request.user):
            raise PermissionDenied
        found = attention()
        sections = [
            _section("Disputes to answer", found.disputes, _dispute, "dispute", "?status__exact=needs_response"),
            _section("Payments for nobody", found.payments, _payment, "payment", "?paid_for_nobody=yes"),
            _section("Orders with something odd", found.orders, _order, "order", "?needs_attention=yes"),
            _section("Refunds that failed or are stuck", found.refunds, _refund, "refund", "?status__exact=failed"),
            _section("Events not handled", found.events, _event, "webhookevent", "?handled=no"),
        ]
        context = {
            **model_admin.admin_site.each_context(request),
            "title": "Needs attention",
            "sections": [section for section in sections if section["rows"]],
        }
        return TemplateResponse(request, "admin/payments/attention.html", context)

    return view


def on_the_index(request, context):
    """The first page of the admin with how much money needs a person, for those who may see it."""
    if may_see_attention(request.user):
        context["money_waiting"] = attention().count()
    return context


def _section(title, rows, describe, model, query):
    found = list(rows[: SHOWN + 1])
    return {
        "title": title,
        "rows": [describe(row) for row in found[:SHOWN]],
        "more": reverse(f"admin:payments_{model}_changelist") + query if len(found) > SHOWN else "",
    }


def _line(model, row, title, detail, when, action=""):
    link = reverse(f"admin:payments_{model}_change", args=[row.pk])
    return {"link": link, "title": title, "detail": detail, "when": when, "action": action}


def _whose(payment):
    return person(payment.order) if payment.order else "the order is gone"


def _dispute(dispute):
    title = f"{amount_of(dispute)}, {dispute.get_status_display()}"
    due = f"answer by {moment(dispute.answer_due_at)}" if dispute.answer_due_at else "no date given"
    return _line("dispute", dispute, title, f"{_whose(dispute.payment)} · {dispute.reason}", due)


def _payment(payment):
    paid = money.display(payment.paid_minor, payment.currency)
    action = reverse("admin:payments_payment_give_money_back", args=[payment.pk])
    title = f"{paid}, {payment.get_failure_code_display()}"
    return _line("payment", payment, title, _whose(payment), moment(payment.paid_at), action)


def _order(order):
    title = f"{money.display(order.total_minor, order.currency)}, {order.get_status_display().lower()}"
    return _line("order", order, title, f"{person(order)} · {order.needs_attention}", moment(order.created_at))


def _refund(refund):
    state = refund.get_status_display().lower() if refund.stripe_id or refund.status == "failed" else "not sent"
    title = f"{amount_of(refund)}, {state} {refund.failure_reason}".strip()
    return _line("refund", refund, title, _whose(refund.payment), moment(refund.created_at))


def _event(event):
    detail = f"{event.object_id} · {event.last_error or 'no error noted'}"
    return _line("webhookevent", event, event.type, detail, moment(event.received_at))
