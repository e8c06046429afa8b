from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

from videos.providers.types import AssetInfo, CaptionFile
from videos.tests.local_host import LocalHost

BACKEND = "videos.tests.captioned_host.CaptionedHost"

kept: dict[str, str] = {}
during_call: list[Callable[[], object]] = []
"""What happens elsewhere while the host is busy: each is done once."""


@dataclass(frozen=True, kw_only=True)
class CaptionedHost(LocalHost):
    """A host in this process that keeps captions by language."""

    supports_captions: ClassVar[bool] = True

    def get_asset(self, host_id: str) -> AssetInfo:
        while during_call:
            during_call.pop()()
        return super().get_asset(host_id)

    def put_caption(self, host_id: str, caption: CaptionFile) -> None:
        while during_call:
            during_call.pop()()
        kept[caption.language] = caption.body

    def delete_caption(self, host_id: str, language: str) -> None:
        while during_call:
            during_call.pop()()
        kept.pop(language, None)
