import json
import logging

import pytest

from videos.providers.exceptions import AssetNotFound, MalformedResponse
from videos.providers.types import Protection, Status
from videos.tests.providers.contract import make_request


@pytest.mark.parametrize(
    ("word", "status"),
    [
        ("PRE-Upload", Status.WAITING),
        ("Pre-Upload", Status.WAITING),
        ("pre-upload", Status.WAITING),
        ("Queued", Status.PROCESSING),
        ("queued", Status.PROCESSING),
        ("Processing", Status.PROCESSING),
        ("ready", Status.READY),
        ("READY", Status.READY),
        ("Encoding error", Status.FAILED),
        ("ENCODING ERROR", Status.FAILED),
        ("Not a media file", Status.FAILED),
        ("Failed", Status.FAILED),
    ],
)
def test_the_host_s_word_is_kept_beside_ours(provider, sandbox, word, status, caplog):
    info = provider.get_asset(sandbox.add_video(status=word))
    assert (info.status, info.host_status) == (status, word)
    assert bool(info.failure_code) == (status is Status.FAILED)
    assert not caplog.records


def test_an_unknown_word_means_processing_and_is_logged(provider, sandbox, caplog):
    info = provider.get_asset(sandbox.add_video(status="Dreaming"))
    assert (info.status, info.host_status) == (Status.PROCESSING, "Dreaming")
    assert [(record.levelno, "Dreaming" in record.message) for record in caplog.records] == [(logging.WARNING, True)]


def test_an_asset_has_title_duration_and_the_largest_poster(provider, sandbox, ready_id):
    info = provider.get_asset(ready_id)
    posters = {poster["height"]: poster["posterUrl"] for poster in info.raw["posters"]}
    assert (info.title, info.duration_s) == ("Lesson", 48)
    assert info.poster_url == posters[max(posters)]


def test_odd_members_of_an_asset_do_no_harm(provider, sandbox, ready_id):
    odd = {
        "status": "ready",
        "title": None,
        "length": "-3",
        "totalSizeBytes": 1e300,
        "posters": [None, {"height": "480", "posterUrl": "javascript:alert(1)"}, {"height": None, "posterUrl": 3}],
    }
    sandbox.fault(service="vdocipher", path="/vdocipher/api/videos/", status=200, body=json.dumps(odd))
    info = provider.get_asset(ready_id)
    assert (info.title, info.duration_s, info.size_bytes, info.poster_url) == ("", None, None, "")


@pytest.mark.parametrize("body", ['{"id": "x"}', '{"status": 3}', '{"status": ""}', '["ready"]', "null"])
def test_an_asset_without_a_status_is_malformed(provider, sandbox, ready_id, body):
    sandbox.fault(service="vdocipher", path="/vdocipher/api/videos/", status=200, body=body)
    with pytest.raises(MalformedResponse):
        provider.get_asset(ready_id)


@pytest.mark.parametrize("host_id", ["", "../hooks", "a,b", "a/b", "a?b=c", "ä", "a b", "a" * 256])
def test_an_id_that_is_no_id_is_not_even_asked_for(provider, sandbox, host_id):
    with pytest.raises(AssetNotFound):
        provider.get_asset(host_id)
    with pytest.raises(AssetNotFound):
        provider.get_playback(make_request(host_id))
    provider.delete(host_id)
    assert sandbox.calls("vdocipher") == []


def test_a_message_that_tells_more_than_its_status_decides(provider, sandbox, ready_id):
    sandbox.fault(service="vdocipher", path="/vdocipher/api/", status=400, body='{"message": "Video not found"}')
    with pytest.raises(AssetNotFound):
        provider.get_asset(ready_id)


def test_renaming_changes_the_title(provider, ready_id):
    provider.rename(ready_id, "Another title")
    assert provider.get_asset(ready_id).title == "Another title"


def test_it_protects_by_drm(provider):
    assert provider.protections == (Protection.DRM,)
