"""Lists that answer as fast with a million rows as with a thousand: what they count, order by and search is bounded."""

from uuid import UUID

from django.conf import settings
from django.contrib import admin
from django.contrib.auth import get_user_model
from django.core.paginator import Paginator
from django.db.models import Q
from django.utils.functional import cached_property

from payments.models import Dispute, Order, Payment, Refund, WebhookEvent
from payments.services.webhooks import EVENTS

MOST_COUNTED = 10_000
MOST_PEOPLE = 50


class BoundedPaginator(Paginator):
    """Counts no further than ten thousand rows; what is older is found by a filter or a search."""

    @cached_property
    def count(self):
        return self.object_list.order_by()[:MOST_COUNTED].count()


class LongList:
    """Newest first. A search takes a whole id of ours or of the provider, or a part of an e-mail address."""

    ordering = ["-id"]
    paginator = BoundedPaginator
    show_full_result_count = False
    search_help_text = "A whole id of ours or of Stripe, or a part of an e-mail address."

    def get_search_results(self, request, queryset, search_term):
        term = search_term.strip()
        return (queryset.filter(_named(queryset.model, term)) if term else queryset), False


class CurrencyFilter(admin.SimpleListFilter):
    title = "currency"
    parameter_name = "currency"

    def lookups(self, request, model_admin):
        return [(code, code.upper()) for code in settings.COURSE_CURRENCIES]

    def queryset(self, request, queryset):
        return queryset.filter(currency=self.value()) if self.value() else queryset


class EventTypeFilter(admin.SimpleListFilter):
    title = "type"
    parameter_name = "type"

    def lookups(self, request, model_admin):
        return [(kind, kind) for kind in EVENTS]

    def queryset(self, request, queryset):
        return queryset.filter(type=self.value()) if self.value() else queryset


def _named(model, term):
    """The rows that a term leads to, each step along an index: no join is searched from end to end."""
    if (public_id := _uuid(term)) is not None:
        return _of(model, *_by_public_id(public_id))
    if "_" in term and "@" not in term:
        return _of(model, set(), _payments_by_stripe_id(term)) | _itself(model, term)
    people = list(get_user_model().objects.filter(email__icontains=term).values_list("pk", flat=True)[:MOST_PEOPLE])
    return _of(model, set(Order.objects.filter(user__in=people).values_list("pk", flat=True)), set())


def _of(model, orders, payments):
    """What belongs to these orders and payments."""
    if model is Order:
        owners = Payment.objects.filter(pk__in=payments).values_list("order_id", flat=True)
        return Q(pk__in=orders | {pk for pk in owners if pk})
    payments = payments | set(Payment.objects.filter(order__in=orders).values_list("pk", flat=True))
    return Q(pk__in=payments) if model is Payment else Q(payment__in=payments)


def _itself(model, term):
    """An event or a refund whose payment is not known here."""
    return Q(event_id=term) | Q(type__in=EVENTS, object_id=term) if model is WebhookEvent else Q(pk__in=[])


def _uuid(term):
    try:
        return UUID(term)
    except ValueError:
        return None


def _by_public_id(public_id):
    orders = Order.objects.filter(public_id=public_id).values_list("pk", flat=True)
    payments = Payment.objects.filter(public_id=public_id).values_list("pk", flat=True)
    refunded = Refund.objects.filter(public_id=public_id).values_list("payment_id", flat=True)
    return set(orders), {*payments, *refunded}


def _payments_by_stripe_id(term):
    found = Payment.objects.filter(Q(session_id=term) | Q(stripe_payment_intent=term)).values_list("pk", flat=True)
    refunded = Refund.objects.filter(stripe_id=term).values_list("payment_id", flat=True)
    disputed = Dispute.objects.filter(stripe_id=term).values_list("payment_id", flat=True)
    told = WebhookEvent.objects.filter(event_id=term, payment__isnull=False).values_list("payment_id", flat=True)
    charged = Payment.objects.filter(charge_id=term).values_list("pk", flat=True) if term.startswith("ch_") else []
    return {*found, *refunded, *disputed, *told, *charged}
