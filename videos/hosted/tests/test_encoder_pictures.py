"""The poster and the sheet of tiles: of the right moments, and not black."""

import subprocess

from videos.hosted.encoders.ffmpeg import FfmpegEncoder
from videos.hosted.encoders.ffmpeg.pictures import _chosen
from videos.hosted.tests.encoding import made, stages, store_with
from videos.hosted.tests.tools import FFMPEG

SECONDS = 13


def darkening():
    """Black for five seconds, then brighter with every second."""
    shade = "if(lt(T,5),16,60+floor(T)*10)"
    picture = f"nullsrc=size=64x36:rate=10:duration={SECONDS},geq=lum='{shade}':cb=128:cr=128"
    return made("bright.mp4", "-f", "lavfi", "-i", picture, "-c:v", "libx264", "-preset", "ultrafast", "-g", "33")


def shades(picture, tiles):
    """The middle grey of each of so many columns of a picture."""
    shape = f"scale={tiles}:1:flags=area,format=gray"
    read = [FFMPEG, "-v", "error", "-i", picture, "-vf", shape, "-f", "rawvideo", "-"]
    return list(subprocess.run(read, capture_output=True, check=True).stdout)


def test_tiles_show_their_moment_and_the_poster_is_not_black():
    """In stretches of four seconds, so that pictures come out of several of them."""
    packaged = stages(FfmpegEncoder(chunk_s=4), store_with(darkening()))[1]
    pictures = packaged.pictures
    assert {name: pictures[name] for name in ("columns", "rows", "count", "interval_s", "width", "height")} == {
        **{"columns": 7, "rows": 1, "count": 7, "interval_s": 2.0, "width": 160, "height": 90}
    }
    tiles = shades(packaged.folder / pictures["sprite"], 7)
    wanted = [0 if second < 5 else (60 + second * 10 - 16) * 255 / 219 for second in range(0, 14, 2)]
    assert all(abs(tile - want) < 12 for tile, want in zip(tiles, wanted, strict=True)), (tiles, wanted)
    (poster,) = shades(packaged.folder / pictures["poster"], 1)
    assert abs(poster - wanted[3]) < 12


def test_a_poster_is_chosen_behind_the_beginning_and_neither_dark_nor_blank():
    assert _chosen([200.0] * 2 + [90.0] * 18) == 2
    assert _chosen([90.0] + [10.0] * 5 + [240.0, 100.0]) == 7
    assert _chosen([10.0] * 5) == 1
    assert _chosen([10.0]) == 0
    assert _chosen([100.0] + [10.0] * 20) == 0
