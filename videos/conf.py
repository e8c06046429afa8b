"""The settings of this app, read when used. Everything has a default but the hosts themselves."""

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.db.models import Q
from django.utils.module_loading import import_string

from videos.access import Decision
from videos.models import Video

SESSION_TTL_S = 300
LEASE_S = 45
HEARTBEAT_S = 10
COMPLETE_SHARE = 0.9
UNCLAIMED_MAX = 5


def access_policy() -> Callable[[Any, Video], Decision]:
    """VIDEO_ACCESS_POLICY: `(user, video) -> Decision`."""
    return _policy("VIDEO_ACCESS_POLICY", "videos.access.decide_by_access_level")


def manage_policy() -> Callable[[Any, Video], bool]:
    """VIDEO_MANAGE_POLICY: `(user, video) -> bool`: who may change, delete and read the status of a video."""
    return _policy("VIDEO_MANAGE_POLICY", "videos.access.may_manage")


def managed_policy() -> Callable[[Any], Q]:
    """VIDEO_MANAGED_POLICY: `(user) -> Q` on `Video`: the videos that the manage policy lets them change, as a list."""
    return _policy("VIDEO_MANAGED_POLICY", "videos.access.managed_videos")


def create_policy() -> Callable[[Any], bool]:
    """VIDEO_CREATE_POLICY: `(user) -> bool`: who may create videos."""
    return _policy("VIDEO_CREATE_POLICY", "videos.access.is_staff")


def staff_policy() -> Callable[[Any], bool]:
    """VIDEO_STAFF_POLICY: `(user) -> bool`: who runs the platform and may read its metrics."""
    return _policy("VIDEO_STAFF_POLICY", "videos.access.is_staff")


def enqueue(task_name: str, *args: int | str) -> None:
    """Ask for background work once the current transaction has committed, by VIDEO_ENQUEUE."""
    _policy("VIDEO_ENQUEUE", "videos.in_process.enqueue")(task_name, *args)


def max_concurrent_streams() -> int:
    """VIDEO_MAX_CONCURRENT_STREAMS: what one viewer may play at once when the policy does not say."""
    return int(getattr(settings, "VIDEO_MAX_CONCURRENT_STREAMS", 3))


def trusted_proxies() -> list[str]:
    """VIDEO_TRUSTED_PROXIES: addresses or networks whose X-Forwarded-For is believed."""
    return list(getattr(settings, "VIDEO_TRUSTED_PROXIES", []))


def upload_grace_s() -> int:
    """VIDEO_UPLOAD_GRACE_S: how long after its ticket's end an upload that never came is given up; a day."""
    return int(getattr(settings, "VIDEO_UPLOAD_GRACE_S", 24 * 3600))


def file_max_bytes() -> int:
    """VIDEO_FILE_MAX_BYTES: the largest file that may be sent through this server; 200 MB."""
    return int(getattr(settings, "VIDEO_FILE_MAX_BYTES", 200_000_000))


def caption_max_bytes() -> int:
    """VIDEO_CAPTION_MAX_BYTES: the largest caption file; 2 MB."""
    return int(getattr(settings, "VIDEO_CAPTION_MAX_BYTES", 2_000_000))


def import_private_hosts() -> list[str]:
    """VIDEO_IMPORT_PRIVATE_HOSTS: host names that may be imported from although they are not on the public net."""
    return list(getattr(settings, "VIDEO_IMPORT_PRIVATE_HOSTS", []))


def address_days() -> int:
    """VIDEO_ADDRESS_DAYS: how long viewers' addresses and browser names are kept with their sessions; 90 days."""
    return int(getattr(settings, "VIDEO_ADDRESS_DAYS", 90))


def session_days() -> int:
    """VIDEO_SESSION_DAYS: how long sessions are kept once they are in the figures; 400 days."""
    return int(getattr(settings, "VIDEO_SESSION_DAYS", 400))


def hook_days() -> int:
    """VIDEO_HOOK_DAYS: how long hooks, their refusals and refused starts are kept; 90 days."""
    return int(getattr(settings, "VIDEO_HOOK_DAYS", 90))


def video_page_url() -> str:
    """VIDEO_PAGE_URL: the page that shows a shared video, `{id}` stands for the video's."""
    return str(getattr(settings, "VIDEO_PAGE_URL", "/videos/{id}"))


def video_embed_url() -> str:
    """VIDEO_EMBED_URL: the bare player of a shared video for other sites' frames, `{id}` stands for the video's."""
    return str(getattr(settings, "VIDEO_EMBED_URL", "/videos/embed/{id}"))


def unusual_limits() -> dict[str, int]:
    """VIDEO_UNUSUAL_LIMITS: what one viewer may do before it is reported, by kind of unusual use."""
    usual = {"many_addresses": 5, "many_devices": 8, "many_videos": 40, "many_refusals": 20}
    return usual | dict(getattr(settings, "VIDEO_UNUSUAL_LIMITS", {}))


def plans() -> dict[str, dict[str, float]]:
    """VIDEO_PLANS: what each alias's plan holds: bandwidth_gb, delivered_minutes, storage_gb, stored_minutes."""
    return dict(getattr(settings, "VIDEO_PLANS", {}))


def routes() -> list[dict[str, Any]]:
    """VIDEO_ROUTES: the first rule that fits names the hosts of a new video, in the order of fallback."""
    aliases = list(getattr(settings, "VIDEO_PROVIDERS", {}))
    return list(getattr(settings, "VIDEO_ROUTES", None) or [{"use": aliases}])


def stand_ins() -> list[str]:
    """VIDEO_STAND_INS: aliases of hosts that are only played, whose copies any other host may replace; none."""
    return list(getattr(settings, "VIDEO_STAND_INS", []))


def _policy(name: str, default: str) -> Callable[..., Any]:
    policy: Callable[..., Any] = import_string(getattr(settings, name, default))
    return policy
