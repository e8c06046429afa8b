"""What there is to play, one statement each; of our rows only what a viewing needs is filled in."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast
from uuid import UUID

from django.db import connections, models, router

from videos.hosted import sql
from videos.hosted.models import ContentKey, HostedVideo, Manifest, Package
from videos.providers.exceptions import AssetNotFound, Rejected


@dataclass(frozen=True, kw_only=True)
class Playable:
    """A published copy: the video that people know, and the package that is played, with its copy and its key."""

    video_id: UUID
    package: Package


def find_playable(alias: str, host_id: str) -> Playable:
    """What is played of this copy; raises AssetNotFound or Rejected (`not_playable`)."""
    copy_id = _uuid(host_id)
    row = _first(Package, sql.PLAYED_PACKAGE, {"alias": alias, "copy": copy_id, "host_id": host_id})
    if row is None:
        raise AssetNotFound()
    if row.pk is None or row.played_video_id is None:
        raise Rejected("Nothing of this copy is published.", code="not_playable")
    row.video = HostedVideo(pk=row.copy_pk, alias=alias, public_id=copy_id)
    row.key = _key(row.key_id, row.key_kid)
    return Playable(video_id=UUID(str(row.played_video_id)), package=row)


def find_playlist(*, alias: str, copy_id: UUID, package_id: UUID, name: str) -> Manifest | None:
    """A playlist of a package whose files are in the store, with that package, its copy and its key."""
    row = _first(Manifest, sql.PLAYLIST, {"package": package_id, "name": name})
    if row is None:
        return None
    row.package = Package(pk=row.package_id, public_id=package_id, scheme=row.scheme, duration_s=row.duration_s)
    row.package.video = HostedVideo(alias=alias, public_id=copy_id)
    row.package.key = _key(row.key_pk, row.key_kid)
    return cast(Manifest, row)


def _uuid(host_id: str) -> UUID:
    """Hex is the one way that we write a copy's id."""
    try:
        copy_id = UUID(hex=host_id)
    except ValueError:
        raise AssetNotFound() from None
    if copy_id.hex != host_id:
        raise AssetNotFound()
    return copy_id


def _first(model: type[models.Model], statement: str, params: Mapping[str, Any]) -> Any:
    alias = router.db_for_write(model)
    prepared = models.UUIDField().get_db_prep_value
    values = {
        name: prepared(value, connections[alias]) if isinstance(value, UUID) else value
        for name, value in params.items()
    }
    return next(iter(model._default_manager.using(alias).raw(statement, values)), None)


def _key(pk: int | None, kid: Any) -> ContentKey | None:
    return None if pk is None else ContentKey(pk=pk, kid=UUID(str(kid)))
