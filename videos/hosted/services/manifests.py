"""Playlists on their way to one player: the stored text, signed for its viewing."""

from dataclasses import dataclass, field
from uuid import UUID

from videos.hosted.hosts import HostParts, host
from videos.hosted.models import Manifest, Package, PackageState, Scheme
from videos.hosted.services import mpd, play_tokens, playing, playlists, sprites
from videos.models import PlaybackSession
from videos.providers.exceptions import ProviderMisconfigured, VideoProviderError
from videos.services.errors import HostUnavailable, NoSuchFile, SignatureInvalid
from videos.services.tokens import session_of
from videos.services.uses import use_session

try:
    from videos.hosted.services import licensing
except ImportError:
    licensing = None

CLEARKEY = "org.w3.clearkey"


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
        found = playing.find_playable(asset.provider, asset.host_id)
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
        parts = host(ours.alias)
        if name == playing.SPRITE:
            return _sprite_track(ours, parts)
        row = _stored(ours, name)
        return _rewritten(row, ours, session, parts, site)
    except ProviderMisconfigured as error:
        raise HostUnavailable("host_misconfigured") from error


def _rewritten(row: Manifest, ours: play_tokens.Pass, session: PlaybackSession, parts: HostParts, site: str) -> Text:
    package, delivery = row.package, parts.get_delivery()
    address_of = delivery.signer(parts.get_store(), playing.ticket(ours, package, through_us=delivery.through_us))
    licence_path = _licence_path(parts) if package.scheme == Scheme.CBCS else ""
    if row.name.endswith(".mpd"):
        url = site + licence_path if licence_path else ""
        return Text(body=mpd.rewrite(row.body, address_of=address_of, licence_url=url), content_type=mpd.TYPE)
    keys = _keys(package, session, has_clearkey=bool(licence_path))
    body = playlists.rewrite(row.body, address_of=address_of, keys=keys)
    return Text(body=body, content_type=playlists.TYPE)


def _licence_path(parts: HostParts) -> str:
    return "/api/videos/licences/clearkey/"


def _keys(package: Package, session: PlaybackSession, *, has_clearkey: bool) -> playlists.Keys:
    if package.scheme == Scheme.AES128:
        url = licensing.playlist_key_url(session_id=session.public_id, package=package, device_id=session.device_id)
        return playlists.Keys(key_url=url)
    return playlists.Keys(clearkey_kid=package.key.kid if package.key and has_clearkey else None)


def _sprite_track(ours: play_tokens.Pass, parts: HostParts) -> Text:
    package = Package.objects.filter(public_id=ours.package_id, state__in=_THERE).first()
    if package is None or not package.pictures.get("sprite"):
        raise NoSuchFile()
    delivery = parts.get_delivery()
    sign = delivery.signer(parts.get_store(), playing.ticket(ours, package, through_us=delivery.through_us))
    body = sprites.track(
        package.pictures, sheet_url=sign(package.pictures["sprite"]), duration_s=package.duration_s or 0
    )
    return Text(body=body, content_type=sprites.TYPE)


def _stored(ours: play_tokens.Pass, name: str) -> Manifest:
    rows = Manifest.objects.select_related("package__key", "package__video")
    row = rows.filter(package__public_id=ours.package_id, package__state__in=_THERE, name=name).first()
    if row is None:
        raise NoSuchFile()
    return row


_THERE = (PackageState.PUBLISHED, PackageState.RETIRED)
