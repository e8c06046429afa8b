import logging
from datetime import timedelta

import pytest
from django.core.management import call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from videos.models import RefusedStart, UnusualUse
from videos.services.unusual import dismiss, find_unusual_use, network_of
from videos.tests.factories import make_video
from videos.tests.viewings import make_viewer, make_viewing

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _low_limits(settings):
    settings.VIDEO_UNUSUAL_LIMITS = {"many_addresses": 2, "many_devices": 2, "many_videos": 3, "many_refusals": 2}


def found():
    return [(finding.kind, finding.figure) for finding in find_unusual_use()]


def watch(viewer, number=3, **overrides):
    video = overrides.pop("video", None) or make_video()
    for n in range(number):
        values = {key: value(n) if callable(value) else value for key, value in overrides.items()}
        make_viewing(viewer=viewer, video=video, **values)


def test_networks_are_counted_and_not_addresses():
    watch(make_viewer(), 5, ip=lambda n: f"203.0.113.{n}")
    watch(make_viewer(), 5, ip=lambda n: f"2001:db8:1:{n}::1")
    assert found() == []
    watch(make_viewer(), 3, ip=lambda n: f"203.0.{n}.7")
    assert found() == [("many_addresses", 3)]


@pytest.mark.parametrize(
    ("address", "network"),
    [("203.0.113.77", "203.0.113.0/24"), ("2001:db8:1:2::3", "2001:db8:1::/48")],
)
def test_an_address_belongs_to_a_network(address, network):
    assert network_of(address) == network


def test_devices_above_the_limit_are_reported():
    watch(make_viewer(), 2, device_id=lambda n: f"device-{n}")
    assert found() == []
    watch(make_viewer(), 3, device_id=lambda n: f"device-{n}")
    assert found() == [("many_devices", 3)]


def test_different_videos_within_any_hour_are_counted():
    now, slow, fast = timezone.now(), make_viewer(), make_viewer()
    for n in range(5):
        make_viewing(viewer=slow, created_at=now - timedelta(minutes=31 * n))
        make_viewing(viewer=fast, created_at=now - timedelta(hours=20, minutes=10 * n))
    watch(make_viewer(), 9)
    assert found() == [("many_videos", 5)]
    assert UnusualUse.objects.get().viewer == fast


def test_refused_starts_are_counted():
    viewer, video = make_viewer(), make_video()
    for n in range(3):
        RefusedStart.objects.create(viewer=viewer, video=video, code="not_enrolled", device_id=f"device-{n % 2}")
        RefusedStart.objects.create(viewer=None, video=video, code="not_authenticated")
    assert found() == [("many_refusals", 3)]


def test_what_is_a_day_old_and_who_does_not_count_is_left_out():
    old = timezone.now() - timedelta(hours=24, minutes=1)
    watch(make_viewer(), 5, device_id=lambda n: f"device-{n}", created_at=old)
    watch(make_viewer(), 5, device_id=lambda n: f"device-{n}", is_counted=False)
    assert found() == []


def test_a_finding_is_one_row_a_day_whose_figure_only_grows(caplog):
    viewer = make_viewer()
    watch(viewer, 3, device_id=lambda n: f"device-{n}")
    with caplog.at_level(logging.WARNING, "videos"):
        assert [finding.is_new for finding in find_unusual_use()] == [True]
        assert [finding.is_new for finding in find_unusual_use()] == [False]
    assert len(caplog.records) == 1
    assert f"viewer {viewer.pk}" in caplog.text
    watch(viewer, 1, device_id="another")
    find_unusual_use()
    assert UnusualUse.objects.get().figure == 4
    viewer.sessions.filter(device_id="another").delete()
    find_unusual_use()
    assert UnusualUse.objects.get().figure == 4
    assert dismiss([UnusualUse.objects.get().pk]) == 1
    assert dismiss([UnusualUse.objects.get().pk]) == 0
    assert [finding.is_new for finding in find_unusual_use()] == [False]
    assert UnusualUse.objects.get().dismissed_at is not None


def test_the_command_ends_with_1_for_somebody_new_alone(capsys):
    call_command("find_unusual_use")
    assert "nothing unusual" in capsys.readouterr().out
    watch(make_viewer(), 3, device_id=lambda n: f"device-{n}")
    with pytest.raises(SystemExit) as ended:
        call_command("find_unusual_use")
    assert ended.value.code == 1
    assert "watched on many devices" in capsys.readouterr().out
    call_command("find_unusual_use")


def test_older_rows_are_not_read(monkeypatch):
    monkeypatch.setattr("videos.services.unusual._CHUNK", 10)
    old = timezone.now() - timedelta(days=3)
    viewer, video = make_viewer(), make_video()
    watch(viewer, 60, video=video, created_at=old)
    watch(viewer, 15, video=video, device_id=lambda n: f"device-{n}")
    with CaptureQueriesContext(connection) as asked:
        assert found() == [("many_devices", 15)]
    reads = [query for query in asked.captured_queries if 'FROM "videos_playbacksession"' in query["sql"]]
    assert len(reads) == 3
