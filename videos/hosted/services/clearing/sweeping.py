"""What nobody else comes back to: work that was left behind, and files, folders, keys and rows that nobody needs.

Every piece is found by rows, is done by itself, and may be done twice.
"""

import logging
import shutil
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from django.utils import timezone

from videos import conf
from videos.hosted.hosts import HostParts, host
from videos.hosted.models import (
    ContentKey,
    HostedVideo,
    Package,
    PackageState,
    SpentToken,
    Transcode,
    TranscodeState,
    Upload,
)
from videos.hosted.seams.keys import KeyStoreUnavailable
from videos.hosted.seams.store import StoreUnavailable
from videos.hosted.services.clearing import emptying, leftovers, licence_ages, unknown_copies
from videos.hosted.services.content_keys import keys
from videos.hosted.services.transcoding import transcodes, work_folders
from videos.hosted.services.uploading import multipart, uploads
from videos.providers.exceptions import ProviderMisconfigured
from videos.providers.registry import providers

logger = logging.getLogger(__name__)

BATCH = 100
RING_MAX = 20
"""Jobs that a worker is called for in one run, whose calls pile up while all workers are busy."""
RECENT = timedelta(days=7)
FAILING_S_MAX = 60
"""What failing may cost in a run before the rest of that host waits for the next one: a dead store takes minutes."""
_EXPECTED = (StoreUnavailable, KeyStoreUnavailable, ProviderMisconfigured, OSError)


@dataclass(frozen=True, kw_only=True)
class Chore:
    """One piece of the sweep: `what` for people, `do` does it."""

    what: str
    do: Callable[[], object]
    alias: str = ""


def sweep(*, is_thorough: bool = False, removes_unknown: bool = False) -> int:
    """Do what is to be done now; gives how many pieces were. A piece that fails is logged and met again next time.

    A thorough run also looks through everything in the stores and all older rows. `removes_unknown` removes what lies
    in a store and no row speaks of: not to be used when several databases share a store.
    """
    failing_s: dict[str, float] = defaultdict(float)
    done = 0
    for chore in chores(is_thorough=is_thorough, removes_unknown=removes_unknown):
        if chore.alias and failing_s[chore.alias] > FAILING_S_MAX:
            continue
        began = time.monotonic()
        try:
            chore.do()
            done += 1
        except Exception as error:
            failing_s[chore.alias] += time.monotonic() - began
            logger.log(logging.ERROR, "Could not %s: %s", chore.what, error, exc_info=not isinstance(error, _EXPECTED))
    return done


def chores(*, is_thorough: bool = False, removes_unknown: bool = False) -> Iterator[Chore]:
    """What is to be done now, found while it is iterated."""
    now = timezone.now()
    since = None if is_thorough else now - RECENT
    finders: list[Callable[[], Iterator[Chore]]] = [
        _left_steps,
        lambda: _uploads(now),
        lambda: _tokens(now),
        lambda: _licences(now) if is_thorough else iter(()),
    ]
    for alias in providers:
        finders += [
            lambda alias=alias: _of_host(alias, now, since),  # type: ignore[misc]
            lambda alias=alias: _in_store(alias, removes_unknown) if is_thorough else iter(()),  # type: ignore[misc]
        ]
    for find in finders:
        try:
            yield from find()
        except _EXPECTED as error:
            logger.error("The sweep could not look for its work: %s", error)


def _left_steps() -> Iterator[Chore]:
    for transcode_id in transcodes.waiting(most=RING_MAX):
        yield Chore(
            what=f"call a worker for transcode {transcode_id}",
            do=partial(conf.enqueue, "videos.hosted.run_steps", transcode_id),
        )


def _uploads(now: datetime) -> Iterator[Chore]:
    overdue = Upload.objects.overdue(now).count()
    yield Chore(what=f"end {overdue} overdue uploads, and remove what came of ended ones", do=uploads.end_overdue)
    if multipart.to_finish().exists():
        yield Chore(what="complete uploads whose parts are all at their bucket", do=multipart.finish_begun)
    if multipart.to_give_up().exists():
        yield Chore(what="remove from their buckets what came of ended uploads", do=multipart.give_up_ended)


def _tokens(now: datetime) -> Iterator[Chore]:
    spent = SpentToken.objects.filter(expires_at__lt=now)
    ids = list(spent.values_list("pk", flat=True)[: BATCH * 10])
    if ids:
        yield Chore(what=f"forget {len(ids)} spent tokens", do=SpentToken.objects.filter(pk__in=ids).delete)


def _licences(now: datetime) -> Iterator[Chore]:
    if licence_ages.old_licences(now).exists() or licence_ages.old_addresses(now).exists():
        yield Chore(what="forget old licences, and addresses in them", do=partial(licence_ages.forget, now))


def _of_host(alias: str, now: datetime, since: datetime | None) -> Iterator[Chore]:
    parts = _host(alias)
    if parts is None:
        return
    settled = now - timedelta(seconds=parts.step_lease_s)
    for video in HostedVideo.objects.filter(alias=alias, deleted_at__isnull=False, emptied_at=None)[:BATCH]:
        yield Chore(
            what=f"remove the files and keys of the deleted video {video.pk}",
            do=partial(emptying.empty_video, video, parts, now=now),
            alias=alias,
        )
    for package in _dead_packages(alias, now):
        yield Chore(
            what=f"remove package {package.pk} of video {package.video_id} ({package.state})",
            do=partial(emptying.empty_package, package, parts),
            alias=alias,
        )
    for transcode in _finished(alias, settled, since):
        yield Chore(
            what=f"remove the working files of transcode {transcode.pk}",
            do=partial(emptying.clean, transcode, parts),
            alias=alias,
        )
    if not parts.keeps_sources:
        yield from _sources(alias, parts, since)
    for folder in work_folders.left_folders(parts):
        yield Chore(what=f"remove the working folder {folder.name}", do=partial(shutil.rmtree, folder))
    if since is None:
        yield from _lone(alias, settled)


def _dead_packages(alias: str, now: datetime) -> list[Package]:
    dead = Package.objects.filter(state__in=[PackageState.RETIRED, PackageState.ABANDONED], empty_at__lte=now)
    ours = dead.filter(video__alias=alias, video__deleted_at=None)
    return list(ours.select_related("video", "key").order_by("empty_at")[:BATCH])


def _finished(alias: str, settled: datetime, since: datetime | None) -> list[Transcode]:
    finished = Transcode.objects.filter(cleaned_at=None, finished_at__lte=settled, video__alias=alias)
    if since is not None:
        finished = finished.filter(finished_at__gte=since)
    return list(finished.select_related("video").order_by("finished_at")[:BATCH])


def _sources(alias: str, parts: HostParts, since: datetime | None) -> Iterator[Chore]:
    """Originals that served: their packages play."""
    served = HostedVideo.objects.filter(alias=alias, package__isnull=False, deleted_at=None).exclude(source_key="")
    if since is not None:
        recent = Transcode.objects.filter(state=TranscodeState.COMPLETED, finished_at__gte=since)
        served = served.filter(pk__in=recent.values("video"))
    for video in served.exclude(transcodes__state__in=transcodes.RUNNING)[:BATCH]:
        yield Chore(
            what=f"remove the original of video {video.pk}",
            do=partial(emptying.remove_source, video, parts),
            alias=alias,
        )


def _lone(alias: str, before: datetime) -> Iterator[Chore]:
    """What a process that died between two lines left: keys nobody needs, packages of no job, copies of no video."""
    idle = HostedVideo.objects.filter(alias=alias).exclude(transcodes__state__in=transcodes.RUNNING)
    unused = ContentKey.objects.exclude(wrapped="").exclude(packages__state__in=keys.IN_USE)
    for key in unused.filter(video__in=idle, created_at__lt=before):
        yield Chore(what=f"destroy the unused key {key.kid}", do=partial(keys.destroy, key))
    building = Package.objects.filter(video__in=idle, state=PackageState.BUILDING, created_at__lt=before)
    if building.exists():
        yield Chore(
            what="give up packages that nobody builds",
            do=lambda: building.update(state=PackageState.ABANDONED, empty_at=timezone.now()),
        )
    unknown = unknown_copies.unknown_copies(alias, timezone.now())
    if unknown.exists():
        what = f"forget {unknown.count()} copies that never got a file and that no video has"
        yield Chore(what=what, do=unknown.delete)


def _in_store(alias: str, removes_unknown: bool) -> Iterator[Chore]:
    parts = _host(alias)
    if parts is None:
        return
    store = parts.get_store()
    for left in leftovers.find(alias, store):
        if left.is_known or (removes_unknown and left.is_old):
            yield Chore(
                what=f"remove {left.prefix} from the store of {alias}",
                do=partial(emptying.empty, store, left.prefix),
                alias=alias,
            )
        else:
            logger.warning("No row of this database speaks of %s in the store of %s.", left.prefix, alias)


def _host(alias: str) -> HostParts | None:
    provider = providers[alias]
    return host(alias) if isinstance(provider, HostParts) else None
