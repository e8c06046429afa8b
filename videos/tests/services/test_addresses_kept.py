from datetime import timedelta

import pytest
from django.core.management import call_command
from django.utils import timezone

from videos.models import PlaybackSession, RefusedStart, Viewer
from videos.services import addresses_kept
from videos.tests.factories import make_user, make_video

pytestmark = pytest.mark.django_db


def make_rows(days_ago, number=1, **overrides):
    created_at = timezone.now() - timedelta(days=days_ago)
    video, viewer = make_video(), Viewer.objects.create(user=make_user())
    known = {"ip": "203.0.113.7", "user_agent": "Firefox"} | overrides
    for _ in range(number):
        PlaybackSession.objects.create(
            viewer=viewer,
            video=video,
            device_id="one",
            door="playback",
            created_at=created_at,
            expires_at=created_at,
            position_s=5,
            **known,
        )
        RefusedStart.objects.create(viewer=viewer, video=video, code="x", ip=known["ip"], created_at=created_at)


def addresses() -> list:
    return sorted(PlaybackSession.objects.values_list("ip", "user_agent"), key=str)


def test_addresses_are_forgotten_after_their_time_and_nothing_else(settings):
    settings.VIDEO_ADDRESS_DAYS = 30
    make_rows(31)
    make_rows(29)
    assert addresses_kept.forget_addresses() == 2
    assert addresses() == [("203.0.113.7", "Firefox"), (None, "")]
    assert sorted(RefusedStart.objects.values_list("ip", flat=True), key=str) == ["203.0.113.7", None]
    assert PlaybackSession.objects.filter(position_s=5).count() == 2
    assert addresses_kept.forget_addresses() == 0


def test_a_browsers_name_goes_without_an_address_too():
    make_rows(100, ip=None)
    assert addresses_kept.forget_addresses() == 1
    assert addresses() == [(None, "")]


def test_many_are_done_in_batches(monkeypatch):
    monkeypatch.setattr(addresses_kept, "BATCH", 2)
    make_rows(100, number=5)
    told = []
    assert addresses_kept.forget_addresses(on_batch=told.append) == 10
    assert told == [2, 4, 5, 7, 9, 10]


def test_a_dry_run_counts_and_changes_nothing(capsys):
    make_rows(100, number=3)
    call_command("forget_addresses", "--dry-run")
    assert "6 rows hold an address" in capsys.readouterr().out
    assert addresses() == [("203.0.113.7", "Firefox")] * 3
    call_command("forget_addresses")
    assert "6 rows have forgotten" in capsys.readouterr().out
