"""The values of tus headers, read: https://tus.io/protocols/resumable-upload"""

import base64
import binascii
import re
import unicodedata
from collections.abc import Mapping

from videos.hosted.services.uploading.tus import ALGORITHMS, Checksum
from videos.services.errors import InvalidRequest

METADATA_MAX = 4000
_NUMBER = re.compile(r"[0-9]{1,15}")
_KEY = re.compile(r"[!-+\--~]{1,255}")  # printable ASCII without space and comma


def whole_number(value: str | None, name: str) -> int:
    """A count of bytes; raises InvalidRequest."""
    if value is None or not _NUMBER.fullmatch(value):
        raise InvalidRequest("invalid_header", attr=name, detail=f"{name} must be a whole number of bytes.")
    return int(value)


def metadata(value: str) -> dict[str, str]:
    """`Upload-Metadata` as texts by key, without control characters; raises InvalidRequest."""
    pairs = [pair.strip() for pair in value.split(",")] if value.strip() else []
    found: dict[str, str] = {}
    for pair in pairs:
        key, _, encoded = pair.partition(" ")
        if not _KEY.fullmatch(key) or key in found or len(value) > METADATA_MAX:
            raise _bad_metadata()
        try:
            text = base64.b64decode(encoded, validate=True).decode()
        except (binascii.Error, ValueError):
            raise _bad_metadata() from None
        found[key] = "".join(character for character in text if not unicodedata.category(character).startswith("C"))
    return found


def first_of(values: Mapping[str, str], *names: str) -> str:
    """The first of these that says something, else nothing: clients name the same thing differently."""
    return next((found for name in names if (found := values.get(name, "").strip())), "")


def checksum(value: str | None) -> Checksum | None:
    """`Upload-Checksum`; raises InvalidRequest, also for an algorithm that is not offered."""
    if value is None:
        return None
    algorithm, _, encoded = value.partition(" ")
    if algorithm not in ALGORITHMS:
        raise InvalidRequest(
            "checksum_unsupported", attr="Upload-Checksum", detail=f"Checksums are {', '.join(ALGORITHMS)}."
        )
    try:
        return Checksum(algorithm=algorithm, digest=base64.b64decode(encoded, validate=True))
    except (binascii.Error, ValueError):
        raise InvalidRequest("invalid_header", attr="Upload-Checksum", detail="This is no checksum.") from None


def _bad_metadata() -> InvalidRequest:
    return InvalidRequest(
        "invalid_header",
        attr="Upload-Metadata",
        detail=f"Upload-Metadata holds different ASCII keys, each with a text in base64, {METADATA_MAX} characters "
        "in all.",
    )
