"""From the grant to frames: what a player loads over HTTP, decrypted with the key that it is given."""

import base64
import gzip
import re
import subprocess
from datetime import timedelta
from functools import cache
from urllib.parse import urljoin, urlsplit
from uuid import uuid4
from xml.etree import ElementTree

import pytest
import requests
from django.utils import timezone

from videos.hosted.models import HostedVideo, Scheme
from videos.hosted.services.playback import play_tokens, playing
from videos.hosted.tests.clips import clip
from videos.hosted.tests.deliveries import COMBINATIONS, configure, fetch
from videos.hosted.tests.making import KEY, KID, make_hosted_video, make_published_video
from videos.hosted.tests.serving import granted, serving, statements
from videos.hosted.tests.tools import FFMPEG
from videos.models import PlaybackSession, SessionState
from videos.providers.exceptions import AssetNotFound, Rejected
from videos.providers.registry import providers
from videos.providers.types import PlaybackRequest, Viewer
from videos.services.errors import VideoFailed
from videos.services.sessions import revoke
from videos.services.tokens import session_token
from videos.tests.factories import make_user

pytestmark = pytest.mark.django_db

DASH = "{urn:mpeg:dash:schema:mpd:2011}"


@pytest.fixture
def site():
    with serving() as address:
        yield address


def frames(source, *options):
    """A digest of every picture, in order."""
    command = [FFMPEG, "-v", "error", *options, "-i", source, "-map", "0:v:0", "-f", "framemd5", "-"]
    lines = subprocess.run(command, capture_output=True, check=True, text=True).stdout.splitlines()
    return [line.rpartition(",")[2].strip() for line in lines if not line.startswith("#")]


@cache
def original_frames():
    return frames(clip())


def licensed_key(grant, site):
    """The content key, by ClearKey's own protocol."""
    kid = base64.urlsafe_b64encode(KID.bytes).rstrip(b"=").decode()
    drm = grant.playback.drm
    answer = requests.post(
        urljoin(site, drm["systems"]["org.w3.clearkey"]["license_url"]),
        json={"kids": [kid], "type": "temporary"},
        headers={"Authorization": f"Bearer {drm['token']}", "X-Device-Id": "device-0001"},
        timeout=10,
    )
    assert answer.status_code == 200, answer.text
    [key] = answer.json()["keys"]
    return base64.urlsafe_b64decode(key["k"] + "==").hex()


def by_hls(url, get):
    """What a player of byte ranges loads: the init section, then each stretch; and between them the index, without
    which ffmpeg reads no encrypted fragments.
    """
    lines = get(url).decode().splitlines()
    found = re.search(r'#EXT-X-MAP:URI="([^"]+)",BYTERANGE="(\d+)@(\d+)"', "\n".join(lines))
    film, at = get(found[1], f"bytes={found[3]}-{int(found[3]) + int(found[2]) - 1}"), 0
    for number, line in enumerate(lines):
        if line.startswith("#EXT-X-BYTERANGE:"):
            length, _, first = line.partition(":")[2].partition("@")
            at = int(first or at)
            film += get(found[1], f"bytes={len(film)}-{at - 1}") if at > len(film) else b""
            film += get(lines[number + 1], f"bytes={at}-{at + int(length) - 1}")
            at += int(length)
    return film


def by_dash(url, get):
    tree = ElementTree.fromstring(get(url).decode())
    [rendition] = [found for found in tree.iter(f"{DASH}Representation") if found.get("codecs").startswith("avc1")]
    base = rendition.find(f"{DASH}BaseURL").text
    segments = rendition.find(f"{DASH}SegmentBase")
    after = int(segments.get("indexRange").partition("-")[2]) + 1
    return get(base, f"bytes=0-{after - 1}") + get(base, f"bytes={after}-")


@pytest.mark.parametrize("combination", COMBINATIONS)
def test_what_a_player_loads_becomes_every_frame_of_the_original(combination, settings, tmp_path, site):
    configure(settings, tmp_path, combination)
    _, video = make_published_video()
    grant = granted(video)
    key = licensed_key(grant, site)
    assert key == KEY.hex()

    def get(url, wanted=""):
        return fetch(url, wanted, site=site, root=tmp_path)

    assert b"v180.m3u8" in get(grant.playback.url)
    films = {
        "hls": by_hls(urljoin(grant.playback.url, "v180.m3u8"), get),
        "dash": by_dash(grant.playback.dash_url, get),
    }
    for player, film in films.items():
        (tmp_path / f"{player}.mp4").write_bytes(film)
        assert frames(tmp_path / f"{player}.mp4", "-decryption_key", key) == original_frames()


def test_a_player_of_aes_128_finds_its_key_in_the_playlist(hosted, site):
    _, video = make_published_video(scheme=Scheme.AES128)
    playback = granted(video).playback
    assert (playback.dash_url, playback.drm["systems"]) == ("", {})
    assert frames(urljoin(site, playback.url)) == original_frames()


def test_an_open_film_plays_by_its_address_alone(hosted, site):
    _, video = make_published_video(scheme=Scheme.OPEN)
    playback = granted(video).playback
    assert playback.drm == {}
    assert frames(urljoin(site, playback.url)) == original_frames()


def test_a_playback_costs_one_statement_and_names_what_is_seen_beside_it(hosted):
    copy, video = make_published_video()
    request = a_request(copy)
    assert statements(lambda: providers["hosted"].get_playback(request)) == 1
    playback = providers["hosted"].get_playback(request)
    assert playback.watermark == "Ada (ada@example.com)"
    assert str(video.pk) in playback.sprite_url
    assert playback.url.partition("master.m3u8")[0] == playback.dash_url.partition("manifest.mpd")[0]


@pytest.mark.parametrize(("combination", "duration_s", "seconds"), [
    ("local-django", 3600, 3600 * 1.5 + 600),
    ("local-django", 20 * 3600, 24 * 3600),
    ("bucket-presigned", 20 * 3600, 6 * 3600),
    ("bucket-presigned", None, 300),
])  # fmt: skip
def test_an_address_lives_as_long_as_a_viewing_may_take(combination, duration_s, seconds, settings, tmp_path):
    configure(settings, tmp_path, combination)
    copy, _ = make_published_video(scheme=Scheme.OPEN)
    playback = providers["hosted"].get_playback(a_request(copy, duration_s=duration_s))
    assert abs((playback.expires_at - timezone.now()).total_seconds() - seconds) < 5


def test_what_cannot_be_played_is_refused(hosted):
    waiting, _ = make_hosted_video()
    with pytest.raises(Rejected) as caught:
        providers["hosted"].get_playback(a_request(waiting))
    assert caught.value.code == "not_playable"
    gone, _ = make_published_video()
    HostedVideo.objects.filter(pk=gone.pk).update(deleted_at="2026-01-01T00:00Z")
    for host_id in (gone.host_id, uuid4().hex, str(uuid4()), "../x", ""):
        with pytest.raises(AssetNotFound):
            providers["hosted"].get_playback(a_request(gone, host_id=host_id))


def test_a_viewer_who_finds_a_copy_gone_has_it_asked_about(hosted):
    copy, video = make_published_video()
    HostedVideo.objects.filter(pk=copy.pk).update(deleted_at=timezone.now())
    video.assets.update(next_poll_at=None)
    with pytest.raises(VideoFailed):
        granted(video)
    assert not PlaybackSession.objects.exists()
    assert copy.get_asset().next_poll_at <= timezone.now()


@pytest.mark.parametrize("combination", ["local-x_accel", "bucket-presigned"])
def test_no_byte_of_a_film_goes_through_this_server(combination, settings, tmp_path, client):
    parts = configure(settings, tmp_path, combination)
    copy, video = make_published_video()
    grant = granted(video)
    lines = client.get(urljoin(grant.playback.url, "v180.m3u8")).content.decode().splitlines()
    addresses = {line for line in lines if line and not line.startswith("#")}
    token = grant.playback.url.split("/")[-2]
    if combination == "local-x_accel":
        parts.get_store().delete_all(copy.prefix)
    answer = client.get(f"/api/videos/media/{token}/v180.mp4", HTTP_RANGE="bytes=0-9")
    if combination == "local-x_accel":
        assert addresses == {f"/api/videos/media/{token}/v180.mp4"}
        assert answer["X-Accel-Redirect"] == f"/protected-videos/{copy.package.prefix}v180.mp4"
        assert (answer.status_code, answer.content, answer["Content-Type"]) == (200, b"", "video/mp4")
    else:
        origin = parts.get_delivery().origins(parts.get_store())
        assert {"{0.scheme}://{0.netloc}".format(urlsplit(url)) for url in addresses} == set(origin)
        assert (answer.status_code, answer.json()["errors"][0]["code"]) == (404, "not_found")


def test_a_revocation_is_felt_by_the_next_request(hosted, client):
    _, video = make_published_video()
    viewer = make_user()
    grant = granted(video, viewer=viewer)
    urls = [grant.playback.url, grant.playback.dash_url, grant.playback.sprite_url, media_url(grant)]
    assert all(client.get(url).getvalue() for url in urls)
    revoke(user_id=viewer.pk, video_ids=[video.pk], reason="refund")
    assert [refusal(client.get(url)) for url in urls] == [(403, "session_revoked")] * 4
    PlaybackSession.objects.update(state=SessionState.ENDED)
    assert refusal(client.get(urls[3])) == (403, "session_ended")


def test_a_token_opens_its_own_package_and_video_alone(hosted, client):
    _, video = make_published_video()
    other, other_video = make_published_video(kid=uuid4())
    grant = granted(video)
    token = grant.playback.url.split("/")[-2]
    assert refusal(client.get(grant.playback.url.replace(str(video.pk), str(other_video.pk)))) == (
        *(403, "signature_invalid"),
    )
    up, long = f"/api/videos/media/{token}/", "a" * 300
    for name in (f"../{other.package.public_id.hex}/v180.mp4", f"..%2F{other.package.public_id.hex}%2Fv180.mp4"):
        assert client.get(up + name).status_code == 404
    for name in ("none.mp4", "v180.m3u8", "flags.in", "V180.mp4", "v180.mp4/", "a//v180.mp4", "%00.mp4", long + ".mp4"):
        assert client.get(up + name).status_code == 404
    for name in ("none.m3u8", "%00", "v180.m3u8%00", f"{long}.m3u8", "%F0%9F%8E%AC.mpd"):
        assert client.get(urljoin(grant.playback.url, name)).status_code == 404
    changed = ("A" if token[70] != "A" else "B").join((token[:70], token[71:]))
    for forged in (changed, token[:-1], "x", "a.b.c", "%C3%A9"):
        assert refusal(client.get(f"/api/videos/media/{forged}/v180.mp4")) == (403, "signature_invalid")


def test_a_token_of_yesterday_is_refused(hosted, client, monkeypatch):
    _, video = make_published_video(scheme=Scheme.OPEN)
    url = granted(video).playback.url
    tomorrow = play_tokens.signing.time.time() + 24 * 3600 + 1
    monkeypatch.setattr(play_tokens.signing.time, "time", lambda: tomorrow)
    assert refusal(client.get(url)) == (403, "signature_invalid")


def test_a_token_shows_in_no_repr_of_what_holds_it(hosted):
    copy, _ = make_published_video(scheme=Scheme.OPEN)
    ids = {"session_id": uuid4(), "package_id": copy.package.public_id, "copy_id": copy.public_id}
    ours = play_tokens.make(**ids, alias="hosted")
    ticket = playing.ticket(ours, copy.package, through_us=True)
    assert ticket.token == ours.text
    assert ours.text not in repr(ticket) + repr(ours)


def test_an_address_that_was_fetched_late_lives_no_longer_than_its_session(hosted, client):
    _, video = make_published_video(scheme=Scheme.OPEN)
    grant = granted(video)
    late = client.get(f"/api/videos/{video.pk}/manifest/", {"token": grant.session.token})["Location"]
    PlaybackSession.objects.update(created_at=timezone.now() - timedelta(hours=24))
    assert [refusal(client.get(url)) for url in (late, media_url(grant))] == [(403, "session_ended")] * 2


def test_the_door_with_a_session_token_leads_to_the_master(hosted, client):
    _, video = make_published_video()
    grant = granted(video)
    door, token = f"/api/videos/{video.pk}/manifest/", grant.session.token
    for answer in (client.get(door, {"token": token}), client.get(door, HTTP_AUTHORIZATION=f"Bearer {token}")):
        assert (answer.status_code, answer["Cache-Control"]) == (302, "no-store")
        assert b"v180.m3u8" in client.get(answer["Location"]).content
    assert refusal(client.get(door)) == (403, "invalid_session_token")
    assert refusal(client.get(door, {"token": session_token(uuid4())})) == (403, "session_ended")
    _, other = make_published_video(kid=uuid4())
    assert client.get(f"/api/videos/{other.pk}/manifest/", {"token": token}).status_code == 404


def test_a_playlist_costs_two_statements_and_is_kept_by_nobody(hosted, client):
    _, video = make_published_video()
    grant = granted(video)
    client.get(grant.playback.url)
    url = urljoin(grant.playback.url, "v180.m3u8")
    assert statements(lambda: client.get(url)) == 2
    for address, kind in ((url, "application/vnd.apple.mpegurl"), (grant.playback.dash_url, "application/dash+xml")):
        answer, head = client.get(address), client.head(address)
        assert (answer["Cache-Control"], answer["Content-Type"]) == ("no-store", kind)
        assert (head.status_code, head["Content-Length"], head.content) == (200, answer["Content-Length"], b"")
    assert "ETag" not in answer
    packed = client.get(url, HTTP_ACCEPT_ENCODING="gzip")
    assert (packed["Content-Encoding"], gzip.decompress(packed.content)) == ("gzip", client.get(url).content)


def test_the_mpd_names_the_licence_server_with_scheme_and_host(hosted, client):
    _, video = make_published_video()
    body = client.get(granted(video).playback.dash_url).content.decode()
    assert ">http://testserver/api/videos/licences/clearkey/</dashif:Laurl>" in body


def a_request(copy, **overrides):
    viewer = Viewer(id="7", watermark="Ada (ada@example.com)")
    values = {"host_id": copy.host_id, "viewer": viewer, "session_id": str(uuid4()), "device_id": "device-0001"}
    return PlaybackRequest(**values | overrides)


def media_url(grant, name="v180.mp4"):
    return f"/api/videos/media/{grant.playback.url.split('/')[-2]}/{name}"


def refusal(answer):
    return answer.status_code, answer.json()["errors"][0]["code"]
