"""Whether a file begins as the containers of video that are taken do, whatever it is called."""

HEAD_BYTES = 400

_BOXES = {b"ftyp", b"moov", b"mdat", b"free", b"skip", b"wide", b"pnot", b"styp"}
_STARTS = (
    b"\x1a\x45\xdf\xa3",  # Matroska, WebM
    b"FLV\x01",
    b"OggS",
    b"\x30\x26\xb2\x75\x8e\x66\xcf\x11",  # ASF: WMV
    b"\x00\x00\x01\xba",  # MPEG program stream
)


def is_media(head: bytes) -> bool:
    """Whether these first `HEAD_BYTES` bytes are those of a container that may hold video."""
    if head.startswith(_STARTS) or head[4:8] in _BOXES:
        return True
    if head[:4] in (b"RIFF", b"RF64") and head[8:12] == b"AVI ":
        return True
    return _is_transport_stream(head)


def _is_transport_stream(head: bytes) -> bool:
    # Packets of 188 bytes, each begun by 0x47; in M2TS behind four bytes of time.
    return any(
        len(head) > first + length and head[first] == head[first + length] == 0x47
        for first, length in ((0, 188), (4, 192), (0, 204))
    )
