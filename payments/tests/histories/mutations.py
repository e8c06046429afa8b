"""Faults put into our services, to see that the histories find them. Nothing but the soak and its test uses these."""

import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from functools import partial
from typing import Any

from celery import current_app
from django.db.models import QuerySet
from django.utils import timezone

from courses.models import Enrollment
from courses.services import enrollments
from mailing import services as mailing
from payments.models import GIVEN_BACK, PaymentStatus
from payments.services import (
    checkout,
    fulfilment,
    money_back,
    money_in,
    recompute,
    reconcile,
    refunds,
    rights,
    sync,
    webhooks,
)

Change = tuple[object, str, Any]


@contextmanager
def mutated(name: str) -> Iterator[None]:
    """Our services with this fault; raises KeyError for a name that is not in MUTATIONS."""
    with ExitStack() as undo:
        for owner, attribute, value in MUTATIONS[name]():
            undo.callback(setattr, owner, attribute, getattr(owner, attribute))
            setattr(owner, attribute, value)
        yield


class _Anything:
    def __eq__(self, other: object) -> bool:
        return True

    def __ne__(self, other: object) -> bool:
        return False

    __hash__ = None  # type: ignore[assignment]


def _stale_answers() -> list[Change]:
    apply = sync.apply_reading
    return [
        (sync, "apply_reading", lambda reading, *, revision, also=None: apply(reading, revision=_Anything(), also=also))
    ]


def _mails_without_key() -> list[Change]:
    def queue(*, kind: str, key: str, reference: dict[str, Any]) -> object:
        return mailing.queue_mail(kind=kind, key=f"{key}:{uuid.uuid4()}", reference=reference)

    return [(module, "queue_mail", queue) for module in (money_in, fulfilment, money_back)]


def _settled_first() -> list[Change]:
    def process(row: Any) -> None:
        webhooks._settle(row)
        webhooks.work_of(row)(lambda payment: None)

    return [(webhooks, "_process", process)]


def _seen_is_done() -> list[Change]:
    record = webhooks._record

    def recorded(event: Any) -> Any:
        row, is_new = record(event)
        row.handled_at = row.handled_at if is_new else timezone.now()
        return row, is_new

    return [(webhooks, "_record", recorded)]


def _forgotten_claims() -> list[Change]:
    def claimed(found: Any) -> int:
        return sum(refund.amount_minor for refund in found if refund.stripe_id and refund.status in GIVEN_BACK)

    return [(recompute, "claimed_minor", claimed)]


def _no_enrollment_lock() -> list[Change]:
    def find(user: Any, course: Any) -> Enrollment | None:
        return Enrollment.objects.active().filter(user=user, course=course).first()

    return [(enrollments, "_lock_active", find)]


def _no_locks() -> list[Change]:
    return [(QuerySet, "select_for_update", lambda self, *args, **kwargs: self._chain())]


def _settled_again() -> list[Change]:
    return [(sync, "SETTLED", ())]


def _new_refund_keys() -> list[Change]:
    request = refunds._request
    return [(refunds, "_request", lambda refund: replace(request(refund), idempotency_key=str(uuid.uuid4())))]


def _new_checkout_keys() -> list[Change]:
    request = checkout.session_request
    return [
        (checkout, "session_request", lambda *args: replace(request(*args), idempotency_key=str(uuid.uuid4()))),
    ]


def _late_money_refused() -> list[Change]:
    take = sync.apply_session

    def taken(payment: Any, session: Any, order: Any) -> None:
        if payment.status != PaymentStatus.FAILED:
            take(payment, session, order)

    return [(sync, "apply_session", taken)]


def _mail_before_commit() -> list[Change]:
    return [(mailing, "enqueue", lambda name, *args: current_app.signature(name, args=args).apply_async())]


def _no_heirs() -> list[Change]:
    end = rights.end_right
    return [(rights, "end_right", lambda **values: end(**values | {"heirs": lambda: []}))]


def _nothing(*args: object) -> None:
    """Instead of a step that matters."""


def _without(owner: object, attribute: str) -> Callable[[], list[Change]]:
    return lambda: [(owner, attribute, _nothing)]


def _step_left_out(name: str) -> list[Change]:
    return [(reconcile, "_STEPS", {step: work for step, work in reconcile._STEPS.items() if step != name})]


MUTATIONS: dict[str, Callable[[], list[Change]]] = {
    "stale answers are applied": _stale_answers,
    "mails have no unique key": _mails_without_key,
    "mails are sent before the commit": _mail_before_commit,
    "an event is settled before its work": _settled_first,
    "an event seen is taken for done": _seen_is_done,
    "claimed refunds are forgotten": _forgotten_claims,
    "settled payments are taken again": _settled_again,
    "late money is refused": _late_money_refused,
    "enrollments are not locked": _no_enrollment_lock,
    "nothing is locked": _no_locks,
    "each try of a refund has a new key": _new_refund_keys,
    "each try of a checkout has a new key": _new_checkout_keys,
    "duplicates are kept": _without(fulfilment, "give_back_duplicates"),
    "a surplus is kept": _without(sync, "give_back_surplus"),
    "heirs of a right are not asked": _no_heirs,
    "lost refunds are not reconciled": partial(_step_left_out, reconcile.REFUNDS),
    "lost disputes are not reconciled": partial(_step_left_out, reconcile.DISPUTES),
    "unsent refunds are not resumed": partial(_step_left_out, reconcile.REFUNDS_TO_SEND),
    "open payments are not asked about": partial(_step_left_out, reconcile.OPEN_PAYMENTS),
}
