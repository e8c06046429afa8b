"""Media files by nginx on our word: https://nginx.org/en/docs/http/ngx_http_proxy_module.html#proxy_ignore_headers"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar
from urllib.parse import quote

from videos.hosted.deliveries.django import our_addresses
from videos.hosted.seams.delivery import MediaTicket
from videos.hosted.seams.store import Store


@dataclass(frozen=True, kw_only=True)
class XAccelDelivery:
    """We check the viewing, nginx sends the bytes. `internal_prefix` is its internal location over the store's folder,
    with slashes around it.
    """

    internal_prefix: str = "/protected-videos/"

    through_us: ClassVar[bool] = True
    sends_bytes: ClassVar[bool] = False

    def signer(self, store: Store, ticket: MediaTicket) -> Callable[[str], str]:
        return our_addresses(ticket)

    def internal_path(self, key: str) -> str:
        """What the X-Accel-Redirect header says for the file under this key."""
        return self.internal_prefix + quote(key)

    def origins(self, store: Store) -> tuple[str, ...]:
        return ()

    def problems(self, store: Store) -> tuple[str, ...]:
        found = []
        if not (self.internal_prefix.startswith("/") and self.internal_prefix.endswith("/")):
            found.append("x-accel: internal_prefix must begin and end with a slash.")
        if not hasattr(store, "path_of"):
            found.append("x-accel: nginx serves a folder; give players of a bucket presigned addresses instead.")
        return tuple(found)
