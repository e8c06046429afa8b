from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from payments.models import WebhookEvent
from payments.services import pruning
from payments.services.pruning import prune_webhook_events
from payments.tasks import prune_webhook_events as task

pytestmark = pytest.mark.django_db


def make_event(number: int, *, days: int, is_handled: bool = True) -> WebhookEvent:
    came = timezone.now() - timedelta(days=days)
    row = WebhookEvent.objects.create(
        event_id=f"evt_{number}",
        type="refund.created",
        object_id="re_1",
        livemode=False,
        handled_at=came if is_handled else None,
    )
    WebhookEvent.objects.filter(pk=row.pk).update(received_at=came)
    return row


def kept() -> set[str]:
    return set(WebhookEvent.objects.values_list("event_id", flat=True))


def test_handled_events_of_long_ago_go_and_waiting_ones_stay(settings):
    make_event(1, days=91)
    make_event(2, days=91, is_handled=False)
    make_event(3, days=89)
    task.delay()
    assert kept() == {"evt_2", "evt_3"}


def test_batches_end_at_the_first_young_page(monkeypatch, django_assert_num_queries):
    monkeypatch.setattr(pruning, "BATCH", 2)
    for number in range(8):
        make_event(number, days=100 if number < 3 else 1)
    with django_assert_num_queries(4):  # two pages, and what is old in each
        assert prune_webhook_events() == 3
    assert kept() == {f"evt_{number}" for number in range(3, 8)}


def test_the_command_counts_first_and_takes_no_time_that_is_none():
    make_event(1, days=40)
    printed = StringIO()
    call_command("prune_webhook_events", "--older-than", "30d", "--dry-run", stdout=printed)
    assert printed.getvalue() == "1 events would be deleted\n"
    call_command("prune_webhook_events", "--older-than", "30d", stdout=printed)
    assert kept() == set()
    with pytest.raises(CommandError, match="such as 90m, 48h or 30d"):
        call_command("prune_webhook_events", "--older-than", "0d")
    with pytest.raises(ValueError, match="PAYMENTS_EVENTS_KEPT_DAYS"):
        prune_webhook_events(older_than=timedelta(0))
