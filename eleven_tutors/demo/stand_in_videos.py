"""Videos for the demo at the stand-in for VdoCipher; a real account is never filled with samples."""

import hashlib
import json
from http.client import HTTPConnection
from ipaddress import ip_address
from urllib.parse import urlsplit

from django.conf import settings

_API_PATH = "/vdocipher/api"
_CONTROL_PATH = "/_control/vdocipher/videos"
_TIMEOUT_S = 10


class StandInRefused(Exception):
    """The sandbox is there but did not take a video."""


class StandIn:
    """The sandbox that plays VdoCipher, told by its control address on this machine what to hold."""

    def __init__(self, host: str, port: int) -> None:
        self._connection = HTTPConnection(host, port, timeout=_TIMEOUT_S)

    def put_video(self, *, slug: str, title: str) -> str:
        """Make sure that a ready video for a lesson is there; gives its id, the same every time."""
        video_id = hashlib.sha256(f"demo lesson {slug}".encode()).hexdigest()[:32]
        body = json.dumps({"id": video_id, "title": title, "status": "ready"})
        self._connection.request("POST", _CONTROL_PATH, body, {"Content-Type": "application/json"})
        answer = self._connection.getresponse()
        text = answer.read()
        if answer.status >= 300:
            raise StandInRefused(f"The stand-in for VdoCipher answered {answer.status}: {text[:200]!r}")
        return video_id

    def close(self) -> None:
        self._connection.close()


def find_stand_in() -> StandIn | None:
    """The stand-in, when the configured VdoCipher is one: an address of this machine that ends like the sandbox's."""
    options = settings.VIDEO_PROVIDERS.get("vdocipher", {}).get("OPTIONS", {})
    address = urlsplit(options.get("api_url", ""))
    if address.scheme != "http" or not _is_loopback(address.hostname or "") or address.path.rstrip("/") != _API_PATH:
        return None
    return StandIn(str(address.hostname), address.port or 80)


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
