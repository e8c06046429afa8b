"""Moving wrapped content keys to the primary key-encryption key, from an older one or from a former key store.

Row by row, each changed only if nobody changed it meanwhile: it may be stopped anywhere, run again, run twice at once,
and it never brings back a key that was destroyed.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass

from django.db.models import Count, QuerySet
from django.utils import timezone

from videos.hosted.hosts import HostParts
from videos.hosted.models import ContentKey
from videos.hosted.seams.keys import KeyStore, KeyUnreadable, WrappedKey
from videos.hosted.services.content_keys.keys import store_of
from videos.services.host_calls import ask_host

logger = logging.getLogger(__name__)

BATCH = 100


@dataclass(kw_only=True)
class Rewrapped:
    """How many rows were moved, found moved by somebody else, and could not be opened."""

    moved: int = 0
    moved_elsewhere: int = 0
    unreadable: int = 0

    @property
    def seen(self) -> int:
        return self.moved + self.moved_elsewhere + self.unreadable


def left_by_wrapper(alias: str, primary: str) -> dict[str, int]:
    """How many content keys of this host are under which other key-encryption key."""
    rows = _not_under(primary, alias).order_by("wrapped_by").values("wrapped_by").annotate(count=Count("pk"))
    return {row["wrapped_by"]: row["count"] for row in rows}


def rewrap(
    alias: str,
    parts: HostParts,
    *,
    batch: int = BATCH,
    on_batch: Callable[[Rewrapped], object] = lambda done: None,
) -> Rewrapped:
    """Move every content key of this host to the primary key-encryption key of its key store.

    `on_batch` hears how far it is. A key that does not open is logged and left; raises KeyStoreUnavailable, with what
    is moved so far moved.
    """
    store, done, last = parts.get_key_store(), Rewrapped(), 0
    primary = ask_host(lambda: store.primary)
    while rows := list(_not_under(primary, alias).filter(pk__gt=last).select_related("video")[:batch]):
        for key in rows:
            _move(key, store, parts, done)
        last = rows[-1].pk
        on_batch(done)
    return done


def _not_under(primary: str, alias: str) -> QuerySet[ContentKey]:
    left = ContentKey.objects.filter(video__alias=alias).exclude(wrapped="").exclude(wrapped_by=primary)
    return left.order_by("pk")


def _move(key: ContentKey, store: KeyStore, parts: HostParts, done: Rewrapped) -> None:
    try:
        wrapped = ask_host(lambda: _rewrapped(key, store, parts))
    except KeyUnreadable as error:
        logger.error("Content key %s cannot be moved: %s", key.kid, error)
        done.unreadable += 1
        return
    unchanged = ContentKey.objects.filter(pk=key.pk, wrapped=key.wrapped)
    moved = unchanged.update(wrapped=wrapped.blob, wrapped_by=wrapped.wrapped_by, rewrapped_at=timezone.now())
    if moved:
        done.moved += 1
    else:
        done.moved_elsewhere += 1


def _rewrapped(key: ContentKey, store: KeyStore, parts: HostParts) -> WrappedKey:
    if store.holds(key.wrapped_by):
        return store.rewrap(key.wrapped, key.context)
    return store.wrap(store_of(key, parts).unwrap(key.wrapped, key.context), key.context)
