"""Who may watch and who may manage: the host project's policies, and plain ones for a project that names none."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.db.models import Q

from videos.models import AccessLevel, Video

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractBaseUser, AnonymousUser

    Person = AbstractBaseUser | AnonymousUser


@dataclass(frozen=True)
class Decision:
    """May this person watch this video?

    `code` says why not (`not_enrolled`, `enrollment_ended`, `tier_too_low` …) and `tier` which one would do.
    `max_streams` of None is the setting VIDEO_MAX_CONCURRENT_STREAMS. Viewings that are not `counted` (instructors,
    staff) know no limit and enter no statistics.
    """

    allowed: bool
    code: str = ""
    tier: str = ""
    max_streams: int | None = None
    watermark: str = ""
    counted: bool = True


def decide_by_access_level(user: "Person", video: Video) -> Decision:
    """The policy when VIDEO_ACCESS_POLICY is unset: the video's own access level, its owner and staff."""
    if may_manage(user, video):
        return Decision(allowed=True, watermark=user.get_username(), counted=False)
    match video.access_level:
        case AccessLevel.PUBLIC | AccessLevel.UNLISTED:
            return Decision(allowed=True, watermark=user.get_username())
        case AccessLevel.MEMBERS:
            return Decision(allowed=user.is_authenticated, code="not_a_member", watermark=user.get_username())
        case AccessLevel.TIER:
            return Decision(allowed=False, code="tier_too_low", tier=video.required_tier)
    return Decision(allowed=False, code="not_entitled")


def may_manage(user: "Person", video: Video) -> bool:
    """The policy when VIDEO_MANAGE_POLICY is unset: the owner and staff."""
    return user.is_authenticated and (video.owner_id == user.pk or is_staff(user))


def managed_videos(user: "Person") -> Q:
    """The policy when VIDEO_MANAGED_POLICY is unset: what one owns, and everything for staff."""
    return Q() if is_staff(user) else Q(owner=user.pk)


def is_staff(user: "Person") -> bool:
    """The policy when VIDEO_CREATE_POLICY is unset: staff alone may create videos."""
    return bool(getattr(user, "is_staff", False))
