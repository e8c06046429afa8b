"""Pictures of films: the poster, and tiles of the sprite sheet."""

import io
import sys

import pytest
from PIL import Image

from videos.hosted.models import HostedVideo, Package, Scheme
from videos.hosted.services.playback import picture_tokens, pictures
from videos.hosted.tests.making import make_hosted_video, make_published_video, packaged
from videos.providers.registry import providers

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]
POSTER_SECOND = 0.4
"""A tenth of the film."""


def show(client, copy, second, **sizes):
    answer = client.get(providers["hosted"].thumbnail_url(copy.host_id, second=second, **sizes))
    assert (answer.status_code, answer["Content-Type"]) == (200, "image/jpeg")
    return Image.open(io.BytesIO(answer.content)).convert("RGB")


def apart(one, other):
    """How far two pictures of one size differ, 0 to 255."""
    pairs = zip(one.tobytes(), other.tobytes(), strict=True)
    return sum(abs(a - b) for a, b in pairs) / len(one.tobytes())


def test_the_nearest_tile_is_shown_and_the_poster_at_its_own_second(hosted, client):
    copy, _ = make_published_video(scheme=Scheme.OPEN)
    sheet = Image.open(packaged(Scheme.OPEN) / "sprite.jpg").convert("RGB")
    tiles = [sheet.crop((left, top, left + 80, top + 45)) for top in (0, 45) for left in (0, 80)]
    for second, number in ((0, 0), (0.9, 1), (2.2, 2), (99, 3)):
        shown = show(client, copy, second)
        assert min(range(4), key=lambda other, shown=shown: apart(shown, tiles[other])) == number
    poster = client.get(providers["hosted"].thumbnail_url(copy.host_id, second=POSTER_SECOND))
    assert poster.content == (packaged(Scheme.OPEN) / "poster.jpg").read_bytes()


@pytest.mark.parametrize(
    ("sizes", "size"),
    [({"width": 160}, (160, 90)), ({"height": 45}, (80, 45)), ({"width": 100, "height": 100}, (100, 100)),
     ({"width": 1920}, (320, 180)), ({"width": 1920, "height": 1920}, (180, 180))],
)  # fmt: skip
def test_a_poster_is_scaled_down_never_up(hosted, client, sizes, size):
    copy, _ = make_published_video(scheme=Scheme.OPEN)
    assert show(client, copy, POSTER_SECOND, **sizes).size == size


def test_without_pillow_the_poster_serves_for_every_second(hosted, client, monkeypatch):
    copy, _ = make_published_video(scheme=Scheme.OPEN)
    monkeypatch.setitem(sys.modules, "PIL", None)
    monkeypatch.delitem(sys.modules, "videos.hosted.services.playback.cutting", raising=False)
    answer = client.get(providers["hosted"].thumbnail_url(copy.host_id, second=3, width=16))
    assert answer.content == (packaged(Scheme.OPEN) / "poster.jpg").read_bytes()


def test_the_video_s_thumbnail_leads_there(hosted, client):
    _, video = make_published_video(scheme=Scheme.OPEN)
    video.access_level = "public"
    video.save()
    answer = client.get(client.get(f"/api/videos/{video.pk}/thumbnail/?second=1&width=64")["Location"])
    assert (answer.status_code, answer["Content-Type"]) == (200, "image/jpeg")


def test_what_has_no_picture_says_so(hosted, client):
    waiting, _ = make_hosted_video()
    drawn, _ = make_published_video(scheme=Scheme.OPEN)
    lost, _ = make_published_video(scheme=Scheme.OPEN)
    Package.objects.filter(video=drawn).update(pictures={})
    hosted.get_store().delete_all(lost.prefix)
    gone, _ = make_published_video(scheme=Scheme.OPEN)
    HostedVideo.objects.filter(pk=gone.pk).update(deleted_at="2026-01-01T00:00Z")
    for copy in (waiting, drawn, lost, gone):
        answer = client.get(providers["hosted"].thumbnail_url(copy.host_id, second=1))
        assert (answer.status_code, answer.json()["errors"][0]["code"]) == (404, "no_thumbnail")


def test_an_address_is_the_same_for_minutes_and_ends(hosted, client, monkeypatch):
    copy, _ = make_published_video(scheme=Scheme.OPEN)
    now = 1_800_000_000.0
    monkeypatch.setattr(picture_tokens.time, "time", lambda: now)
    urls = {providers["hosted"].thumbnail_url(copy.host_id, second=1, ttl_s=600) for _ in range(2)}
    [url] = urls
    assert client.get(url).status_code == 200
    now += 600 + picture_tokens.STEP_S + 1
    ended = client.get(url)
    assert (ended.status_code, ended.json()["errors"][0]["code"]) == (403, "signature_invalid")


def test_a_forged_address_is_refused(hosted, client):
    copy, _ = make_published_video(scheme=Scheme.OPEN)
    url = pictures.picture_url(picture_tokens.Wanted(alias="hosted", host_id=copy.host_id, second=1), ttl_s=60)
    for forged in (url[:-3] + "/", url.replace("pictures/W", "pictures/X"), "/api/videos/pictures/x/"):
        assert client.get(forged).status_code == 403
