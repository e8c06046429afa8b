"""What an uploaded file is, as far as its boxes tell without decoding anything."""

import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

SAMPLE = Path(__file__).parent.parent / "vdocipher" / "static" / "sample.webm"
SAMPLE_DURATION_S, SAMPLE_WIDTH, SAMPLE_HEIGHT = 48.0, 480, 270

HEAD_BYTES = 64 * 1024
EBML = b"\x1a\x45\xdf\xa3"
KNOWN_BOXES = (b"ftyp", b"moov", b"mdat", b"free", b"skip", b"wide", b"moof", b"sidx", b"uuid", b"styp", b"mfra")
OTHER_MARKS = (
    (0, b"RIFF"),
    (0, b"FLV"),
    (0, b"OggS"),
    (0, b"\x00\x00\x01\xba"),
    (0, b"\x00\x00\x01\xb3"),
    (0, b"\x30\x26\xb2\x75"),
    (0, b"\x47"),
)
# Matroska: TimestampScale (4 bytes at most) and Duration (a float of 4 or 8 bytes)
MATROSKA_SCALE = re.compile(rb"\x2a\xd7\xb1([\x81-\x84])(.{4})", re.DOTALL)
MATROSKA_DURATION = re.compile(rb"\x44\x89(?:\x84(.{4})|\x88(.{8}))", re.DOTALL)


class NotAVideo(ValueError):
    """The file begins like no container of moving pictures."""


class BrokenVideo(ValueError):
    """The file begins like a video and ends too early."""


@dataclass(frozen=True)
class Media:
    """`content_type` is empty when browsers do not play the file; sizes and length are the sample's where unknown."""

    duration_s: float = SAMPLE_DURATION_S
    width: int = SAMPLE_WIDTH
    height: int = SAMPLE_HEIGHT
    content_type: str = ""


def examine(path: Path) -> Media:
    """Length and size of a video file; raises NotAVideo or BrokenVideo."""
    size = path.stat().st_size
    with path.open("rb") as file:
        head = file.read(HEAD_BYTES)
        if head.startswith(EBML):
            return Media(duration_s=_matroska_duration(head), content_type="video/webm" if b"webm" in head[:64] else "")
        if head[4:8] in (b"ftyp", b"moov", b"mdat"):
            return _mp4(file, size)
    if any(head[at : at + len(mark)] == mark for at, mark in OTHER_MARKS):
        return Media()
    raise NotAVideo(path.name)


def _matroska_duration(head: bytes) -> float:
    found = MATROSKA_DURATION.search(head)
    if not found:
        return SAMPLE_DURATION_S
    (ticks,) = struct.unpack(">f", found[1]) if found[1] else struct.unpack(">d", found[2])
    scale = MATROSKA_SCALE.search(head)
    nanoseconds = int.from_bytes(scale[2][: scale[1][0] - 0x80], "big") if scale else 1_000_000
    return float(ticks * nanoseconds / 1e9)


def _mp4(file: BinaryIO, size: int) -> Media:
    moov = b""
    for kind, start, length in _boxes(file, size):
        if kind not in KNOWN_BOXES:
            return Media()
        if start + length > size:
            raise BrokenVideo(f"{kind!r} ends after the file")
        if kind == b"moov":
            file.seek(start)
            moov = file.read(length)
    if not moov:
        return Media()
    width, height = _picture_size(moov)
    return Media(_movie_duration(moov), width, height, "video/mp4")


def _boxes(file: BinaryIO, size: int) -> Iterator[tuple[bytes, int, int]]:
    """(type, start of the content, length of the content) of each box at the top."""
    at = 0
    while at + 8 <= size:
        file.seek(at)
        header = file.read(16)
        length, kind, start = int.from_bytes(header[:4], "big"), header[4:8], 8
        if length == 1:
            length, start = int.from_bytes(header[8:16], "big"), 16
        elif length == 0:
            length = size - at
        if length < start:
            return
        yield kind, at + start, length - start
        at += length


def _movie_duration(moov: bytes) -> float:
    at = moov.find(b"mvhd") + 4
    if at < 4 or len(moov) < at + 32:
        raise BrokenVideo("no movie header")
    if moov[at] == 1:
        scale, ticks = struct.unpack_from(">IQ", moov, at + 20)
    else:
        scale, ticks = struct.unpack_from(">II", moov, at + 12)
    if not scale:
        raise BrokenVideo("a movie header without a time scale")
    return float(ticks / scale) if ticks else SAMPLE_DURATION_S


def _picture_size(moov: bytes) -> tuple[int, int]:
    """The first track with a picture; its size stands at the end of its header as 16.16 numbers."""
    at = moov.find(b"tkhd")
    while at >= 0:
        end = at - 4 + int.from_bytes(moov[at - 4 : at], "big")
        if at + 8 < end <= len(moov):
            width, height = struct.unpack_from(">II", moov, end - 8)
            if width and height:
                return width >> 16, height >> 16
        at = moov.find(b"tkhd", at + 4)
    return SAMPLE_WIDTH, SAMPLE_HEIGHT
