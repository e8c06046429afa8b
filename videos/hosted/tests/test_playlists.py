"""Playlists of a two-rendition film, rewritten for one viewing; the texts are what shaka-packager 3.8.0 writes."""

from collections import Counter
from uuid import UUID
from xml.etree import ElementTree

import pytest

from videos.hosted.models import Scheme
from videos.hosted.services.playback import mpd, playlists, sprites
from videos.hosted.tests.making import KID, packaged

LAURL = "{https://dashif.org/CPS}Laurl"
DASH = "{urn:mpeg:dash:schema:mpd:2011}"
FAIRPLAY = 'KEYFORMAT="com.apple.streamingkeydelivery"'


class Signer:
    """Signs as a bucket would, and counts."""

    def __init__(self):
        self.signed = Counter()

    def __call__(self, name):
        self.signed[name] += 1
        return f"https://films.example.test/p/{name}?Expires=1&Signature=a%2Fb"


def stored(scheme, name):
    return (packaged(Scheme(scheme)) / name).read_text()


def rewritten(scheme, name, **keys):
    return playlists.rewrite(stored(scheme, name), address_of=Signer(), keys=playlists.Keys(**keys)).splitlines()


@pytest.mark.parametrize("name", ["v180.m3u8", "v180-i.m3u8", "a.m3u8"])
def test_every_file_of_a_playlist_is_signed_once(name):
    sign = Signer()
    lines = playlists.rewrite(stored("cbcs", name), address_of=sign, keys=playlists.Keys(clearkey_kid=KID)).splitlines()
    [(file, times)] = sign.signed.items()
    address = f"https://films.example.test/p/{file}?Expires=1&Signature=a%2Fb"
    assert (times, lines.count(address)) == (1, 2)
    assert sum(f'#EXT-X-MAP:URI="{address}",BYTERANGE="998@0"' == line for line in lines) == 1


def test_a_player_finds_clearkey_before_fairplay_and_no_address_it_cannot_load():
    keys = [line for line in rewritten("cbcs", "v180.m3u8", clearkey_kid=KID) if line.startswith("#EXT-X-KEY")]
    assert keys[0] == (
        '#EXT-X-KEY:METHOD=SAMPLE-AES,URI="data:text/plain;base64,oKGio6SlRqeoqaqrrK2urw==",'
        'KEYFORMAT="org.w3.clearkey",KEYFORMATVERSIONS="1"'
    )
    assert FAIRPLAY in keys[1]
    assert f'URI="skd://{KID.hex}"' in keys[1]
    assert len(keys) == 2


def test_without_a_clearkey_server_fairplay_stays_alone():
    assert [FAIRPLAY in line for line in rewritten("cbcs", "a.m3u8") if "EXT-X-KEY" in line] == [True]


def test_the_key_of_aes_128_is_asked_for_once_and_only_by_playlists_that_need_it():
    asked = []

    def url():
        asked.append(1)
        return "/licences/key/t/"

    body = stored("aes128", "v180.m3u8").replace("#EXT-X-ENDLIST", '#EXT-X-KEY:METHOD=AES-128,URI="key:00",IV=0x01')
    lines = playlists.rewrite(body, address_of=Signer(), keys=playlists.Keys(url=url)).splitlines()
    assert [line.split(",")[1] for line in lines if "EXT-X-KEY" in line] == ['URI="/licences/key/t/"'] * 2
    assert len(asked) == 1
    playlists.rewrite(stored("aes128", "master.m3u8"), address_of=Signer(), keys=playlists.Keys(url=url))
    assert len(asked) == 1


def test_an_open_film_has_no_keys():
    lines = rewritten("open", "v180.m3u8")
    assert not any("KEY" in line for line in lines)
    assert lines[-1] == "#EXT-X-ENDLIST"


def test_a_master_names_its_playlists_as_they_are_called():
    lines = rewritten("cbcs", "master.m3u8", clearkey_kid=KID)
    assert "v180.m3u8" in lines
    assert any('URI="v180-i.m3u8"' in line for line in lines)
    assert not any("films.example.test" in line for line in lines)


def test_an_mpd_is_signed_and_leads_to_the_licence_server_in_every_set():
    sign = Signer()
    licence_url = "https://site.example.test/licences/clearkey/?a=1&b=2"
    tree = ElementTree.fromstring(mpd.rewrite(stored("cbcs", "manifest.mpd"), address_of=sign, licence_url=licence_url))
    assert sign.signed == {"v180.mp4": 1, "a.mp4": 1}
    sets = tree.findall(f".//{DASH}AdaptationSet")
    assert len(sets) == 2
    for found in sets:
        protections = found.findall(f"{DASH}ContentProtection")
        assert [element.find(LAURL) is not None for element in protections] == [False, True, False]
        assert found.find(f".//{LAURL}").text == licence_url
        assert found.find(f".//{DASH}BaseURL").text.endswith("?Expires=1&Signature=a%2Fb")


def test_an_mpd_without_encryption_or_licence_server_names_none():
    for scheme, url in (("open", "https://site.example.test/"), ("cbcs", "")):
        tree = ElementTree.fromstring(mpd.rewrite(stored(scheme, "manifest.mpd"), address_of=Signer(), licence_url=url))
        assert tree.find(f".//{LAURL}") is None


def test_protection_that_is_written_with_a_body_gets_its_licence_server_too():
    body = '<MPD><ContentProtection schemeIdUri="urn:mpeg:dash:mp4protection:2011"><x/></ContentProtection></MPD>'
    changed = mpd.rewrite(body, address_of=Signer(), licence_url="https://site.example.test/")
    assert changed.index("<x/></ContentProtection><ContentProtection") > 0


def test_cues_name_the_tiles_row_by_row_and_the_last_one_lasts_to_the_end():
    pictures = {"interval_s": 10, "columns": 2, "rows": 2, "width": 160, "height": 90, "count": 3}
    track = sprites.track(pictures, sheet_url="/m/sprite.jpg", duration_s=3627.5)
    assert track.splitlines() == [
        *("WEBVTT", ""),
        *("00:00:00.000 --> 00:00:10.000", "/m/sprite.jpg#xywh=0,0,160,90", ""),
        *("00:00:10.000 --> 00:00:20.000", "/m/sprite.jpg#xywh=160,0,160,90", ""),
        *("00:00:20.000 --> 01:00:27.500", "/m/sprite.jpg#xywh=0,90,160,90"),
    ]


@pytest.mark.parametrize(("second", "left", "top"), [(0, 0, 0), (4.9, 0, 0), (5.1, 160, 0), (19, 0, 90), (9999, 0, 90)])
def test_the_tile_of_a_second_is_the_nearest_one(second, left, top):
    pictures = {"interval_s": 10, "columns": 2, "rows": 2, "width": 160, "height": 90, "count": 3}
    tile = sprites.tile_at(pictures, second)
    assert (tile.left, tile.top) == (left, top)


def test_the_line_of_clearkey_names_the_key_in_standard_base64():
    assert "base64,+/+/AAAAAAAAAAAAAAAAAA==" in playlists.clearkey_line(UUID(bytes=b"\xfb\xff\xbf" + bytes(13)))
