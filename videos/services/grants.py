"""What a player needs to play now, as one value."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from videos.providers.types import Playback


@dataclass(frozen=True, kw_only=True)
class GrantedSession:
    """The session behind a grant. `lease_expires_at` is None until a stream is claimed."""

    public_id: UUID
    token: str = field(repr=False)
    heartbeat_url: str
    heartbeat_seconds: int
    lease_expires_at: datetime | None

    def as_json(self) -> dict[str, Any]:
        return {
            "id": str(self.public_id),
            "token": self.token,
            "heartbeat_url": self.heartbeat_url,
            "heartbeat_seconds": self.heartbeat_seconds,
            "lease_expires_at": self.lease_expires_at,
        }


@dataclass(frozen=True, kw_only=True)
class Grant:
    """Credentials for one player, their end, and the session they belong to. Positions and durations in seconds."""

    session: GrantedSession
    playback: Playback
    resume_position_s: float
    duration_s: float | None
    captions: Sequence[Mapping[str, str]]
    poster_url: str
    protection: str

    @property
    def player(self) -> str:
        """The kind of player: `vdocipher`, `hls`, `iframe` or `file`."""
        return self.playback.kind

    @property
    def expires_at(self) -> datetime:
        return self.playback.expires_at

    def as_json(self) -> dict[str, Any]:
        """The grant of the API: `session`, `player` and one member of that name, and what surrounds the picture."""
        return {
            "session": self.session.as_json(),
            "player": self.player,
            self.player: self.playback.as_json(),
            "expires_at": self.expires_at,
            "resume_position": self.resume_position_s,
            "duration": self.duration_s,
            "captions": [dict(caption) for caption in self.captions],
            "poster_url": self.poster_url,
            "protection": self.protection,
        }
