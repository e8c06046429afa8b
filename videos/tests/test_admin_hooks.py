import pytest
from django.contrib.auth.models import Permission

from videos.models import WebhookEvent, WebhookRefusal
from videos.services.hooks import count_refusal
from videos.tests.factories import make_user

pytestmark = pytest.mark.django_db

EVENTS = "/admin/videos/webhookevent/"
REFUSALS = "/admin/videos/webhookrefusal/"


@pytest.fixture(autouse=True)
def _ledger():
    WebhookEvent.objects.create(provider="cloudflare", key="1", host_id="a-video", kind="asset_changed")
    count_refusal("cloudflare", "invalid_signature")


def test_the_ledger_and_the_refusals_are_shown_to_who_sees_all_videos(client):
    client.force_login(make_user(is_staff=True, is_superuser=True))
    assert "a-video" in client.get(EVENTS).content.decode()
    assert "invalid_signature" in client.get(REFUSALS).content.decode()
    event = WebhookEvent.objects.get()
    assert client.get(f"{EVENTS}{event.pk}/change/").status_code == 200
    assert client.post(f"{EVENTS}{event.pk}/delete/").status_code == 403
    assert client.get(f"{EVENTS}add/").status_code == 403
    assert client.get(f"{EVENTS}?handled_at__isempty=1").status_code == 200


def test_other_staff_do_not_see_them(client):
    user = make_user(is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=["view_webhookevent", "view_video"]))
    client.force_login(user)
    assert client.get(EVENTS).status_code == 403
    assert WebhookRefusal.objects.count() == 1
