from dataclasses import dataclass, field

from videos.hosted.seams.store import StoreUnavailable
from videos.hosted.stores.local import LocalStore

BACKEND = "videos.hosted.tests.faulty_store.FaultyStore"


@dataclass(frozen=True, kw_only=True)
class FaultyStore(LocalStore):
    """A folder of which some prefixes cannot be deleted."""

    stuck: set[str] = field(default_factory=set)

    def delete_all(self, prefix: str) -> int:
        if prefix in self.stuck:
            raise StoreUnavailable("the disk does not answer")
        return super().delete_all(prefix)
