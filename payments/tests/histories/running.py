"""One history from its first step to the proof that nothing was lost, doubled or left ungranted."""

import logging
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import stripe
from django.apps import apps
from django.db import connection
from django.test import override_settings
from django.utils import timezone

from mailing import services as mailing
from mailing.models import OutgoingMail
from payments.services.reconcile import reconcile
from payments.tests.histories.actions import happen
from payments.tests.histories.audit import auditing
from payments.tests.histories.comparison import backward_steps, differences
from payments.tests.histories.crew import Crew
from payments.tests.histories.steps import History, shorten
from payments.tests.histories.world import World
from sandbox.server import Sandbox

# In an order in which they can be emptied.
EMPTIED = (
    *("payments_webhookevent", "payments_refunditem", "payments_refund", "payments_dispute", "payments_payment"),
    *("payments_orderitem", "payments_order", "courses_enrollment", "mailing_outgoingmail", "history_audit"),
)
SNAPSHOT = ("payments", "mailing", "courses")
SHORTENED_FOR_S = 60.0
SDK_WAITS_S = 0.001
CHANGES_BY_ITSELF = ("updated_at", "attempts", "last_error")


class Broken(AssertionError):
    """A history that ended otherwise than Stripe's books say."""


@contextmanager
def stage() -> Iterator[Crew]:
    """Eight workers, a database that notes every change of a state, and an SDK that does not wait to ask again."""
    usual = stripe.HTTPClient.INITIAL_DELAY, stripe.HTTPClient.MAX_DELAY
    stripe.HTTPClient.INITIAL_DELAY = stripe.HTTPClient.MAX_DELAY = SDK_WAITS_S
    try:
        with auditing(), Crew() as crew:
            yield crew
    finally:
        stripe.HTTPClient.INITIAL_DELAY, stripe.HTTPClient.MAX_DELAY = usual


def run_history(sandbox: Sandbox, crew: Crew, history: History) -> Counter[str]:
    """Let it happen, repair once, and compare; gives what was met. Raises Broken, which tells every difference."""
    _clear(sandbox)
    with override_settings(**_policies(history)), _silence():
        world = World(sandbox, crew, history)
        try:
            _happen_and_compare(world)
        except Exception as error:  # whatever it is, the history that led to it has to be told
            if isinstance(error, Broken):
                raise
            _fail_if(world, "while it happened", [*world.problems, repr(error)], cause=error)
    world.counts["histories"] += 1
    return world.counts


def _happen_and_compare(world: World) -> None:
    happen(world)
    if world.history.is_lossless:
        world.resume()
        _fail_if(world, "before any repair", [*world.problems, *differences(world, are_mails_sent=False)])
    _repair(world)
    world.settle()
    _send_mails()
    found = [*world.problems, *backward_steps(world), *differences(world, are_mails_sent=True)]
    _fail_if(world, "after one repair", found)
    before = _snapshot()
    _repair(world)
    _fail_if(world, "by a second repair", _changed(before, _snapshot()))


def check(sandbox: Sandbox, crew: Crew, history: History, *, seed: int, shortens: bool = True) -> Counter[str]:
    """As `run_history`; a broken history is told with its seed, and in the plainest form that is found in a minute."""

    def is_broken(plainer: History) -> bool:
        try:
            counts.update(run_history(sandbox, crew, plainer))
        except Broken as error:
            told.append(str(error))
            return True
        return False

    counts: Counter[str] = Counter()
    told: list[str] = []
    if not is_broken(history):
        return counts
    if shortens:
        shorten(history, is_broken, seconds=SHORTENED_FOR_S)
    raise Broken(f"seed {seed}, {told[-1]}" + (f"\n\nAt first {told[0]}" if len(told) > 1 else ""))


def _fail_if(world: World, when: str, found: list[str], *, cause: Exception | None = None) -> None:
    if found:
        told = "".join(f"\n  - {each}" for each in found)
        raise Broken(f"{when}:{told}\n{world.history!r}\n{_told(world)}") from cause


def _told(world: World) -> str:
    events = [f"{event['type']} {event['data']['object']['id'][:12]}" for event in world.sandbox.stripe.events()]
    return f"events: {', '.join(events)}"


def _repair(world: World) -> None:
    """One run an hour later, when nothing is too young to be looked at."""
    run = reconcile(window=timedelta(days=3), now=timezone.now() + timedelta(hours=1))
    world.counts["repairs"] += len(run.changes)
    failed = [f"{subject}: {text}" for subject, text in run.problems.items() if text.startswith("failed")]
    world.problems += [*failed, *([run.stopped] if run.stopped else [])]


def _send_mails() -> None:
    """What the sweep sends once the leases of dead workers are over."""
    OutgoingMail.objects.filter(status=OutgoingMail.Status.WAITING).update(due_at=timezone.now())
    mailing.sweep()


def _policies(history: History) -> dict[str, object]:
    return {
        "PAYMENTS_PROMOTION_CODES": True,
        "PAYMENTS_DOUBLE_PAYMENT": history.double_payment,
        "PAYMENTS_DISPUTE_OPENED": history.dispute_opened,
        "PAYMENTS_DISPUTE_WON": history.dispute_won,
        "PAYMENTS_DISPUTE_LOST": history.dispute_lost,
    }


def _clear(sandbox: Sandbox) -> None:
    sandbox.reset()
    with connection.cursor() as cursor:
        for table in EMPTIED:
            cursor.execute(f"DELETE FROM {table}")


@contextmanager
def _silence() -> Iterator[None]:
    """Errors are meant to be met by the thousand, and are seen in the rows."""
    logging.disable(logging.CRITICAL)
    try:
        yield
    finally:
        logging.disable(logging.NOTSET)


def _snapshot() -> dict[str, list[dict[str, Any]]]:
    return {
        model._meta.label: [
            {name: value for name, value in row.items() if name not in CHANGES_BY_ITSELF}
            for row in model._default_manager.order_by("pk").values()
        ]
        for label in SNAPSHOT
        for model in apps.get_app_config(label).get_models()
        if model._meta.db_table in EMPTIED
    }


def _changed(before: dict[str, list[dict[str, Any]]], after: dict[str, list[dict[str, Any]]]) -> list[str]:
    found = []
    for name, rows in after.items():
        found += [f"{name} changed: {row}" for row in rows if row not in before[name]]
    return found
