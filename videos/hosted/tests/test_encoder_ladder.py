from fractions import Fraction

import pytest

from videos.hosted.encoders.ffmpeg.ladder import constant_rate, gop_frames, ladder
from videos.hosted.encoders.ffmpeg.video import stretches


@pytest.mark.parametrize(
    ("source", "preset", "made"),
    [
        ((7680, 4320), "high", ["v1080 1920x1080", "v720 1280x720", "v480 854x480"]),
        ((1920, 1080), "medium", ["v1080 1920x1080", "v720 1280x720", "v480 854x480"]),
        ((1920, 1080), "low", ["v720 1280x720", "v480 854x480"]),
        ((1080, 1920), "medium", ["v1080 1080x1920", "v720 720x1280", "v480 480x854"]),
        ((1920, 800), "medium", ["v800 1920x800", "v534 1280x534", "v356 854x356"]),
        ((1440, 1080), "medium", ["v1080 1440x1080", "v720 960x720", "v480 640x480"]),
        ((1600, 900), "medium", ["v900 1600x900", "v720 1280x720", "v480 854x480"]),
        ((960, 540), "medium", ["v480 854x480"]),
        ((640, 360), "medium", ["v360 640x360"]),
        ((321, 181), "high", ["v180 320x180"]),
    ],
)
def test_a_ladder_never_goes_above_its_source(source, preset, made):
    rungs = ladder(*source, Fraction(30), preset=preset)
    assert [f"{rung.name} {rung.width}x{rung.height}" for rung in rungs] == made


def test_fast_films_get_more_bits_and_small_ones_fewer():
    usual, fast = ladder(1280, 720, Fraction(30), preset="medium"), ladder(1280, 720, Fraction(60), preset="medium")
    assert [rung.kbits for rung in usual] == [2800, 1400]
    assert [rung.kbits for rung in fast] == [4200, 2100]
    assert ladder(640, 360, Fraction(30), preset="medium")[0].kbits < 1400


@pytest.mark.parametrize(
    ("average", "nominal", "rate"),
    [
        ("30", "30", "30"),
        ("30000/1001", "30000/1001", "30000/1001"),
        ("2997/100", "2997/100", "30000/1001"),
        ("359/12", "30000/1001", "30000/1001"),
        ("18", "30", "30"),
        ("120", "120", "60"),
        ("120000/1001", "120000/1001", "60000/1001"),
        ("29.87", "90000", "30000/1001"),
        ("7.3", "1000", "24000/1001"),
        ("10", "10", "10"),
        ("1/5", "1/5", "1"),
        ("0", "0", "25"),
        ("0", "90000", "25"),
    ],
)
def test_every_film_gets_a_constant_rate_of_at_most_60(average, nominal, rate):
    assert constant_rate(Fraction(average), Fraction(nominal)) == Fraction(rate)


def test_key_frames_are_two_seconds_apart():
    assert [gop_frames(Fraction(rate)) for rate in ("24", "30000/1001", "60", "1", "1/5")] == [48, 60, 120, 2, 1]


def test_stretches_meet_at_key_frames_and_the_last_one_is_open():
    rate = Fraction(30000, 1001)
    assert [(cut.first, cut.count) for cut in stretches(17_000, rate, chunk_s=300)] == [(0, None)]
    cuts = stretches(40_000, rate, chunk_s=300)
    assert [cut.first for cut in cuts] == [0, 9000, 18_000, 27_000]
    assert [cut.count for cut in cuts] == [9000, 9000, 9000, None]
    assert sum(cut.expected for cut in cuts) == 40_000
