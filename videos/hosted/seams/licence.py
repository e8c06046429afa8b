"""Who answers a player's request for a key: one backend for each DRM system."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol
from uuid import UUID


class ChallengeRefused(Exception):
    """What the player sent cannot be answered; `code` is stable (`challenge_malformed`, …)."""

    def __init__(self, code: str, detail: str = "") -> None:
        super().__init__(detail or code)
        self.code = code


@dataclass(frozen=True, kw_only=True)
class Challenge:
    """What a player asks for. `kids` is empty where the system names none: the token's key is meant then.

    `device` is a device id that the system itself vouches for (FairPlay's HU), `replay_id` a value that may come once
    (FairPlay: the digest of the SPC), `is_renewal` what the system says of itself; None, empty where it says nothing.
    """

    kids: tuple[UUID, ...]
    device: str = ""
    replay_id: str = ""
    is_renewal: bool | None = None
    body: bytes = field(repr=False)


@dataclass(frozen=True, kw_only=True)
class KeyMaterial:
    """One content key in the clear, for as long as an answer takes."""

    kid: UUID
    key: bytes = field(repr=False)
    iv: bytes = field(repr=False)


@dataclass(frozen=True, kw_only=True)
class LicenceAnswer:
    body: bytes = field(repr=False)
    content_type: str


class LicenceBackend(Protocol):
    """`system` is the word in addresses and rows; `key_system` the name that browsers know, empty for none."""

    system: str
    key_system: str
    schemes: tuple[str, ...]
    body_max_bytes: int

    def read(self, body: bytes, content_type: str) -> Challenge:
        """Understand a request; raises ChallengeRefused."""

    def answer(self, challenge: Challenge, keys: Mapping[UUID, KeyMaterial], *, valid_s: int) -> LicenceAnswer:
        """The licence with these keys, good for `valid_s`; raises ChallengeRefused."""
