"""HLS playlists as one viewing gets them: addresses that are signed for it, and keys that its player understands."""

import base64
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cache
from uuid import UUID

TYPE = "application/vnd.apple.mpegurl"
_URI = re.compile(r'URI="([^"]*)"')


@dataclass(frozen=True, kw_only=True)
class Keys:
    """Where keys come from: `clearkey_kid`, None without a ClearKey server, and for AES-128 `url`, made when needed."""

    clearkey_kid: UUID | None = None
    url: Callable[[], str] = str


def rewrite(body: str, *, address_of: Callable[[str], str], keys: Keys) -> str:
    """The playlist with the addresses of its files, each signed once; other playlists are named as they were."""
    signed, keys = cache(address_of), replace(keys, url=cache(keys.url))
    return "\n".join(line for written in body.splitlines() for line in _lines(written, signed, keys)) + "\n"


def _lines(line: str, address_of: Callable[[str], str], keys: Keys) -> Iterator[str]:
    if line.startswith("#EXT-X-KEY:"):
        yield from _key_lines(line, keys)
    elif line.startswith("#EXT") and 'URI="' in line:
        yield _URI.sub(lambda found: f'URI="{_address(found[1], address_of)}"', line)
    elif line and not line.startswith("#"):
        yield _address(line, address_of)
    elif not line.startswith("##"):
        yield line


def _address(name: str, address_of: Callable[[str], str]) -> str:
    return name if name.endswith(".m3u8") else address_of(name)


def _key_lines(line: str, keys: Keys) -> Iterator[str]:
    """The packager's `identity` line names an address that only FairPlay can load, and other players stop at it:
    https://github.com/shaka-project/shaka-packager/issues/439
    """
    if "METHOD=AES-128" in line:
        yield _URI.sub(lambda _: f'URI="{keys.url()}"', line)
    elif 'KEYFORMAT="identity"' not in line:
        if keys.clearkey_kid:
            yield clearkey_line(keys.clearkey_kid)
        yield line


def clearkey_line(kid: UUID) -> str:
    """What hls.js reads to ask a ClearKey licence server."""
    data = base64.b64encode(kid.bytes).decode()
    return (
        f'#EXT-X-KEY:METHOD=SAMPLE-AES,URI="data:text/plain;base64,{data}",'
        'KEYFORMAT="org.w3.clearkey",KEYFORMATVERSIONS="1"'
    )
