"""Pictures of a film: its poster, or the tile of the sprite sheet that is nearest to a second."""

from collections.abc import Callable
from dataclasses import dataclass, field
from uuid import UUID

from django.urls import reverse
from django.utils.module_loading import import_string

from videos.hosted.hosts import host
from videos.hosted.models import HostedVideo, Package
from videos.hosted.seams.store import FileMissing, Store, StoreUnavailable
from videos.hosted.services.playback import picture_tokens
from videos.hosted.services.playback.picture_tokens import Wanted
from videos.hosted.services.playback.sprites import Tile, tile_at
from videos.providers.exceptions import AssetNotFound, ProviderMisconfigured
from videos.services.errors import HostUnavailable, NoThumbnail
from videos.services.thumbnails import POSTER_MAX_S, POSTER_SHARE

PICTURE_MAX_BYTES = 40_000_000
_CUT = "videos.hosted.services.playback.cutting.cut"
_SAME_SECOND_S = 0.05

Cut = Callable[[bytes, Tile | None, int | None, int | None], bytes]


@dataclass(frozen=True, kw_only=True)
class Picture:
    """A JPEG file."""

    body: bytes = field(repr=False)
    content_type: str = "image/jpeg"


def picture_url(wanted: Wanted, *, ttl_s: int) -> str:
    """The address of a picture at this server, without scheme and host; asks nobody. Raises AssetNotFound."""
    try:
        is_known = UUID(hex=wanted.host_id).hex == wanted.host_id
    except ValueError:
        is_known = False
    if not is_known:
        raise AssetNotFound()
    return reverse("videos_hosted:picture", args=[picture_tokens.make(wanted, ttl_s=ttl_s)])


def picture(token: str) -> Picture:
    """The picture that this token names: the poster at the second that stands for the film, else the nearest tile.

    Without Pillow the poster serves for every second, in its own size. Raises SignatureInvalid, NoThumbnail or
    HostUnavailable.
    """
    wanted = picture_tokens.read(token)
    package = _package(wanted)
    cut = _cutter()
    tile = _tile(package, wanted) if cut else None
    name = package.pictures.get("sprite" if tile else "poster")
    if not name:
        raise NoThumbnail()
    try:
        body = _bytes(host(wanted.alias).get_store(), package.prefix + name)
    except (FileMissing, ProviderMisconfigured) as error:
        raise NoThumbnail() from error
    except StoreUnavailable as error:
        raise HostUnavailable() from error
    if cut and (tile or wanted.width or wanted.height):
        body = cut(body, tile, wanted.width, wanted.height)
    return Picture(body=body)


def _package(wanted: Wanted) -> Package:
    copies = HostedVideo.objects.select_related("package").filter(alias=wanted.alias, deleted_at=None)
    copy = copies.filter(public_id=UUID(hex=wanted.host_id)).first()
    if copy is None or copy.package is None:
        raise NoThumbnail()
    copy.package.video = copy
    return copy.package


def _tile(package: Package, wanted: Wanted) -> Tile | None:
    """None where the poster is meant: at its own second, or where there is no sheet."""
    stands_for_film = min((package.duration_s or 0) * POSTER_SHARE, POSTER_MAX_S)
    has_poster = bool(package.pictures.get("poster"))
    if not package.pictures.get("sprite") or (has_poster and abs(wanted.second - stands_for_film) < _SAME_SECOND_S):
        return None
    return tile_at(package.pictures, wanted.second)


def _bytes(store: Store, key: str) -> bytes:
    size_bytes = store.size_of(key)
    if size_bytes is None:
        raise FileMissing(key)
    with store.open_range(key, 0, min(size_bytes, PICTURE_MAX_BYTES)) as file:
        return file.read()


def _cutter() -> Cut | None:
    try:
        found: Cut = import_string(_CUT)
    except ImportError:
        return None
    return found
