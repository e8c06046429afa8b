"""The token in the address of a picture: which copy, when in the film and how large, good until its end."""

import base64
import binascii
import json
import math
import time
from dataclasses import dataclass

from django.core import signing

from videos.services.errors import SignatureInvalid

STEP_S = 300
"""Addresses of one picture are the same for so long, so that a browser can tell that it has it."""

_SIGNER = signing.Signer(salt="videos.hosted.picture", sep=".")


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """A picture of one copy at `second`; sizes in pixels, None for the picture's own."""

    alias: str
    host_id: str
    second: float
    width: int | None = None
    height: int | None = None


def make(wanted: Wanted, *, ttl_s: int) -> str:
    """A token that is good for `ttl_s`, and up to five minutes more."""
    ends_at = (math.ceil((time.time() + ttl_s) / STEP_S)) * STEP_S
    values = [wanted.alias, wanted.host_id, wanted.second, wanted.width, wanted.height, ends_at]
    text = json.dumps(values, separators=(",", ":")).encode()
    return _SIGNER.sign(base64.urlsafe_b64encode(text).rstrip(b"=").decode())


def read(token: str) -> Wanted:
    """What was signed here and is still good; raises SignatureInvalid."""
    try:
        value = _SIGNER.unsign(token)
        text = base64.urlsafe_b64decode(value + "=" * (-len(value) % 4))
        alias, host_id, second, width, height, ends_at = json.loads(text)
    except (signing.BadSignature, binascii.Error, ValueError):
        raise SignatureInvalid() from None
    if ends_at < time.time():
        raise SignatureInvalid()
    return Wanted(alias=alias, host_id=host_id, second=second, width=width, height=height)
