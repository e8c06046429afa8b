"""The licence server: who gets a content key, once everything that could speak against it was asked.

The token names session, package and key; a player chooses none of them. The key store is asked outside any transaction;
the token is spent last, in one transaction with the record, so that a request that failed may be sent again, and of two
at once one alone is answered.
"""

import hashlib
import hmac
import logging
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from django.urls import reverse
from django.utils import timezone

from videos.hosted.hosts import HostParts
from videos.hosted.hosts import host as host_of
from videos.hosted.models import KeyState, LicenceKind, Package, SpentToken
from videos.hosted.seams.keys import KeyStoreUnavailable, KeyUnreadable
from videos.hosted.seams.licence import Challenge, ChallengeRefused, KeyMaterial, LicenceAnswer, LicenceBackend
from videos.hosted.services.content_keys.keys import material_of
from videos.hosted.services.licence_server import licence_tokens
from videos.hosted.services.licence_server.licence_asks import Asked, find_asked
from videos.hosted.services.licence_server.licence_limits import require_room
from videos.hosted.services.licence_server.licence_records import UNUSABLE_RETRY_S, Attempt, note_issued, refusals_noted
from videos.hosted.services.licence_server.licence_tokens import Bearer, device_digest
from videos.services.errors import (
    ChallengeMalformed,
    ChallengeTooLarge,
    LicenceRefused,
    LicenceUnavailable,
    SessionEnded,
    SessionRevoked,
)
from videos.services.playback import UNNAMED_DEVICE
from videos.services.uses import use_session

logger = logging.getLogger(__name__)

BODY_MAX_BYTES = 16 * 1024
REPLAY_KEPT = timedelta(days=1)
CLOCKS_APART = timedelta(minutes=5)
"""A spent token is remembered so much longer than it is good, as the clocks of two machines differ."""


def drm_member(*, session_id: UUID, package: Package, device_id: str, host: HostParts) -> dict[str, Any]:
    """The `drm` of a player's grant: the scheme, where each key system gets its licence, and the token for the first.

    Empty for a package that is not encrypted; without token and systems where keys come by the playlist. Asks nobody:
    `package` comes with its key.
    """
    if package.key is None:
        return {}
    systems = {name: {"license_url": path} for name, path in licence_paths(package, host).items()}
    token = ""
    if systems:
        token = _signed(licence_tokens.LICENCE, session_id, package, device_id, host.licence_token_s)
    return {"scheme": str(package.scheme), "token": token, "systems": systems}


def licence_paths(package: Package, host: HostParts) -> dict[str, str]:
    """Where each key system gets its licence for this package, without scheme and host; empty for an open one."""
    return {
        backend.key_system: reverse("videos_hosted:licence", args=[backend.system])
        for backend in host.get_licences()
        if backend.key_system and package.scheme in backend.schemes
    }


def playlist_key_url(*, session_id: UUID, package: Package, device_id: str) -> str:
    """Where a player loads the key of a playlist (`aes128`), once, within `licence_token_s`.

    Asks nobody: `package` comes with its key and video.
    """
    ttl_s = host_of(package.video.alias).licence_token_s
    token = _signed(licence_tokens.PLAYLIST_KEY, session_id, package, device_id, ttl_s)
    return reverse("videos_hosted:licence-key", args=[token])


def issue(*, system: str, token: str, body: bytes, content_type: str, device_id: str, ip: str) -> LicenceAnswer:
    """Answer a player's request for a licence: the first one for its own token, renewals for the session's.

    `device_id` is the device that the player says it is; `ip` is empty when unknown. Raises ChallengeTooLarge,
    ChallengeMalformed, LicenceRefused, TooManyLicences, TooManyStreams or LicenceUnavailable; each is recorded.
    """
    attempt = Attempt(system=system, ip=ip)
    with refusals_noted(attempt):
        if len(body) > BODY_MAX_BYTES:
            raise ChallengeTooLarge()
        bearer = licence_tokens.read_any(token)
        asked = _asked(attempt, bearer)
        backend = _backend(asked, system)
        if not backend.key_system:
            raise LicenceRefused("system_unsupported")
        _require_device(asked, bearer, device_id)
        return _give(attempt, bearer, asked, backend, _challenge(backend, body, content_type))


def issue_playlist_key(*, system: str, token: str, ip: str) -> LicenceAnswer:
    """Answer a player that loads the key of a playlist, by the token of its address alone; raises as `issue`."""
    attempt = Attempt(system=system, ip=ip)
    with refusals_noted(attempt):
        bearer = licence_tokens.read(token, audience=licence_tokens.PLAYLIST_KEY)
        asked = _asked(attempt, bearer)
        backend = _backend(asked, system)
        return _give(attempt, bearer, asked, backend, _challenge(backend, b"", ""))


def _signed(audience: str, session_id: UUID, package: Package, device_id: str, ttl_s: int) -> str:
    if package.key is None:
        raise ValueError("A package without a key needs no licence.")
    return licence_tokens.sign(
        audience=audience,
        session_id=session_id,
        package_id=package.public_id,
        kid=package.key.kid,
        device_id=device_id,
        ttl_s=ttl_s,
    )


def _asked(attempt: Attempt, bearer: Bearer) -> Asked:
    attempt.kind, now = bearer.kind, timezone.now()
    asked = find_asked(bearer, system=attempt.system, ip=attempt.ip, now=now)
    if asked is None:
        raise LicenceRefused("package_gone" if bearer.kind == LicenceKind.FIRST else "no_first_licence")
    attempt.session_pk, attempt.user_id = asked.session_pk, asked.user_id
    attempt.video_id, attempt.key_pk = asked.video_id, asked.key.pk
    attempt.device = device_digest(asked.session_device)
    if asked.is_spent:
        raise LicenceRefused("token_used")
    if asked.is_deleted:
        raise LicenceRefused("package_gone")
    if asked.key.state != KeyState.ACTIVE:
        raise LicenceRefused("key_revoked")
    require_room(asked.counts, now)
    return asked


def _backend(asked: Asked, system: str) -> LicenceBackend:
    for backend in asked.parts.get_licences():
        if backend.system == system and (not asked.scheme or asked.scheme in backend.schemes):
            return backend
    raise LicenceRefused("system_unsupported")


def _require_device(asked: Asked, bearer: Bearer, device_id: str) -> None:
    """An anonymous viewer's device, and one that nobody named, is told by the token alone."""
    is_known_to_player = asked.user_id is not None and not asked.session_device.startswith(UNNAMED_DEVICE)
    if is_known_to_player and not _equal(device_id, asked.session_device):
        raise LicenceRefused("wrong_device")


def _challenge(backend: LicenceBackend, body: bytes, content_type: str) -> Challenge:
    if len(body) > backend.body_max_bytes:
        raise ChallengeTooLarge()
    try:
        return backend.read(body, content_type)
    except ChallengeRefused as refusal:
        raise ChallengeMalformed(refusal.code) from refusal


def _give(
    attempt: Attempt, bearer: Bearer, asked: Asked, backend: LicenceBackend, challenge: Challenge
) -> LicenceAnswer:
    """The licence, once session, device and keys fit what the player asks for."""
    if not set(challenge.kids) <= {asked.key.kid}:
        raise LicenceRefused("kid_not_allowed")
    _require_same_device(attempt, bearer, asked, challenge)
    keys = {asked.key.kid: _opened(asked)}
    _use(bearer.session_id)
    valid_s = asked.parts.licence_s
    try:
        answer = backend.answer(challenge, keys, valid_s=valid_s)
    except ChallengeRefused as refusal:
        raise ChallengeMalformed(refusal.code) from refusal
    note_issued(attempt, valid_s=valid_s, spent=_spent(attempt, bearer, challenge))
    return answer


def _require_same_device(attempt: Attempt, bearer: Bearer, asked: Asked, challenge: Challenge) -> None:
    if bearer.kind == LicenceKind.FIRST and not _equal(bearer.device, device_digest(asked.session_device)):
        raise LicenceRefused("wrong_device")
    if bearer.kind == LicenceKind.RENEWAL and challenge.is_renewal is False:
        raise LicenceRefused("no_renewal")
    if challenge.device:
        attempt.device = device_digest(challenge.device)
    if bearer.kind == LicenceKind.RENEWAL and not _equal(attempt.device, asked.former_device):
        raise LicenceRefused("wrong_device")


def _opened(asked: Asked) -> KeyMaterial:
    try:
        return material_of(asked.key)
    except KeyStoreUnavailable as error:
        logger.warning("No licence for content key %s: %s", asked.key.kid, error)
        raise LicenceUnavailable() from error
    except KeyUnreadable as error:
        logger.error("Content key %s cannot be opened: %s", asked.key.kid, error)
        raise LicenceUnavailable("key_unreadable", retry_after_s=UNUSABLE_RETRY_S) from error


def _use(session_id: UUID) -> None:
    try:
        use_session(session_id)
    except (SessionEnded, SessionRevoked) as ended:
        raise LicenceRefused(ended.code) from ended


def _spent(attempt: Attempt, bearer: Bearer, challenge: Challenge) -> dict[str, SpentToken]:
    """What this answer uses up, by the code for whoever comes with it again."""
    spent = {}
    if bearer.token_id:
        ends_at = datetime.fromtimestamp(bearer.expires_at, UTC) + CLOCKS_APART
        spent["token_used"] = SpentToken(token_id=bearer.token_id, expires_at=ends_at)
    if challenge.replay_id:
        digest = hashlib.sha256(f"{attempt.system}:{challenge.replay_id}".encode()).hexdigest()
        spent["challenge_replayed"] = SpentToken(token_id=digest, expires_at=timezone.now() + REPLAY_KEPT)
    return spent


def _equal(sent: str, known: str) -> bool:
    return hmac.compare_digest(sent.encode(), known.encode())
