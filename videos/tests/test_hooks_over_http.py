"""The stand-in's own hooks, over HTTP to a running server: what arrives twice, late, not at all or badly signed."""

import time

import pytest

from videos.models import Asset, AssetStatus, WebhookEvent, WebhookRefusal
from videos.services.assets import refresh_asset
from videos.tests.factories import make_video

pytestmark = pytest.mark.django_db(transaction=True)

DOORS = "/api/videos/webhooks"


@pytest.fixture
def under_way(sandbox, live_server):
    """A copy that the stand-in for Cloudflare Stream has under way, and whose hook comes to this server."""
    sandbox.context.webhooks.cloudflare_url = f"{live_server.url}{DOORS}/cloudflare/"
    host_id = sandbox.cloudflare.add_video(state="inprogress")
    video = make_video(asset={"provider": "cloudflare", "host_id": host_id, "status": AssetStatus.PROCESSING})
    return video.assets.get()


def wait_for(condition):
    ends_at = time.monotonic() + 10
    while time.monotonic() < ends_at:
        found = condition()
        if found:
            return found
        time.sleep(0.05)
    raise AssertionError("It did not happen within 10 s.")


def handled(times):
    return WebhookEvent.objects.filter(times_received=times, handled_at__isnull=False).first()


@pytest.mark.parametrize(("faults", "times"), [({}, 1), ({"duplicate": 3}, 3), ({"delay_ms": 300}, 1)])
def test_a_hook_makes_the_video_ready_however_it_arrives(sandbox, under_way, faults, times):
    if faults:
        sandbox.fault(service="cloudflare", webhook=faults)
    sandbox.cloudflare.set_state(under_way.host_id, "ready")
    wait_for(lambda: handled(times))
    under_way.refresh_from_db()
    assert under_way.status == AssetStatus.READY


def test_a_hook_of_a_wrong_sender_changes_nothing_and_is_counted(sandbox, under_way):
    sandbox.fault(service="cloudflare", webhook={"wrong_secret": True})
    sandbox.cloudflare.set_state(under_way.host_id, "ready")
    wait_for(lambda: WebhookRefusal.objects.filter(code="invalid_signature").exists())
    assert Asset.objects.get(pk=under_way.pk).status == AssetStatus.PROCESSING
    assert not WebhookEvent.objects.exists()


def test_a_hook_that_never_comes_is_made_good_by_the_poll(sandbox, under_way):
    sandbox.fault(service="cloudflare", webhook={"drop": True})
    sandbox.cloudflare.set_state(under_way.host_id, "ready")
    refresh_asset(under_way.pk)
    under_way.refresh_from_db()
    assert under_way.status == AssetStatus.READY
