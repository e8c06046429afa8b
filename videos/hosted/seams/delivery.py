"""Who gives the bytes of media files to players."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol, runtime_checkable
from uuid import UUID

from videos.hosted.seams.store import Store


@dataclass(frozen=True, kw_only=True)
class MediaTicket:
    """What a delivery may put into addresses: whose viewing it is, of which package, until when."""

    package_id: UUID
    prefix: str
    session_id: UUID
    token: str = field(repr=False)
    expires_at: datetime


class Delivery(Protocol):
    """`through_us` says that media addresses are ours (`/media/…`); `sends_bytes` that this process sends the bytes."""

    through_us: bool
    sends_bytes: bool

    def signer(self, store: Store, ticket: MediaTicket) -> Callable[[str], str]:
        """A function from a file's name in the package to the address a player loads it from; waits for nobody."""

    def origins(self, store: Store) -> tuple[str, ...]:
        """The origins that players load from beside ours, for Content-Security-Policy."""

    def problems(self, store: Store) -> tuple[str, ...]:
        """What is wrong with store and delivery together, one sentence each. For checks."""


@runtime_checkable
class HandsOver(Delivery, Protocol):
    """A delivery whose files are sent by the server in front of us, on our word."""

    def internal_path(self, key: str) -> str:
        """Where that server finds the file of this key, as its header wants it."""
