from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from videos.vtt import VttError, normalise


def vtt(*lines: str) -> bytes:
    return "\n".join(["WEBVTT", "", *lines]).encode()


def body_of(*payload: str) -> str:
    """What becomes of the text of one cue."""
    return normalise(vtt("00:01.000 --> 00:02.000", *payload)).split("\n", 3)[3].rstrip("\n")


def test_what_is_clean_stays_as_it_is():
    text = "WEBVTT\n\n00:00:01.000 --> 00:00:02.000\nHello\n\n00:00:03.000 --> 00:00:04.000 align:start\nWorld\n"
    assert normalise(text.encode()) == text
    assert normalise(normalise(text.encode()).encode()) == text


def test_byte_order_mark_crlf_header_text_and_short_times_are_taken():
    body = b"\xef\xbb\xbfWEBVTT - made by hand\r\nKind: captions\r\n\r\none\r\n00:01.5".replace(b"01.5", b"01.500")
    body += b" --> 01:00:02.000\r\nHello\r\n"
    assert normalise(body) == "WEBVTT\n\n00:00:01.500 --> 01:00:02.000\nHello\n"


def test_styles_regions_and_notes_are_left_out():
    text = normalise(
        vtt(
            "STYLE",
            "::cue { color: red }",
            "",
            "REGION",
            "id:fred",
            "",
            "NOTE a remark",
            "",
            "00:01.000 --> 00:02.000",
            "Hi",
        )
    )
    assert text == "WEBVTT\n\n00:00:01.000 --> 00:00:02.000\nHi\n"


def test_cues_come_in_order_and_empty_ones_are_dropped():
    text = normalise(
        vtt(
            "00:05.000 --> 00:06.000",
            "B",
            "",
            "00:01.000 --> 00:02.000",
            "A",
            "",
            "00:03.000 --> 00:04.000",
            "<font>",
            "",
        )
    )
    assert [line for line in text.split("\n") if line in "AB" and line] == ["A", "B"]
    assert text.count("-->") == 2


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("<v Roger Bingham>Hi</v>", "<v Roger Bingham>Hi</v>"),
        ("<i.loud>Hi</i> <00:01.500>there", "<i.loud>Hi</i> <00:01.500>there"),
        ("<lang en-GB>Hi</lang>", "<lang en-GB>Hi</lang>"),
        ("<script>alert(1)</script>", "alert(1)"),
        ("<font color=red>Hi</font>", "Hi"),
        ("<b onclick=alert(1)>Hi</b>", "<b>Hi</b>"),
        ("<<b>script>alert(1)<</b>/script>", "&lt;<b>script&gt;alert(1)&lt;</b>/script&gt;"),
        ("1 < 2 & 3 &amp; 4", "1 &lt; 2 &amp; 3 &amp; 4"),
        ("a\0b", "a\ufffdb"),
        ("<v\nBob>Hi", "<v Bob>Hi"),
    ],
)
def test_unknown_markup_goes_and_the_text_stays(written, kept):
    assert body_of(written) == kept


def test_a_tag_on_a_line_of_its_own_does_not_end_the_cue():
    assert body_of("one", "<font>", "two") == "one\ntwo"


def test_unknown_settings_go():
    text = normalise(vtt("00:01.000 --> 00:02.000 line:0 region:fred position:50%,center evil:1 line:1", "Hi"))
    assert "00:00:02.000 line:0 position:50%,center\n" in text


@pytest.mark.parametrize(
    ("body", "code", "line"),
    [
        (b"", "caption_invalid", 1),
        (b"WEBVTT", "caption_invalid", 1),
        (b"WEBVTTX\n\n00:01.000 --> 00:02.000\nHi", "caption_invalid", 1),
        (b"1\n00:00:01,000 --> 00:00:02,000\nHi\n", "caption_is_srt", 2),
        (b"WEBVTT\n\n00:00:01,000 --> 00:00:02,000\nHi\n", "caption_is_srt", 3),
        (b"WEBVTT\n\n00:02.000 --> 00:01.000\nHi\n", "caption_invalid", 3),
        (b"WEBVTT\n\n00:02.000 --> 00:02.000\nHi\n", "caption_invalid", 3),
        (b"WEBVTT\n\n\n\none\n00:61.000 --> 00:62.000\nHi\n", "caption_invalid", 6),
        (b"WEBVTT\n\nno times here\n", "caption_invalid", 3),
        (b"WEBVTT\n\n00:01.000 --> 00:02.000\nA\n00:03.000 --> 00:04.000\nB\n", "caption_invalid", 5),
        (b"WEBVTT\n\n00:01.000 --> 00:02.000\n\xff\n", "caption_invalid", 4),
        ("WEBVTT\n\n00:01.000 --> 00:02.000\nHi".encode("utf-16"), "caption_invalid", 1),
    ],
)
def test_what_cannot_be_used_is_refused_with_its_line(body, code, line):
    with pytest.raises(VttError) as refused:
        normalise(body)
    assert (refused.value.code, refused.value.line) == (code, line)


@given(st.text(alphabet="ab<>&/;-cvi.\n \0", max_size=60))
def test_whatever_is_written_in_a_cue_only_known_tags_come_out_and_they_stay(text):
    try:
        once = normalise(vtt("00:01.000 --> 00:02.000", text))
    except VttError:
        return
    assert normalise(once.encode()) == once
    assert once.count("-->") == 1


@given(st.binary(max_size=200))
def test_no_body_breaks_the_parser(body):
    for sent in (body, b"WEBVTT\n\n" + body):
        with suppress(VttError):
            assert normalise(sent).startswith("WEBVTT")
