"""Playlists on their way to one player: the stored text, signed for its viewing."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from uuid import UUID

from videos.hosted.hosts import host
from videos.hosted.models import Manifest, Package, PackageState
from videos.hosted.seams.store import StoreUnavailable
from videos.hosted.services.licence_server import licensing
from videos.hosted.services.playback import mpd, play_tokens, playing, playlists, sprites
from videos.hosted.services.playback.playable import find_playable, find_playlist
from videos.models import PlaybackSession
from videos.providers.exceptions import ProviderMisconfigured, VideoProviderError
from videos.services.errors import HostUnavailable, NoSuchFile, SignatureInvalid
from videos.services.tokens import session_of
from videos.services.uses import use_session

CLEARKEY = "org.w3.clearkey"
THERE = (PackageState.PUBLISHED, PackageState.RETIRED)
"""Packages whose files are in the store; a retired one is still played by those who began before."""
_NAME = re.compile(r"[a-z0-9-]{1,59}\.(?:m3u8|mpd)")


@dataclass(frozen=True, kw_only=True)
class Text:
    """A playlist, and what it is."""

    body: str = field(repr=False)
    content_type: str


def master_url(*, video_id: UUID, session_token: str) -> str:
    """The address of the master playlist for the viewing whose own token this is.

    Raises InvalidSessionToken, SessionEnded, SessionRevoked, TooManyStreams, or NoSuchFile where the viewing is of
    another video, or of one at another host.
    """
    session = use_session(session_of(session_token))
    asset = session.asset
    if session.video_id != video_id or asset is None:
        raise NoSuchFile()
    try:
        host(asset.provider)
        found = find_playable(asset.provider, asset.host_id)
    except (VideoProviderError, ProviderMisconfigured) as error:
        raise NoSuchFile() from error
    ours = play_tokens.make(
        session_id=session.public_id,
        package_id=found.package.public_id,
        copy_id=found.package.video.public_id,
        alias=asset.provider,
    )
    return playing.manifest_url(video_id, ours, playing.MASTER)


def manifest(*, video_id: UUID, token: str, name: str, site: str) -> Text:
    """A playlist, MPD or `sprite.vtt` of the package that `token` names; two statements, no call to the store.

    `site` is scheme and host of this server, for what must be an absolute address. Raises SignatureInvalid,
    SessionEnded, SessionRevoked, TooManyStreams, NoSuchFile or HostUnavailable.
    """
    ours = play_tokens.read(token)
    session = use_session(ours.session_id)
    if session.video_id != video_id:
        raise SignatureInvalid()
    try:
        if name == playing.SPRITE:
            return _sprite_track(ours)
        return _rewritten(_stored(ours, name), ours, session, site)
    except StoreUnavailable as error:
        raise HostUnavailable() from error
    except ProviderMisconfigured as error:
        raise HostUnavailable("host_misconfigured") from error


def _rewritten(row: Manifest, ours: play_tokens.Pass, session: PlaybackSession, site: str) -> Text:
    package = row.package
    address_of = _signer(ours, package)
    licence_path = licensing.licence_paths(package, host(ours.alias)).get(CLEARKEY, "")
    if row.name.endswith(".mpd"):
        url = site + licence_path if licence_path else ""
        return Text(body=mpd.rewrite(row.body, address_of=address_of, licence_url=url), content_type=mpd.TYPE)
    keys = playlists.Keys(
        clearkey_kid=package.key.kid if package.key and licence_path else None,
        url=partial(
            licensing.playlist_key_url,
            session_id=session.public_id,
            package=package,
            device_id=session.device_id,
        ),
    )
    body = playlists.rewrite(row.body, address_of=address_of, keys=keys)
    return Text(body=body, content_type=playlists.TYPE)


def _signer(ours: play_tokens.Pass, package: Package) -> Callable[[str], str]:
    parts = host(ours.alias)
    delivery = parts.get_delivery()
    return delivery.signer(parts.get_store(), playing.ticket(ours, package, through_us=delivery.through_us))


def _sprite_track(ours: play_tokens.Pass) -> Text:
    package = Package.objects.filter(public_id=ours.package_id, state__in=THERE).first()
    if package is None or not package.pictures.get("sprite"):
        raise NoSuchFile()
    sheet_url = _signer(ours, package)(package.pictures["sprite"])
    body = sprites.track(package.pictures, sheet_url=sheet_url, duration_s=package.duration_s or 0)
    return Text(body=body, content_type=sprites.TYPE)


def _stored(ours: play_tokens.Pass, name: str) -> Manifest:
    if not _NAME.fullmatch(name):  # PostgreSQL takes no NUL in a text
        raise NoSuchFile()
    row = find_playlist(alias=ours.alias, copy_id=ours.copy_id, package_id=ours.package_id, name=name)
    if row is None:
        raise NoSuchFile()
    return row
