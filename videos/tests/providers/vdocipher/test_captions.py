import json
from datetime import date

import pytest

from videos.providers.exceptions import MalformedResponse, Rejected
from videos.providers.types import HostUsage
from videos.tests.providers.contract_extras import make_caption
from videos.tests.providers.vdocipher.test_contract import captions_of


@pytest.mark.parametrize("language", ["en", "EN", "en-GB"])
def test_captions_are_kept_by_two_letter_languages(provider, sandbox, ready_id, language):
    provider.put_caption(ready_id, make_caption(language))
    [upload] = [call for call in sandbox.calls("vdocipher") if call["method"] == "POST"]
    assert upload["query"] == {"language": "en"} or "language=en" in upload["query"]
    provider.delete_caption(ready_id, "en-US")
    assert captions_of(provider, ready_id) == []


@pytest.mark.parametrize("language", ["", "fil", "e1", "../x"])
def test_a_language_of_other_letters_is_refused_before_the_call(provider, sandbox, ready_id, language):
    with pytest.raises(Rejected) as caught:
        provider.put_caption(ready_id, make_caption(language))
    assert (caught.value.code, sandbox.calls("vdocipher")) == ("caption_refused", [])


def test_captions_that_are_refused_leave_the_former_ones(provider, ready_id):
    provider.put_caption(ready_id, make_caption("en", "former"))
    with pytest.raises(Rejected):
        provider.put_caption(ready_id, make_caption("en", body="no captions"))
    assert captions_of(provider, ready_id) == ["en"]


@pytest.mark.parametrize(("status", "code"), [("Queued", "not_ready"), ("ready", "caption_refused")])
def test_a_message_in_place_of_a_file_means_that_it_was_not_taken(provider, sandbox, status, code):
    video = sandbox.add_video(status=status)
    for body in ("[]", '{"message": "Video is not ready"}'):
        sandbox.fault(service="vdocipher", path=".*/files/", status=200, body=body)
    with pytest.raises(Rejected) as caught:
        provider.put_caption(video, make_caption("en"))
    assert caught.value.code == code


def test_odd_members_of_a_file_list_are_passed_over(provider, sandbox, ready_id):
    files = [None, {"id": "7", "format": "vtt", "lang": "en"}, {"id": 8, "format": "jpeg", "lang": "en"}, {"id": 9}]
    sandbox.fault(service="vdocipher", path=".*/files/", status=200, body=json.dumps(files))
    provider.delete_caption(ready_id, "en")
    assert [call["method"] for call in sandbox.calls("vdocipher")] == ["GET"]


@pytest.mark.parametrize(
    ("table", "found"),
    [
        (b"", {}),
        (b"video,bandwidth\n", {}),
        (b"video,bandwidth\nabc,7\nabc,3\ndef,0\n", {"abc": 10_000, "def": 0}),
        (b'date,video_id,title,bandwidth\r\n2026-01-18,abc,"a, b",7.5\r\n', {"abc": 7500}),
        (b"\xef\xbb\xbfVideo, Bandwidth\nabc, 7\n\n", {"abc": 7000}),
        (b"video,bandwidth\nabc\nabc,x\n,4\nabc,-1\nabc,2\n", {"abc": 2000}),
    ],
)
def test_a_day_s_table_is_read_by_its_column_names(provider, sandbox, table, found):
    sandbox.fault(service="vdocipher", path=".*/video-usage", status=200, body=table.decode())
    day = date(2026, 1, 18)
    assert provider.usage(day) == [
        HostUsage(host_id=video, day=day, delivered_bytes=size) for video, size in found.items()
    ]
    assert json.loads(sandbox.calls("vdocipher")[-1]["body"]) == {"date": "2026-01-18"}


@pytest.mark.parametrize("table", ['{"message": "odd"}', "video,size\nabc,7\n", "abc,7\n"])
def test_a_table_without_its_columns_is_malformed(provider, sandbox, table):
    sandbox.fault(service="vdocipher", path=".*/video-usage", status=200, body=table)
    with pytest.raises(MalformedResponse):
        provider.usage(date(2026, 1, 18))
