"""Content keys: made, opened for as long as an answer or a package takes, revoked, destroyed.

The key store is never asked inside a transaction. A plain key stays in this process for a minute at most, and nowhere
else: not in the cache, not in a row, not in a log.
"""

import logging
import secrets
from collections.abc import Callable
from typing import TypeVar

from django.db import IntegrityError, transaction
from django.db.models import Max
from django.utils import timezone

from videos.hosted.hosts import HostParts, host
from videos.hosted.models import ContentKey, HostedVideo, KeyState, Package, PackageState, Scheme
from videos.hosted.seams.encoder import Encryption
from videos.hosted.seams.keys import KeyStore, KeyUnreadable
from videos.hosted.seams.licence import KeyMaterial
from videos.hosted.services.content_keys.plain_keys import plain_keys
from videos.services.host_calls import ask_host

logger = logging.getLogger(__name__)

IV_BYTES = 16
ATTEMPTS = 20
"""So many others may take the next version first, all at once."""
IN_USE = (PackageState.BUILDING, PackageState.PUBLISHED, PackageState.RETIRED)

Result = TypeVar("Result")


def create_key(*, video: HostedVideo) -> ContentKey:
    """A new content key for `video`, its next version, wrapped and saved.

    Not to be called inside a transaction: it waits for the key store. Raises KeyStoreUnavailable.
    """
    store = host(video.alias).get_key_store()
    for _ in range(ATTEMPTS):
        latest = ContentKey.objects.filter(video=video).aggregate(latest=Max("version"))["latest"] or 0
        key = ContentKey(video=video, version=latest + 1, iv=secrets.token_bytes(IV_BYTES))
        made = _ask(store.generate, key.context)
        key.wrapped, key.wrapped_by = made.wrapped.blob, made.wrapped.wrapped_by
        if _is_saved(key):
            return key
    raise RuntimeError(f"No version of a content key of video {video.pk} was free in {ATTEMPTS} attempts.")


def encryption_of(package: Package) -> Encryption:
    """How `package` is encrypted, with its plain key, also when that key was revoked.

    Raises KeyStoreUnavailable or KeyUnreadable.
    """
    if package.scheme == Scheme.OPEN:
        return Encryption(scheme=Scheme.OPEN)
    if package.key is None:
        raise KeyUnreadable("The package has no key any more.")
    opened = material_of(package.key)
    return Encryption(scheme=package.scheme, kid=opened.kid, key=opened.key, iv=opened.iv)


def material_of(key: ContentKey) -> KeyMaterial:
    """The plain key, whatever its state; raises KeyStoreUnavailable or KeyUnreadable."""
    context = key.context
    plain = plain_keys.get(key.wrapped, context)
    if plain is None:
        plain = _ask(store_of(key, host(key.video.alias)).unwrap, key.wrapped, context)
        plain_keys.put(key.wrapped, context, plain)
    return KeyMaterial(kid=key.kid, key=plain, iv=bytes(key.iv))


def store_of(key: ContentKey, parts: HostParts) -> KeyStore:
    """The configured key store, present or former, that holds the key-encryption key of `key`; raises KeyUnreadable."""
    if not key.wrapped:
        raise KeyUnreadable("The content key was destroyed.")
    for store in (parts.get_key_store(), *parts.get_former_key_stores()):
        if store.holds(key.wrapped_by):
            return store
    raise KeyUnreadable(f"No configured key store holds the key-encryption key {key.wrapped_by!r}.")


def revoke(*, video: HostedVideo | None = None, key: ContentKey | None = None, reason: str) -> int:
    """Have no licence given any more for this key, or for every key of this video; gives how many were revoked.

    What plays under it stops when its licence ends, and starts again once it is packaged under another key.
    """
    if (video is None) == (key is None):
        raise ValueError("Name a video or a key.")
    named = ContentKey.objects.filter(video=video) if video is not None else ContentKey.objects.filter(pk=key.pk)  # type: ignore[union-attr]
    revoked = named.filter(state=KeyState.ACTIVE).update(state=KeyState.REVOKED, revoked_at=timezone.now())
    logger.info("%s content keys of %s revoked: %s", revoked, video or key, reason)
    return revoked


def destroy(key: ContentKey) -> bool:
    """Forget the wrapped key for good, so that what is encrypted with it opens never again; its row stays.

    Gives False, and does nothing, while a package that may play uses it. Destroying twice is the same as once.
    """
    now = timezone.now()
    with transaction.atomic():
        locked = ContentKey.objects.select_for_update().get(pk=key.pk)
        if locked.packages.filter(state__in=IN_USE).exists():
            return False
        plain_keys.forget(locked.wrapped)
        locked.wrapped = locked.wrapped_by = ""
        locked.state, locked.revoked_at = KeyState.REVOKED, locked.revoked_at or now
        locked.save(update_fields=["wrapped", "wrapped_by", "state", "revoked_at"])
    return True


def _is_saved(key: ContentKey) -> bool:
    """Whether nobody had taken its version meanwhile."""
    try:
        with transaction.atomic():
            key.save(force_insert=True)
    except IntegrityError:
        if not ContentKey.objects.filter(video_id=key.video_id, version=key.version).exists():
            raise
        return False
    return True


def _ask(call: Callable[..., Result], *args: object) -> Result:
    return ask_host(lambda: call(*args))
