"""Whether our own host works: what operators and `manage.py check` are told before teachers and viewers find out."""

import os
import shutil
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Literal

from django.conf import settings
from django.core.checks import CheckMessage, Error
from django.utils import timezone

from videos.hosted.hosts import HostParts, hosts
from videos.hosted.models import Step
from videos.hosted.seams.keys import KeyStoreUnavailable, KeyUnreadable
from videos.hosted.seams.store import StoreUnavailable
from videos.hosted.services.content_keys.rotation import due_rotations
from videos.providers.exceptions import ProviderMisconfigured

DEVELOPMENT_KEY = "development"
"""The id of a key-encryption key that follows from SECRET_KEY."""
OVERDUE_S = 600
GB = 1000**3
SCARCE_BYTES = 20 * GB
FULL_BYTES = 2 * GB

Level = Literal["ok", "warning", "error"]


@dataclass(frozen=True, kw_only=True)
class Finding:
    """What one check found, in one sentence; `about` names what was checked."""

    host: str
    about: str
    level: Level
    detail: str


def check_hosts() -> list[Finding]:
    """Every check of every host of ours; writes and deletes a small file in each store, and asks each key store."""
    try:
        found = hosts()
    except ProviderMisconfigured as error:
        return [Finding(host="-", about="configuration", level="error", detail=str(error))]
    if not found:
        return [Finding(host="-", about="configuration", level="warning", detail="No host of ours is configured.")]
    told = [finding for alias, parts in found.items() for finding in check_host(alias, parts)]
    return [*told, _queue(), *_ages()]


def check_host(alias: str, parts: HostParts) -> Iterator[Finding]:
    """The checks of one host, in the order in which a file would meet them."""
    checks: dict[str, Callable[[], Iterable[tuple[Level, str]]]] = {
        "store": partial(_store, parts),
        "keys": partial(_keys, parts),
        "tools": partial(_tools, parts),
        "work folder": partial(_work_folder, parts),
        "delivery": partial(_delivery, parts),
    }
    for about, check in checks.items():
        try:
            found = list(check())
        except (ProviderMisconfigured, StoreUnavailable, KeyStoreUnavailable, KeyUnreadable) as error:
            found = [("error", str(error))]
        for level, detail in found:
            yield Finding(host=alias, about=about, level=level, detail=detail)


def problems(parts: HostParts, place: str) -> list[CheckMessage]:
    """What is wrong with keys and folders, found without asking anybody and without writing anything."""
    try:
        key_store = parts.get_key_store()
    except ProviderMisconfigured:
        return []
    found: list[CheckMessage] = [Error(f"{place}: {text}", id="videos.E009") for text in key_store.problems()]
    if not found and key_store.holds(DEVELOPMENT_KEY) and not settings.DEBUG:
        told = f"{place}: a key-encryption key follows from SECRET_KEY, which is for development alone."
        found.append(Error(told, hint="Give it keys of its own, made with: openssl rand -base64 32", id="videos.E010"))
    if not _is_writable(parts.work_path):
        found.append(Error(f"{place}: the work folder {parts.work_path} cannot be written.", id="videos.E011"))
    return found


def _store(parts: HostParts) -> Iterator[tuple[Level, str]]:
    parts.get_store().probe()
    yield "ok", "A file was written, read and deleted."


def _keys(parts: HostParts) -> Iterator[tuple[Level, str]]:
    key_store = parts.get_key_store()
    key_store.probe()
    yield "ok", f"A content key was wrapped and opened again by {key_store.primary}."
    for former in parts.get_former_key_stores():
        former.probe()
    if key_store.holds(DEVELOPMENT_KEY):
        yield "warning", "The key-encryption key follows from SECRET_KEY: for development alone."


def _tools(parts: HostParts) -> Iterator[tuple[Level, str]]:
    encoder = parts.get_encoder()
    schemes = encoder.schemes()
    for problem in encoder.problems():
        yield ("warning" if schemes else "error"), problem
    if schemes:
        yield "ok", f"Packages can be made here: {', '.join(schemes)}."


def _work_folder(parts: HostParts) -> Iterator[tuple[Level, str]]:
    if not _is_writable(parts.work_path):
        yield "error", f"{parts.work_path} cannot be written."
        return
    free = shutil.disk_usage(_existing(parts.work_path)).free
    level: Level = "error" if free < FULL_BYTES else "warning" if free < SCARCE_BYTES else "ok"
    yield level, f"{free / GB:.1f} GB are free at {parts.work_path}."


def _delivery(parts: HostParts) -> Iterator[tuple[Level, str]]:
    found = parts.get_delivery().problems(parts.get_store())
    yield from (("error", problem) for problem in found)
    if not found:
        yield "ok", "Media can be delivered from this store."


def _queue() -> Finding:
    now = timezone.now()
    overdue = Step.objects.to_take(now - timedelta(seconds=OVERDUE_S))
    oldest = overdue.first()
    if oldest is None:
        return Finding(host="-", about="queue", level="ok", detail="No work has been waiting for long.")
    minutes = (now - oldest.due_at).total_seconds() / 60
    told = f"{overdue.count()} steps wait, the first for {minutes:.0f} min: is a worker of the queue transcode running?"
    return Finding(host="-", about="queue", level="error", detail=told)


def _ages() -> Iterator[Finding]:
    for due in due_rotations(timezone.now()):
        detail = f"{due.count} {due.what} in use since {due.since:%Y-%m-%d}: {due.advice}."
        yield Finding(host="-", about="key age", level="warning", detail=detail)


def _is_writable(path: Path) -> bool:
    found = _existing(path)
    return found.is_dir() and os.access(found, os.W_OK | os.X_OK)


def _existing(path: Path) -> Path:
    """The folder itself, or what is nearest above it."""
    return next(place for place in (path, *path.absolute().parents) if place.exists())
