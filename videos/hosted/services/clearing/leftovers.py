"""What lies in a store although its row says that it is gone, or although there is no such row.

A process that was stopped for long may write once more after its files were removed. Rows are written before files, so
that what has no row at all comes from another database, or from one that was put back from a copy.
"""

import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from uuid import UUID

from videos.hosted.models import HostedVideo, Package, PackageState, Transcode
from videos.hosted.seams.store import Store

OLD_S = 24 * 3600
BATCH = 500
_PLACE = re.compile(r"[0-9a-f]{32}/(?:[pw]/[0-9a-f]{32}/)?")


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
    prefixes = iter(sorted(newest))
    while batch := list(islice(prefixes, BATCH)):
        are_gone = _are_gone(alias, batch)
        for prefix in batch:
            owner = f"{prefix.partition('/')[0]}/"
            if are_gone.get(owner) is False and are_gone.get(prefix) is False:
                continue
            is_known = are_gone.get(owner) is True or (owner in are_gone and prefix in are_gone)
            yield Leftover(prefix=prefix, is_known=is_known, is_old=newest[prefix] < before)


def _are_gone(alias: str, prefixes: list[str]) -> dict[str, bool]:
    """What the rows say of videos, packages and jobs at these prefixes; three statements. No row, no entry."""
    owners = {UUID(prefix[:32]) for prefix in prefixes}
    parts = {UUID(prefix[-33:-1]) for prefix in prefixes}
    videos = HostedVideo.objects.filter(alias=alias, public_id__in=owners).values_list("public_id", "emptied_at")
    told = {f"{video.hex}/": emptied_at is not None for video, emptied_at in videos}
    packages = Package.objects.filter(video__alias=alias, public_id__in=parts).select_related("video")
    told |= {package.prefix: package.state == PackageState.EMPTIED for package in packages}
    jobs = Transcode.objects.filter(video__alias=alias, public_id__in=parts).select_related("video")
    return told | {job.work_prefix: job.cleaned_at is not None for job in jobs}


def _changed_at(store: Store, key: str) -> float:
    """Seconds since the epoch; 0 where the store does not tell."""
    path = store.local_path(key)
    return path.stat().st_mtime if path else 0.0
