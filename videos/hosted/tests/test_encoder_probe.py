"""What is taken for a film, and what is refused with which words; nothing outside the file is ever read."""

import http.server
import random
import struct
import subprocess
import threading
from contextlib import contextmanager
from functools import partial

import pytest

from videos.hosted.encoders.ffmpeg import FfmpegEncoder, running
from videos.hosted.seams.encoder import EncodeFailed, StepOrder
from videos.hosted.tests.clips import clip
from videos.hosted.tests.encoding import OPEN, encode, made, store_with, work_of
from videos.hosted.tests.tools import FFMPEG
from videos.providers import failures

BARS = ("-f", "lavfi", "-i", "testsrc2=size=64x36:rate=10:duration=1")
CODED = ("-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p")


def probed(path, **options):
    return FfmpegEncoder(**options).run(work_of(StepOrder(kind="probe"), store_with(path)))


def refused(path, **options):
    with pytest.raises(EncodeFailed) as refusal:
        probed(path, **options)
    return refusal.value.code


def written(folder, content, name="film.mp4"):
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def boxes_changed(path, folder, changes):
    """A copy with bytes changed: {(box, offset after its name): bytes}."""
    content = bytearray(path.read_bytes())
    for (box, offset), value in changes.items():
        at = content.index(box) + len(box) + offset
        content[at : at + len(value)] = value
    return written(folder, bytes(content))


@contextmanager
def listener():
    """The address of a server that notes what is asked of it, and the notes."""
    asked = []

    class Noting(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append(self.path)
            self.send_error(404)

        log_message = partial(asked.append)

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Noting)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}", asked
    finally:
        server.shutdown()
        server.server_close()


def test_a_probe_tells_what_the_encoder_must_know():
    outcome = probed(clip()).outcome
    assert outcome["info"] == probed(clip()).source_info
    told = {"width": 320, "height": 180, "frame_rate": "30/1", "video_codec": "h264", "audio_codec": "aac"}
    assert {name: outcome["info"][name] for name in told} == told
    assert outcome["info"]["duration_s"] == pytest.approx(4, abs=0.05)
    assert [rung["name"] for rung in outcome["ladder"]] == ["v180"]


def test_what_is_no_film_is_refused_in_words_for_teachers(tmp_path):
    picture = made("still.png", "-f", "lavfi", "-i", "testsrc2=size=64x36", "-frames:v", "1")
    sound = made("sound.m4a", "-f", "lavfi", "-i", "sine=duration=1")
    cover = made(
        *("cover.mp3", "-f", "lavfi", "-i", "sine=duration=1", "-i", picture, "-map", "0", "-map", "1"),
        *("-c:v", "copy", "-disposition:v", "attached_pic"),
    )
    cases = {
        failures.EMPTY_FILE: [written(tmp_path, b"", "a")],
        failures.NOT_A_VIDEO: [
            written(tmp_path, "A letter to my students.\n" * 50, "b"),
            written(tmp_path, "#!/bin/sh\nrm -rf /\n", "c"),
            written(tmp_path, random.Random(1).randbytes(100_000), "d"),
            picture,
        ],
        failures.NO_VIDEO_TRACK: [sound, cover],
        failures.UNREADABLE: [written(tmp_path, clip().read_bytes()[:20_000], "e")],
    }
    assert {code: {refused(path) for path in paths} for code, paths in cases.items()} == {
        code: {code} for code in cases
    }
    assert set(cases) <= set(failures.REASONS)


def test_lengths_have_bounds():
    assert refused(clip(), max_duration_s=3) == failures.TOO_LONG
    assert refused(clip(), min_duration_s=5) == failures.TOO_SHORT


def test_a_length_that_a_header_makes_up_is_not_believed(tmp_path):
    film = made("silent.mp4", *BARS, *CODED)
    years = struct.pack(">I", 2**31 - 1)
    lying = boxes_changed(film, tmp_path, {(b"mvhd", 16): years, (b"mdhd", 16): years, (b"tkhd", 20): years})
    assert probed(lying).outcome["info"]["duration_s"] == pytest.approx(1)
    two_hours_each = struct.pack(">I", 10_240 * 7200)
    assert (
        refused(boxes_changed(film, tmp_path, {(b"stts", 12): two_hours_each, (b"elst", 8): years}))
        == failures.TOO_LONG
    )


def test_the_length_of_a_recording_whose_header_tells_none_is_found_whatever_it_takes(tmp_path, monkeypatch):
    """As browsers record: the end is found by reading every packet, millions of them perhaps."""
    monkeypatch.setattr(running, "STDOUT_BYTES", 2000)
    endless = [FFMPEG, "-v", "error", *BARS[:-1], "testsrc2=size=64x36:rate=50:duration=2", *CODED]
    recorded = subprocess.run([*endless, "-f", "matroska", "-live", "1", "-"], capture_output=True, check=True)
    info = probed(written(tmp_path, recorded.stdout, "recorded.webm")).source_info
    assert info["duration_s"] == pytest.approx(2, abs=0.03)


def test_a_film_that_was_cut_off_is_called_damaged(tmp_path):
    long = clip(seconds=7.1, rate="30000/1001", audio=False)
    whole = made("front.mp4", "-i", long, "-c", "copy", "-movflags", "faststart")
    assert refused(written(tmp_path, whole.read_bytes()[: whole.stat().st_size // 2])) == failures.UNREADABLE


@pytest.mark.parametrize("kind", ["playlist", "concat", "manifest"])
def test_a_list_of_films_is_no_film_and_none_of_them_is_opened(kind, tmp_path):
    canary = tmp_path / "canary.mp4"
    canary.write_bytes(clip().read_bytes())
    with listener() as (address, asked):
        evil = {
            "playlist": f"#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXTINF:4,\n{address}/a.ts\n#EXTINF:4,\nfile://{canary}\n",
            "concat": f"ffconcat version 1.0\nfile {canary}\nfile {address}/b.mp4\n",
            "manifest": f"<?xml version='1.0'?><MPD><BaseURL>{address}/c</BaseURL></MPD>",
        }[kind]
        assert refused(written(tmp_path, evil)) == failures.NOT_A_VIDEO
        assert not asked


def test_a_film_whose_pictures_are_said_to_lie_in_another_file_shows_none_of_it(tmp_path):
    canary = tmp_path / "canary.mp4"
    canary.write_bytes(made("silent.mp4", *BARS, *CODED).read_bytes())
    evil = written(tmp_path, referring(canary))
    trap = [FFMPEG, "-v", "error", "-enable_drefs", "1", "-use_absolute_path", "1", "-i", evil, "-f", "framemd5", "-"]
    assert subprocess.run(trap, capture_output=True, check=True).stdout.count(b"\n0,") == 10
    with pytest.raises(EncodeFailed) as refusal:
        encode(evil)
    assert refusal.value.code == failures.UNREADABLE


def referring(film):
    """The film without its pictures, which are said to lie in `film`, as an `alis` reference of QuickTime says it."""
    content = bytearray(film.read_bytes())
    pictures = content.index(b"mdat") + 4
    end = pictures - 8 + struct.unpack(">I", content[pictures - 8 : pictures - 4])[0]
    content[pictures:end] = bytes(end - pictures)
    path = str(film).encode()
    path += b"\0" * (len(path) % 2)
    alias = b"\0" * 150 + struct.pack(">HH", 2, len(path)) + path + b"\xff\xff\0\0"
    alias = struct.pack(">I4sI", 12 + len(alias), b"alis", 0) + alias
    url = content.index(b"url ") - 4
    content[url : url + 12] = alias
    for box in (b"dref", b"dinf", b"minf", b"mdia", b"trak", b"moov"):
        at = content.index(box) - 4
        grown = struct.unpack(">I", content[at : at + 4])[0] + len(alias) - 12
        content[at : at + 4] = struct.pack(">I", grown)
    return bytes(content)


@pytest.mark.parametrize("seed", range(6))
def test_a_film_damaged_anywhere_is_encoded_or_refused_and_never_hangs(seed, tmp_path):
    chance = random.Random(seed)
    content = bytearray(made("small.mp4", *BARS, *CODED).read_bytes())
    for _ in range(1 + seed * 8):
        content[chance.randrange(len(content))] = chance.randrange(256)
    if seed % 3 == 2:
        del content[chance.randrange(len(content)) :]
    try:
        code = "" if encode(written(tmp_path, bytes(content))).duration_s else failures.UNREADABLE
    except EncodeFailed as refusal:
        code = refusal.code
    assert code in ("", *failures.REASONS)


def test_a_phone_held_upright_gives_an_upright_film(tmp_path):
    half = "color=black:size=128x72:rate=10:duration=1,drawbox=w=64:h=72:color=white:t=fill"
    lying = made("lying.mp4", "-f", "lavfi", "-i", half, *CODED)
    # The matrix of the track header turns by 90 degrees, as phones write it.
    turned = struct.pack(">9i", 0, 65536, 0, -65536, 0, 0, 72 * 65536, 0, 1 << 30)
    made_of_it = encode(boxes_changed(lying, tmp_path, {(b"tkhd", 40): turned}), encryption=OPEN)
    (picture,) = made_of_it.renditions
    assert (picture["name"], picture["width"], picture["height"]) == ("v72", 72, 128)
    read = [FFMPEG, "-v", "error", "-i", made_of_it.folder / "v72.mp4", "-frames:v", "1", "-vf"]
    read += ["scale=1:2,format=gray", "-f", "rawvideo", "-"]
    above, below = subprocess.run(read, capture_output=True, check=True).stdout
    assert above > 200
    assert below < 50


@pytest.mark.parametrize("told", [b"abc", b"nan", b"090"])
def test_a_turn_that_only_a_tag_tells_is_not_believed_as_ffmpeg_does_not_either(told, tmp_path):
    film = made("tagged.mkv", *BARS, *CODED, "-metadata:s:v", "ROTATE=@@@").read_bytes()
    assert film.count(b"ROTATE") == film.count(b"@@@") == 1
    info = probed(written(tmp_path, film.replace(b"ROTATE", b"rotate").replace(b"@@@", told), "film.mkv")).source_info
    assert (info["width"], info["height"], info["rotation"]) == (64, 36, 0)


def test_pixels_that_are_not_square_are_made_so():
    wide = made("wide.mp4", *BARS, "-vf", "setsar=2", *CODED)
    info = probed(wide).outcome["info"]
    assert (info["width"], info["height"]) == (128, 36)


def test_8k_is_taken_and_made_smaller_and_more_is_not(tmp_path):
    large = ("-f", "lavfi", "-i", "color=gray:size=7680x4320:rate=1:duration=1")
    outcome = probed(made("8k.mov", *large, "-c:v", "mjpeg")).outcome
    assert [rung["name"] for rung in outcome["ladder"]] == ["v720", "v480"]
    tiny = made("tiny.mp4", "-f", "lavfi", "-i", "color=gray:size=8x8:rate=10:duration=1", *CODED)
    assert refused(tiny) == failures.UNREADABLE


def test_frames_that_come_anyhow_are_noticed():
    film = made("gaps.mp4", *BARS, "-vf", "select='mod(n,3)'", "-fps_mode", "vfr", *CODED)
    info = probed(film).outcome["info"]
    assert info["is_variable"]
    assert info["frame_rate"] == "10/1"
