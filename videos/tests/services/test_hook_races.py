"""Real threads against the real database: hooks that arrive at the same moment."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection
from django.utils import timezone

from videos.models import Asset, AssetStatus, WebhookEvent, WebhookRefusal
from videos.providers.types import WebhookEvent as Event
from videos.providers.types import WebhookKind
from videos.services.assets import poll_assets
from videos.services.hooks import count_refusal, take_events
from videos.tests.factories import make_video

pytestmark = pytest.mark.django_db(transaction=True)

AT_ONCE = 8


def at_once(call):
    """Call eight times at the same moment, with the number of each; raises what any of them raised."""
    barrier = threading.Barrier(AT_ONCE)

    def run(number):
        barrier.wait(timeout=10)
        try:
            return call(number)
        finally:
            connection.close()

    with ThreadPoolExecutor(AT_ONCE) as pool:
        return list(pool.map(run, range(AT_ONCE)))


def poll_whatever_is_left():
    """Questions that cross each other may leave one more to the next poll."""
    Asset.objects.filter(next_poll_at__isnull=False).update(next_poll_at=timezone.now())
    poll_assets()


@pytest.mark.parametrize("distinct", [1, AT_ONCE])
def test_hooks_that_arrive_at_once_are_each_kept_once_and_end_in_one_state(sandbox, settings, distinct):
    host_id = sandbox.cloudflare.add_video(state="ready")
    video = make_video(asset={"provider": "cloudflare", "host_id": host_id, "status": AssetStatus.PROCESSING})

    def take(number):
        event = Event(kind=WebhookKind.ASSET_CHANGED, host_id=host_id, event_id=str(number % distinct), is_hint=False)
        take_events("cloudflare", [event], b"{}")

    at_once(take)
    poll_whatever_is_left()
    events = WebhookEvent.objects.all()
    assert sorted(event.times_received for event in events) == [AT_ONCE // distinct] * distinct
    assert [event.last_error or "never asked" for event in events if not event.handled_at] == []
    asset = video.assets.get()
    assert (asset.status, asset.next_poll_at, asset.announced_status) == (AssetStatus.READY, None, AssetStatus.READY)


def test_refusals_at_once_are_all_counted():
    at_once(lambda number: count_refusal("cloudflare", "invalid_signature"))
    assert WebhookRefusal.objects.get().count == AT_ONCE
