"""Actions that are confirmed on a page of their own, done row by row, and reported and logged one by one."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.template.response import TemplateResponse

from payments.errors import (
    ForeignSession,
    ObjectNotFound,
    PaymentsError,
    ProviderMisconfigured,
    ProviderRejected,
    ProviderUnavailable,
    RefundRefused,
    UnknownSession,
)

logger = logging.getLogger(__name__)

ROWS_MAX = 100
_REFUSALS = {
    "nothing_left": "everything was given back already",
    "too_much": "that is more than is left",
    "not_paid": "nothing was paid",
    "disputed": "the payment is disputed: the bank decides",
}
_WORDS = (
    (ProviderUnavailable, "Stripe does not answer at the moment; try again in a minute"),
    (ProviderMisconfigured, "Stripe refuses our key: see the settings"),
    (ForeignSession, "it belongs to another installation on the same Stripe account"),
    (UnknownSession, "Stripe knows it, but no payment here does"),
    (ObjectNotFound, "Stripe does not know it"),
    (ProviderRejected, "Stripe refused"),
)


class Declined(Exception):
    """The action does not fit this row; its text says why."""


@dataclass(frozen=True, kw_only=True)
class Step:
    """What an action does to each row.

    `sentence(row)` says beforehand what will happen, `work(request, row)` does it and says what came of it; it raises
    Declined or PaymentsError. `kept(row)` is what the person has read of the row; `work` finds it as `row.read`.
    """

    title: str
    button: str
    sentence: Callable[[Any], str]
    work: Callable[[Any, Any], str]
    kept: Callable[[Any], str] = lambda row: ""


def in_words(error):
    """What went wrong, for an operator."""
    if isinstance(error, RefundRefused):
        return _REFUSALS.get(error.code, f"Stripe refused ({error.code})")
    return next((words for kind, words in _WORDS if isinstance(error, kind)), type(error).__name__)


def confirmed(model_admin, request, rows, step, *, back, action=""):
    """The page that asks, or None once the rows were worked on; `action` names the action of a list.

    More than ROWS_MAX rows are refused: each may wait for Stripe.
    """
    rows = list(rows[: ROWS_MAX + 1])
    if len(rows) > ROWS_MAX:
        model_admin.message_user(request, f"At most {ROWS_MAX} at once: choose fewer.", messages.ERROR)
        return None
    if request.method != "POST" or "confirmed" not in request.POST:
        return _ask(model_admin, request, rows, step, back, action)
    for row in rows:
        row.read = request.POST.get(f"read-{row.pk}", "").replace("\0", "")
        text, level = _done(request, row, step)
        model_admin.message_user(request, f"{row}: {text}", level)
        model_admin.log_change(request, row, f"{step.title}: {text}")
    return None


def _done(request, row, step):
    try:
        return step.work(request, row), messages.SUCCESS
    except Declined as reason:
        return str(reason), messages.WARNING
    except PaymentsError as error:
        logger.warning("%s of %s failed: %s", step.title, row, type(error).__name__)
        return in_words(error), messages.ERROR


def _ask(model_admin, request, rows, step, back, action):
    told = [{"row": row, "sentence": step.sentence(row), "kept": step.kept(row)} for row in rows]
    hidden = [(ACTION_CHECKBOX_NAME, row.pk) for row in rows] if action else []
    context = {
        **model_admin.admin_site.each_context(request),
        "opts": model_admin.model._meta,
        "title": step.title,
        "button": step.button,
        "told": told,
        "hidden": [*hidden, *([("action", action)] if action else [])],
        "back": back,
    }
    return TemplateResponse(request, "admin/payments/confirm.html", context)
