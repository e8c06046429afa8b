"""Refunds and disputes that Stripe lists and our rows lack, or hold differently."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import partial

from django.conf import settings
from django.core.cache import cache

from payments import stripe
from payments.errors import ObjectNotFound
from payments.models import INQUIRY, OPEN_DISPUTE, Dispute, Payment, Refund, RefundStatus
from payments.services.money_back import dispute_status, refund_status
from payments.services.repairs import Also, Run, pages
from payments.services.sync import sync_intent
from payments.stripe import DisputeState, RefundState

REFUNDS = "refunds at Stripe"
DISPUTES = "disputes at Stripe"

# From this window on, what waits for a bank is asked about as well, however old it is.
LONG_WINDOW = timedelta(days=1)
REFUND_WAITS_AT_MOST = timedelta(days=90)
FOREIGN_REMEMBERED_S = 7 * 24 * 3600

State = RefundState | DisputeState
Facts = tuple[str, int]


def bring_refunds(run: Run) -> None:
    """Sync the payments whose refunds at Stripe are missing here or differ."""
    waiting = (
        Refund.objects.select_related("payment")
        .filter(
            status__in=(RefundStatus.PENDING, RefundStatus.REQUIRES_ACTION),
            created_at__range=(run.now - REFUND_WAITS_AT_MOST, run.since),
        )
        .exclude(stripe_id=None)
    )
    _ask_about_waiting(run, REFUNDS, (refund.payment for page in pages(waiting, "created_at") for refund in page))
    _bring(run, _Kind(REFUNDS, "refund", _known_refunds, _refund_facts), stripe.list_refunds(since=run.since))


def bring_disputes(run: Run) -> None:
    """Sync the payments whose disputes at Stripe are missing here or differ."""
    waiting = Dispute.objects.select_related("payment").filter(
        status__in=(*INQUIRY, *OPEN_DISPUTE), created_at__lt=run.since
    )
    _ask_about_waiting(run, DISPUTES, (dispute.payment for page in pages(waiting, "status") for dispute in page))
    _bring(run, _Kind(DISPUTES, "dispute", _known_disputes, _dispute_facts), stripe.list_disputes(since=run.since))


@dataclass(frozen=True)
class _Kind:
    """Refunds or disputes: how their rows are found, and what of them has to be as it is at Stripe."""

    step: str
    word: str
    known: Callable[[Sequence[str]], dict[str, Facts]]
    facts: Callable[[State], Facts]


def _known_refunds(ids: Sequence[str]) -> dict[str, Facts]:
    rows = Refund.objects.filter(stripe_id__in=ids).values_list("stripe_id", "status", "amount_minor")
    return {str(stripe_id): (status, amount) for stripe_id, status, amount in rows}


def _known_disputes(ids: Sequence[str]) -> dict[str, Facts]:
    rows = Dispute.objects.filter(stripe_id__in=ids).values_list("stripe_id", "status", "amount_minor")
    return {stripe_id: (status, amount) for stripe_id, status, amount in rows}


def _refund_facts(state: State) -> Facts:
    return refund_status(state.status).value, state.amount_minor


def _dispute_facts(state: State) -> Facts:
    return dispute_status(state.status).value, state.amount_minor


def _ask_about_waiting(run: Run, step: str, payments: Iterable[Payment]) -> None:
    if run.window < LONG_WINDOW:
        return
    for payment in payments:
        work = partial(_sync_intent, str(payment.stripe_payment_intent))
        run.attempt(step, f"payment {payment.public_id}", work, partial(_same, payment))


def _bring(run: Run, kind: _Kind, listing: Iterator[State]) -> None:
    for chunk in run.listed(kind.step, listing):
        known = kind.known([state.id for state in chunk])
        news = [state for state in chunk if known.get(state.id) != kind.facts(state)]
        ours = _intents_of_ours(news)
        run.count(kind.step).foreign += sum(state.payment_intent_id not in ours for state in news)
        for state in news:
            if state.payment_intent_id in ours:
                _bring_one(run, kind, state)


def _bring_one(run: Run, kind: _Kind, state: State) -> None:
    if kind.known([state.id]).get(state.id) == kind.facts(state):  # an earlier one of the same payment brought it
        return
    intent, subject = state.payment_intent_id, f"{kind.word} {state.id}"
    look = Payment.objects.filter(stripe_payment_intent=intent).first
    asked = run.attempt(kind.step, subject, partial(_sync_intent, intent), look)
    if asked and not run.is_rehearsal and state.id not in kind.known([state.id]):
        run.problem(subject, "is not in our rows although Stripe was asked")


def _intents_of_ours(states: Sequence[State]) -> set[str]:
    """Those that our payments name, and those that carry our name though no payment has their id yet."""
    intents = {state.payment_intent_id for state in states if state.payment_intent_id}
    known = Payment.objects.filter(stripe_payment_intent__in=intents)
    ours = set(known.values_list("stripe_payment_intent", flat=True))
    labels = {s.payment_intent_id: s.metadata.get("env", "") for s in states if isinstance(s, RefundState)}
    foreign = cache.get_many([_foreign_key(intent) for intent in intents - ours])
    for intent in intents - ours:
        if _foreign_key(intent) in foreign:
            continue
        if (labels.get(intent) or _installation_of(intent)) == settings.PAYMENTS_ENV:
            ours.add(intent)
        else:
            cache.set(_foreign_key(intent), True, FOREIGN_REMEMBERED_S)
    return {str(intent) for intent in ours}


def _installation_of(intent: str) -> str:
    try:
        return stripe.intent_metadata(intent).get("env", "")
    except ObjectNotFound:
        return ""


def _foreign_key(intent: str) -> str:
    return f"payments:foreign:{settings.PAYMENTS_ENV}:{intent}"


def _same(payment: Payment) -> Payment:
    return payment


def _sync_intent(intent: str, also: Also) -> None:
    sync_intent(intent, also=also)
