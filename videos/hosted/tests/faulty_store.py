import os
import signal
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from videos.hosted.key_stores.local import LocalKeyStore
from videos.hosted.seams.keys import NewKey
from videos.hosted.seams.store import StoreUnavailable
from videos.hosted.stores.local import LocalStore

BACKEND = "videos.hosted.tests.faulty_store.FaultyStore"
SLOW_KEYS = "videos.hosted.tests.faulty_store.SlowKeyStore"
DEADLY = "videos.hosted.tests.faulty_store.DeadlyStore"


@dataclass(frozen=True, kw_only=True)
class FaultyStore(LocalStore):
    """A folder of which some prefixes cannot be deleted."""

    stuck: set[str] = field(default_factory=set)

    def delete_all(self, prefix: str) -> int:
        if prefix in self.stuck:
            raise StoreUnavailable("the disk does not answer")
        return super().delete_all(prefix)


@dataclass(frozen=True, kw_only=True)
class DeadlyStore(LocalStore):
    """A folder that kills whoever has put a file whose key ends in one of `after`."""

    after: list[str] = field(default_factory=list)

    def put_file(self, key: str, path: Path, *, content_type: str = "application/octet-stream") -> None:
        super().put_file(key, path, content_type=content_type)
        if key.endswith(tuple(self.after)):
            os.kill(os.getpid(), signal.SIGKILL)


@dataclass(frozen=True, kw_only=True)
class SlowKeyStore(LocalKeyStore):
    """Keys of this machine that take long: all that happens `meanwhile` happens before the answer."""

    meanwhile: list[Callable[[], object]] = field(default_factory=list)

    def generate(self, context: Mapping[str, str]) -> NewKey:
        for happen in self.meanwhile:
            happen()
        return super().generate(context)
