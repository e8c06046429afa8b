"""MPEG-DASH manifests as one viewing gets them: signed addresses, and where ClearKey players ask for licences."""

import re
from collections.abc import Callable
from functools import cache
from html import unescape
from xml.sax.saxutils import escape

TYPE = "application/dash+xml"
_BASE_URL = re.compile(r"<BaseURL>([^<]*)</BaseURL>")
_MP4_PROTECTION = re.compile(
    r"<ContentProtection\b(?=[^>]*\burn:mpeg:dash:mp4protection:2011\b)[^>]*?(?:/>|>.*?</ContentProtection>)", re.DOTALL
)
_CLEARKEY = (
    '<ContentProtection schemeIdUri="urn:uuid:e2719d58-a985-b3c9-781a-b030af78d30e" value="ClearKey1.0">'
    '<dashif:Laurl xmlns:dashif="https://dashif.org/CPS" licenseType="EME-1.0">{url}</dashif:Laurl>'
    "{pssh}</ContentProtection>"
)
_PSSH = re.compile(r"<cenc:pssh>[^<]*</cenc:pssh>")


def rewrite(body: str, *, address_of: Callable[[str], str], licence_url: str) -> str:
    """The manifest with the addresses of its files, each signed once, and `licence_url` (absolute, or empty: none)."""
    signed_once = cache(address_of)
    signed = _BASE_URL.sub(lambda found: f"<BaseURL>{escape(signed_once(unescape(found[1])))}</BaseURL>", body)
    if not licence_url:
        return signed
    # Without it Shaka Player makes one of its own beside the packager's, and asks for a second licence of the same key.
    pssh = _PSSH.search(body)
    clearkey = _CLEARKEY.format(url=escape(licence_url), pssh=pssh[0] if pssh else "")
    return _MP4_PROTECTION.sub(lambda found: found[0] + clearkey, signed)
