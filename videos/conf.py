"""The settings of this app, read when used. Everything has a default but the hosts themselves."""

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.utils.module_loading import import_string

from videos.access import Decision
from videos.models import Video

SESSION_TTL_S = 300
LEASE_S = 45
HEARTBEAT_S = 10
UNCLAIMED_MAX = 5


def access_policy() -> Callable[[Any, Video], Decision]:
    """VIDEO_ACCESS_POLICY: `(user, video) -> Decision`."""
    return _policy("VIDEO_ACCESS_POLICY", "videos.access.decide_by_access_level")


def manage_policy() -> Callable[[Any, Video], bool]:
    """VIDEO_MANAGE_POLICY: `(user, video) -> bool`: who may change, delete and read the status of a video."""
    return _policy("VIDEO_MANAGE_POLICY", "videos.access.may_manage")


def create_policy() -> Callable[[Any], bool]:
    """VIDEO_CREATE_POLICY: `(user) -> bool`: who may create videos."""
    return _policy("VIDEO_CREATE_POLICY", "videos.access.is_staff")


def enqueue(task_name: str, *args: int | str) -> None:
    """Ask for background work once the current transaction has committed, by VIDEO_ENQUEUE."""
    _policy("VIDEO_ENQUEUE", "videos.in_process.enqueue")(task_name, *args)


def max_concurrent_streams() -> int:
    """VIDEO_MAX_CONCURRENT_STREAMS: what one viewer may play at once when the policy does not say."""
    return int(getattr(settings, "VIDEO_MAX_CONCURRENT_STREAMS", 3))


def trusted_proxies() -> list[str]:
    """VIDEO_TRUSTED_PROXIES: addresses or networks whose X-Forwarded-For is believed."""
    return list(getattr(settings, "VIDEO_TRUSTED_PROXIES", []))


def routes() -> list[dict[str, Any]]:
    """VIDEO_ROUTES: the first rule that fits names the hosts of a new video, in the order of fallback."""
    aliases = list(getattr(settings, "VIDEO_PROVIDERS", {}))
    return list(getattr(settings, "VIDEO_ROUTES", None) or [{"use": aliases}])


def _policy(name: str, default: str) -> Callable[..., Any]:
    policy: Callable[..., Any] = import_string(getattr(settings, name, default))
    return policy
