"""Which host a new video goes to when no setting says so."""

from collections.abc import Mapping
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

OWN = "hosted"
_DRM = "vdocipher"
_OTHERS = ("cloudflare", "bunny", "vdocipher")


def default_routes(configured: Mapping[str, Mapping[str, Any]], *, prefers_own: bool) -> list[dict[str, Any]]:
    """What must have DRM goes to the DRM host, the rest to the cheapest one; of VIDEO_PROVIDERS.

    With `prefers_own` our own host comes before outside ones. Beside our own host a stand-in gets nothing by itself:
    its protection is only played.
    """
    real = [alias for alias in _OTHERS if alias not in stand_ins(configured)]
    own = [OWN] if OWN in configured else []
    rest = [*own, *real] if prefers_own else [*(alias for alias in real if alias != _DRM), *own]
    rest += [alias for alias in real if alias not in rest]
    drm = [{"when": {"protection": "drm"}, "use": [_DRM]}] if _DRM in real and (_DRM in configured or not own) else []
    return [*drm, {"use": rest}]


def stand_ins(configured: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """The hosts of VIDEO_PROVIDERS that are played on this machine, where our own host can do their work."""
    return [alias for alias in configured if is_stand_in(configured[alias])] if OWN in configured else []


def is_stand_in(entry: Mapping[str, Any]) -> bool:
    """Whether this entry of VIDEO_PROVIDERS leads to a host that is played on this machine."""
    address = urlsplit(entry.get("OPTIONS", {}).get("api_url", ""))
    return address.scheme == "http" and is_loopback(address.hostname or "")


def is_loopback(host: str) -> bool:
    """Whether a host's name or address is this machine's own."""
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
