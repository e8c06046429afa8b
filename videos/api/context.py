"""Where a request comes from, and on which device."""

import ipaddress
import re
from uuid import uuid4

from django.core import signing
from django.http import HttpRequest, HttpResponseBase

from videos import conf
from videos.services.playback import RequestContext

DEVICE_COOKIE = "video_device"
DEVICE_MAX_AGE_S = 365 * 24 * 3600
_DEVICE_SALT = "videos.device"
_USER_AGENT_MAX = 255
_UNPRINTABLE = re.compile(r"[^\x20-\x7e]")


def request_context(request: HttpRequest) -> RequestContext:
    """The viewer's address, as far as trusted proxies tell it, and the browser's name for itself."""
    user_agent = _UNPRINTABLE.sub("?", request.META.get("HTTP_USER_AGENT", ""))[:_USER_AGENT_MAX]
    return RequestContext(ip=client_ip(request), user_agent=user_agent)


def client_ip(request: HttpRequest) -> str:
    """The right-most address that is no trusted proxy (VIDEO_TRUSTED_PROXIES); empty when there is none.

    What stands further left in X-Forwarded-For was written by whoever asked, so it is never read.
    """
    networks = [ipaddress.ip_network(proxy, strict=False) for proxy in conf.trusted_proxies()]
    forwarded = request.META.get("HTTP_X_FORWARDED_FOR", "") if networks else ""
    hops = [*forwarded.split(","), request.META.get("REMOTE_ADDR", "")]
    nearest = ""
    for hop in reversed(hops):
        try:
            address = ipaddress.ip_address(hop.strip())
        except ValueError:
            break
        if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped:
            address = address.ipv4_mapped
        nearest = str(address)
        if not any(address in network for network in networks):
            break
    return nearest


def anonymous_device(request: HttpRequest) -> str:
    """The id that an anonymous browser was given, or a new one."""
    return _known_device(request) or uuid4().hex


def remember_device(request: HttpRequest, response: HttpResponseBase, device_id: str) -> None:
    """Give the browser its signed device id, once."""
    if _known_device(request) != device_id:
        response.set_cookie(
            DEVICE_COOKIE,
            signing.dumps(device_id, salt=_DEVICE_SALT),
            max_age=DEVICE_MAX_AGE_S,
            httponly=True,
            secure=request.is_secure(),
            samesite="Lax",
        )


def _known_device(request: HttpRequest) -> str:
    try:
        cookie = request.COOKIES.get(DEVICE_COOKIE, "")
        return str(signing.loads(cookie, salt=_DEVICE_SALT, max_age=DEVICE_MAX_AGE_S))
    except signing.BadSignature:
        return ""
