"""Media files through this server, a stretch at a time."""

import tracemalloc
from datetime import timedelta

import pytest
from django.utils import timezone

from videos.hosted.deliveries.x_accel import XAccelDelivery
from videos.hosted.models import Scheme
from videos.hosted.services.playback import media
from videos.hosted.services.playback.media import Stretch, Unsatisfiable, wanted_stretch
from videos.hosted.stores.local import LocalStore
from videos.hosted.tests.deliveries import configure
from videos.hosted.tests.making import make_published_video, packaged
from videos.hosted.tests.serving import granted, statements
from videos.models import PlaybackSession, SessionState
from videos.tests.viewings import make_viewing

EXPOSED = "Accept-Ranges, Content-Length, Content-Range"


@pytest.fixture
def url(hosted, db):
    """The address of an open film's picture."""
    _, video = make_published_video(scheme=Scheme.OPEN)
    return f"/api/videos/media/{granted(video).playback.url.split('/')[-2]}/v180.mp4"


def film():
    return (packaged(Scheme.OPEN) / "v180.mp4").read_bytes()


@pytest.mark.parametrize(
    ("wanted", "first", "length"),
    [
        *(("bytes=0-0", 0, 1), ("bytes=10-19", 10, 10), ("bytes=90-", 90, 10), ("bytes=90-5000", 90, 10)),
        *(("bytes=-10", 90, 10), ("bytes=-500", 0, 100), (" bytes=99-99 ", 99, 1)),
    ],
)
def test_a_range_is_the_stretch_of_it_that_there_is(wanted, first, length):
    assert wanted_stretch(wanted, 100) == Stretch(first=first, length=length, total=100)


@pytest.mark.parametrize(
    "wanted",
    [
        "",
        "bytes=",
        "bytes=-",
        "bytes=0-1,5-6",
        "bytes=9-3",
        "items=0-1",
        "bytes=a-b",
        "bytes=0x1-2",
        "bytes=" + "9" * 40,
    ],
)
def test_a_range_that_is_none_asks_for_the_whole_file(wanted):
    assert wanted_stretch(wanted, 100) is None


@pytest.mark.parametrize(
    ("wanted", "total"), [("bytes=100-", 100), ("bytes=100-200", 100), ("bytes=-0", 100), ("bytes=0-", 0)]
)
def test_a_range_without_a_byte_cannot_be_satisfied(wanted, total):
    with pytest.raises(Unsatisfiable):
        wanted_stretch(wanted, total)


def test_a_player_gets_the_stretch_it_asks_for(url, client):
    answer = client.get(url, HTTP_RANGE="bytes=1000-1999", HTTP_IF_RANGE='"of another time"')
    assert (answer.status_code, answer.getvalue()) == (206, film()[1000:2000])
    assert answer["Content-Range"] == f"bytes 1000-1999/{len(film())}"
    assert (answer["Content-Length"], answer["Content-Type"]) == ("1000", "video/mp4")
    assert answer["Cache-Control"] == "private, max-age=86400, immutable"
    end = client.get(url, HTTP_RANGE="bytes=-5")
    assert (end.status_code, end.getvalue()) == (206, film()[-5:])


def test_without_a_range_it_gets_all(url, client):
    for headers in ({}, {"HTTP_RANGE": "bytes=0-1,5-6"}):
        answer = client.get(url, **headers)
        assert (answer.status_code, answer.getvalue(), answer["Accept-Ranges"]) == (200, film(), "bytes")
        assert "Content-Range" not in answer


def test_a_head_tells_the_size_and_opens_nothing(url, client):
    answer = client.head(url, HTTP_RANGE="bytes=0-9")
    assert (answer.status_code, answer["Content-Length"], answer.content) == (200, str(len(film())), b"")


def test_a_range_behind_the_end_is_refused_with_the_size(url, client):
    answer = client.get(url, HTTP_RANGE=f"bytes={len(film())}-")
    assert (answer.status_code, answer["Content-Range"]) == (416, f"bytes */{len(film())}")


def test_a_stretch_costs_one_statement(url, client):
    client.get(url).getvalue()
    assert statements(lambda: client.get(url, HTTP_RANGE="bytes=0-9").getvalue()) == 1


def test_pages_of_any_origin_may_load_it_and_read_what_they_got(url, client):
    asked = {"HTTP_ORIGIN": "https://elsewhere.example.test"}
    before = client.options(url, **asked, HTTP_ACCESS_CONTROL_REQUEST_METHOD="GET")
    assert (before.status_code, before["Access-Control-Allow-Origin"]) == (204, "*")
    assert "Range" in before["Access-Control-Allow-Headers"]
    answers = [
        client.get(url, **asked, HTTP_RANGE="bytes=0-9"),
        client.get(url, **asked, HTTP_RANGE="bytes=999999999-"),
        client.get("/api/videos/media/forged/v180.mp4", **asked),
    ]
    assert [(answer.status_code, len(answer.getvalue()) > 0) for answer in answers] == [
        *((206, True), (416, False), (403, True)),
    ]
    for answer in answers:
        assert answer["Access-Control-Allow-Origin"] == "*"
        assert answer["Access-Control-Expose-Headers"] == EXPOSED
        assert "Access-Control-Allow-Credentials" not in answer


def test_only_reading_is_allowed(url, client):
    assert [client.generic(method, url).status_code for method in ("POST", "PUT", "PATCH", "DELETE")] == [405] * 4


def test_a_player_may_name_any_type_it_plays(url, client):
    assert client.get(url, HTTP_ACCEPT="video/mp4", HTTP_RANGE="bytes=0-9").getvalue() == film()[:10]
    assert client.get("/api/videos/media/forged/v180.mp4", HTTP_ACCEPT="video/mp4").status_code == 403


def test_a_large_file_is_sent_in_blocks(hosted, tmp_path):
    path = tmp_path / "store" / "big.mp4"
    path.parent.mkdir()
    with path.open("wb") as file:
        file.truncate(20_000_000)
    stretch = Stretch(first=1, length=19_999_999, total=20_000_000)
    blocks = media.Media(content_type="video/mp4", stretch=stretch, store=hosted.get_store(), key="big.mp4").blocks()
    tracemalloc.start()
    sent = sum(len(block) for block in blocks)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    blocks.close()
    assert (sent, peak < 4 * media.BLOCK_BYTES) == (19_999_999, True)


def test_a_file_is_closed_though_nobody_read_it(hosted, tmp_path):
    (tmp_path / "store").mkdir()
    (tmp_path / "store" / "a.mp4").write_bytes(b"film")
    stretch = Stretch(first=0, length=4, total=4)
    found = media.Media(content_type="video/mp4", stretch=stretch, store=hosted.get_store(), key="a.mp4")
    blocks = found.blocks()
    blocks.close()
    with pytest.raises(ValueError, match="closed"):
        next(blocks)


@pytest.mark.django_db
def test_a_bucket_that_is_down_is_said_to_be_down(settings, tmp_path, client):
    configure(settings, tmp_path, "bucket-django")
    _, video = make_published_video(scheme=Scheme.OPEN)
    token = granted(video).playback.url.split("/")[-2]
    settings.VIDEO_PROVIDERS["hosted"]["OPTIONS"]["store"]["OPTIONS"] |= {
        "endpoint_url": "http://127.0.0.1:9",
        "tries": 1,
    }
    answer = client.get(f"/api/videos/media/{token}/v180.mp4")
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (503, "host_unavailable")


def test_x_accel_says_what_does_not_fit():
    store = LocalStore(root="/films")
    assert XAccelDelivery().problems(store) == ()
    assert XAccelDelivery().origins(store) == ()
    [slashes, bucket] = XAccelDelivery(internal_prefix="films").problems(object())
    assert "slash" in slashes
    assert "bucket" in bucket


def test_an_address_tells_nobody_what_else_its_viewer_watches(url, client):
    session = PlaybackSession.objects.get()
    PlaybackSession.objects.update(max_streams=1, lease_expires_at=None)
    make_viewing(
        viewer=session.viewer,
        state=SessionState.ISSUED,
        device_id="elsewhere",
        lease_expires_at=timezone.now() + timedelta(seconds=30),
    )
    answer = client.get(url)
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (409, "too_many_streams")
    assert answer.json()["sessions"] == []
