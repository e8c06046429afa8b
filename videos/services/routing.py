"""Which hosts a new copy is offered to, and in which order."""

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from videos import conf
from videos.models import Protection
from videos.providers.base import VideoProvider
from videos.providers.exceptions import ProviderMisconfigured, Rejected, VideoProviderError
from videos.providers.registry import providers
from videos.services.errors import HostUnavailable, InvalidRequest
from videos.services.host_calls import ask_host

logger = logging.getLogger(__name__)

Answer = TypeVar("Answer")

_STRENGTH = {Protection.OPEN: 0, Protection.ENCRYPTED: 1, Protection.DRM: 2}


@dataclass(frozen=True, kw_only=True)
class RouteFacts:
    """What VIDEO_ROUTES are matched on; `size_bytes` None (an import) fits no rule that asks for a size."""

    protection: str = ""
    access_level: str = ""
    tags: Sequence[str] = ()
    size_bytes: int | None = None


@dataclass(frozen=True, kw_only=True)
class Taken:
    """The host that did what it was asked, and those before it that could not: `[{"provider", "code"}]`."""

    alias: str
    passed_over: list[dict[str, str]]

    def protection_for(self, wanted: str) -> Protection:
        """What the new copy has there."""
        return Protection(providers[self.alias].protection_for(wanted))


def find_hosts(facts: RouteFacts, *, flag: str, provider_alias: str = "") -> list[str]:
    """The aliases to ask, in order: those of the first fitting route, or the one that is wanted.

    A host needs the ability `flag` (`supports_upload`, `supports_import`) and at least the wanted protection. Raises
    InvalidRequest: `no_fitting_host`, or `protection_unavailable` where only weaker hosts are left.
    """
    named = [provider_alias] if provider_alias else list(_routed(facts))
    able = [alias for alias in dict.fromkeys(named) if _is_able(alias, flag)]
    if not able:
        raise InvalidRequest("no_fitting_host", attr="provider", detail="No configured video host fits this upload.")
    safe = [alias for alias in able if is_as_strong(_protection_of(providers[alias]), facts.protection)]
    if not safe:
        raise InvalidRequest(
            "protection_unavailable",
            attr="protection",
            detail=f"No video host that this upload may go to gives the protection “{facts.protection}”.",
        )
    return safe


def ask_in_turn(aliases: Sequence[str], ask: Callable[[VideoProvider], Answer]) -> tuple[Taken, Answer]:
    """The first answer that a host gives, outside of any transaction.

    Raises InvalidRequest with the host's code when every host refused the file, HostUnavailable when one of them may
    take it later.
    """
    failures: list[VideoProviderError] = []
    passed_over: list[dict[str, str]] = []
    for alias in aliases:
        provider = providers[alias]
        try:
            answer = ask_host(lambda provider=provider: ask(provider))  # type: ignore[misc]
        except VideoProviderError as error:
            logger.warning("Video host %s could not take a file: %s", alias, error)
            failures.append(error)
            passed_over.append({"provider": alias, "code": error.code})
        else:
            return Taken(alias=alias, passed_over=passed_over), answer
    raise _refusal(failures) from failures[-1]


def offered_protections() -> list[str]:
    """The protections that a file uploaded now could get at the routed hosts, weakest first."""
    routed = {alias for route in conf.routes() for alias in route["use"] if _is_able(alias, "supports_upload")}
    offered = {protection for alias in routed for protection in providers[alias].protections}
    return sorted(offered, key=lambda protection: _STRENGTH[Protection(protection)])


def is_as_strong(given: str, wanted: str) -> bool:
    """Whether the protection `given` is at least the one that is `wanted`; nothing wanted is always given."""
    return not wanted or _STRENGTH[Protection(given)] >= _STRENGTH[Protection(wanted)]


def _routed(facts: RouteFacts) -> Iterator[str]:
    for route in conf.routes():
        if all(MATCHES[name](facts, wanted) for name, wanted in route.get("when", {}).items()):
            yield from route["use"]
            return


def _matches_tags(facts: RouteFacts, wanted: Any) -> bool:
    return bool(set(_listed(wanted)) & set(facts.tags))


def _matches_size(facts: RouteFacts, wanted: Mapping[str, int]) -> bool:
    if facts.size_bytes is None:
        return False
    return wanted.get("min", 0) <= facts.size_bytes <= wanted.get("max", facts.size_bytes)


MATCHES: Mapping[str, Callable[[RouteFacts, Any], bool]] = {
    "protection": lambda facts, wanted: facts.protection in _listed(wanted),
    "access_level": lambda facts, wanted: facts.access_level in _listed(wanted),
    "tags": _matches_tags,
    "size": _matches_size,
}


def _listed(value: Any) -> list[Any]:
    return list(value) if isinstance(value, list | tuple | set) else [value]


def _is_able(alias: str, flag: str) -> bool:
    if alias not in providers:
        return False
    try:
        return bool(getattr(providers[alias], flag))
    except ProviderMisconfigured as error:
        logger.error("Video host %s cannot be used: %s", alias, error)
        return False


def _protection_of(provider: VideoProvider) -> Protection:
    return Protection(provider.protections[0])


def _refusal(failures: Sequence[VideoProviderError]) -> InvalidRequest | HostUnavailable:
    refused = [error for error in failures if isinstance(error, Rejected)]
    if len(refused) == len(failures):
        return InvalidRequest(refused[-1].code, attr="size", detail=str(refused[-1]))
    pauses = [error.retry_after_s for error in failures if error.retry_after_s is not None]
    return HostUnavailable(retry_after_s=max(1, round(min(pauses))) if pauses else None)
