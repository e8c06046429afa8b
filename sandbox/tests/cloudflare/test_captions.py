import pytest

from sandbox.cloudflare.captions import LARGEST_BYTES
from sandbox.tests.cloudflare.client import ask, error_of, result

VTT = "WEBVTT\n\n00:00.000 --> 00:02.000\nHello\n"


def put(sandbox, uid, language="en", body=VTT, field="file"):
    return ask(sandbox, "PUT", f"/{uid}/captions/{language}", files={field: ("x.vtt", body)})


def test_one_file_per_language_is_kept_and_replaced(sandbox):
    uid, other = sandbox.cloudflare.add_video(), sandbox.cloudflare.add_video()
    english = {"language": "en", "label": "English", "generated": False, "status": "ready"}
    assert result(put(sandbox, uid)) == english
    assert result(put(sandbox, uid, "pt-BR"))["language"] == "pt-BR"
    assert result(put(sandbox, uid, body=VTT.replace("Hello", "Good day")))["language"] == "en"
    assert [caption["language"] for caption in result(ask(sandbox, "GET", f"/{uid}/captions"))] == ["en", "pt-BR"]
    assert result(ask(sandbox, "GET", f"/{other}/captions")) == []
    assert "Good day" in ask(sandbox, "GET", f"/{uid}/captions/en/vtt").text
    assert result(ask(sandbox, "GET", f"/{uid}/captions/en")) == english
    assert result(ask(sandbox, "DELETE", f"/{uid}/captions/en")) == ""
    assert error_of(ask(sandbox, "DELETE", f"/{uid}/captions/en"))[0] == 404
    assert error_of(ask(sandbox, "GET", f"/{uid}/captions/en/vtt"))[0] == 404


@pytest.mark.parametrize("state", ["pendingupload", "queued", "inprogress", "error"])
def test_captions_wait_until_the_video_is_ready(sandbox, state):
    uid = sandbox.cloudflare.add_video(state=state)
    assert error_of(put(sandbox, uid))[0] == 400
    assert result(ask(sandbox, "GET", f"/{uid}/captions")) == []


def test_ten_megabytes_are_the_limit(sandbox):
    uid = sandbox.cloudflare.add_video()
    filled = VTT + "x" * (LARGEST_BYTES - len(VTT))
    assert put(sandbox, uid, body=filled).status_code == 200
    assert error_of(put(sandbox, uid, body=filled + "x"))[0] == 413


@pytest.mark.parametrize(
    ("language", "body", "field"),
    [
        ("e", VTT, "file"),
        ("en", "1\n00:00:00,000 --> 00:00:02,000\nHi", "file"),
        ("en", b"\xff\xfe", "file"),
        ("en", VTT, "x"),
    ],
)
def test_what_is_no_caption_is_refused(sandbox, language, body, field):
    uid = sandbox.cloudflare.add_video()
    assert error_of(put(sandbox, uid, language, body, field))[0] == 400


def test_captions_may_be_generated(sandbox):
    uid = sandbox.cloudflare.add_video()
    assert result(ask(sandbox, "POST", f"/{uid}/captions/de/generate"))["generated"] is True
    assert ask(sandbox, "GET", f"/{uid}/captions/de/vtt").text.startswith("WEBVTT")
