"""What lies in a store although its row says that it is gone, or although there is no such row.

A process that was stopped for long may write once more after its files were removed. Rows are written before files, so
that what has no row at all comes from another database, or from one that was put back from a copy.
"""

import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from uuid import UUID

from videos.hosted.models import HostedVideo, Package, PackageState, Transcode
from videos.hosted.seams.store import Store

OLD_S = 24 * 3600
_PLACE = re.compile(r"(?P<video>[0-9a-f]{32})/(?:(?P<kind>[pw])/(?P<part>[0-9a-f]{32})/)?")


@dataclass(frozen=True, kw_only=True)
class Leftover:
    """`is_known`: a row says that it is gone. `is_old`: nothing in it changed for a day, as far as the store tells."""

    prefix: str
    is_known: bool
    is_old: bool


def find(alias: str, store: Store) -> Iterator[Leftover]:
    """Everything below the prefixes of videos that nobody needs; reads the names of all files in the store."""
    newest: dict[str, float] = {}
    for key in store.keys(""):
        if place := _PLACE.match(key):
            newest[place[0]] = max(newest.get(place[0], 0.0), _changed_at(store, key))
    before = time.time() - OLD_S
    for prefix, changed_at in sorted(newest.items()):
        if (is_known := _is_gone(alias, prefix)) is not None:
            yield Leftover(prefix=prefix, is_known=is_known, is_old=changed_at < before)


def _is_gone(alias: str, prefix: str) -> bool | None:
    """True when a row says so, False when there is no row, None when somebody needs it."""
    place = _PLACE.match(prefix)
    if place is None:
        return None
    video = HostedVideo.objects.filter(alias=alias, public_id=UUID(place["video"])).first()
    if video is None or video.emptied_at is not None:
        return video is not None
    if place["kind"] == "p":
        package = Package.objects.filter(video=video, public_id=UUID(place["part"])).first()
        return None if package and package.state != PackageState.EMPTIED else package is not None
    if place["kind"] == "w":
        transcode = Transcode.objects.filter(video=video, public_id=UUID(place["part"])).first()
        return None if transcode and transcode.cleaned_at is None else transcode is not None
    return None


def _changed_at(store: Store, key: str) -> float:
    """Seconds since the epoch; 0 where the store does not tell."""
    path = store.local_path(key)
    return path.stat().st_mtime if path else 0.0
