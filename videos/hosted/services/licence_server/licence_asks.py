"""What a bearer asks for, as the rows have it: one statement."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connections, router

from videos.hosted import sql
from videos.hosted.hosts import HostParts, host
from videos.hosted.models import ContentKey, HostedVideo, Licence, LicenceKind
from videos.hosted.services.licence_server.licence_limits import COUNTED_MAX, PER_ADDRESS, PER_VIDEO, WINDOW, Count
from videos.hosted.services.licence_server.licence_tokens import Bearer


@dataclass(frozen=True, kw_only=True)
class Asked:
    """The one key that a bearer may have, with its viewing. `user_id` is None for an anonymous viewer.

    `former_device` is the digest that the session's latest licence was given to, `scheme` that of the package; both
    empty where they do not matter. `is_spent` says that the bearer was good once and was used.
    """

    key: ContentKey
    parts: HostParts
    session_pk: int
    session_device: str
    user_id: Any
    video_id: UUID
    scheme: str
    former_device: str
    is_spent: bool
    is_deleted: bool
    counts: list[Count]


def find_asked(bearer: Bearer, *, system: str, ip: str, now: datetime) -> Asked | None:
    """What this bearer asks for; None when it is gone, or for a renewal without a former licence of this system."""
    statement = sql.KEY_OF_FIRST if bearer.kind == LicenceKind.FIRST else sql.KEY_OF_RENEWAL
    alias = router.db_for_write(ContentKey)
    connection = connections[alias]

    def prepared(model: Any, name: str, value: Any) -> Any:
        return model._meta.get_field(name).get_db_prep_value(value, connection)

    params = {
        "token": bearer.token_id,
        "session": prepared(ContentKey, "kid", bearer.session_id),
        "kid": prepared(ContentKey, "kid", bearer.kid),
        "package": prepared(ContentKey, "kid", bearer.package_id),
        "since": prepared(Licence, "created_at", now - WINDOW),
        "ip": prepared(Licence, "ip", ip or None),
        "system": system,
        "counted": COUNTED_MAX,
    }
    for row in ContentKey.objects.using(alias).raw(statement, params):
        return _asked(row, ip)
    return None


def _asked(row: Any, ip: str) -> Asked:
    row.video = HostedVideo(pk=row.video_id, alias=row.host_alias, public_id=UUID(str(row.host_public_id)))
    parts = host(row.host_alias)
    video_id = UUID(str(row.session_video))
    return Asked(
        key=row,
        parts=parts,
        session_pk=row.session_pk,
        session_device=row.session_device,
        user_id=row.session_user,
        video_id=video_id,
        scheme=row.scheme,
        former_device=row.former_device,
        is_spent=bool(row.is_spent),
        is_deleted=bool(row.is_deleted),
        counts=_counts(row, parts.licences_per_5_min, video_id, ip),
    )


def _counts(row: Any, per_user: int, video_id: UUID, ip: str) -> list[Count]:
    return [
        Count(column="user_id", value=row.session_user, given=row.given_to_user, limit=per_user),
        Count(column="session_id", value=row.session_pk, given=row.given_in_session, limit=per_user),
        Count(column="video_id", value=video_id, given=row.given_of_video, limit=per_user * PER_VIDEO),
        Count(column="ip", value=ip, given=row.given_to_ip, limit=per_user * PER_ADDRESS),
    ]
