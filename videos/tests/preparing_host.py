from dataclasses import dataclass, field
from typing import Any, ClassVar

from videos.providers.exceptions import Rejected
from videos.providers.types import Preparation, Protection
from videos.tests.local_host import LocalHost

BACKEND = "videos.tests.preparing_host.PreparingHost"


@dataclass(frozen=True, kw_only=True)
class PreparingHost(LocalHost):
    """A host in this process that prepares copies again; `asked` is what it was asked, `refusal` what it answers."""

    protections: ClassVar[tuple[Protection, ...]] = (Protection.ENCRYPTED, Protection.OPEN)
    supports_retranscode: ClassVar[bool] = True
    asked: list[dict[str, Any]] = field(default_factory=list)
    made: dict[str, Any] = field(default_factory=lambda: {"state": "completed", "can_start_again": True})
    refusal: str = ""

    def retranscode(self, host_id, *, quality=None, protection=None, requested_by=""):
        if self.refusal:
            raise Rejected(code=self.refusal)
        self.asked.append(
            {"host_id": host_id, "quality": quality, "protection": protection, "requested_by": requested_by}
        )

    def preparation(self, host_id):
        return Preparation(**self.made)
