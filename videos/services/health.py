"""Whether the configured hosts answer, for the health page of operators; never asked in a viewer's request."""

from dataclasses import dataclass

from videos.providers.exceptions import ProviderMisconfigured
from videos.providers.registry import providers
from videos.services.host_calls import ask_host


@dataclass(frozen=True, kw_only=True)
class HostHealth:
    """One alias: `code` is empty when all is well, `response_ms` None when nothing was measured."""

    alias: str
    is_reachable: bool
    response_ms: float | None
    code: str = ""


def ping_hosts() -> list[HostHealth]:
    """Ask every configured host whether it answers and takes our credentials."""
    return [_ping(alias) for alias in providers]


def _ping(alias: str) -> HostHealth:
    try:
        provider = providers[alias]
    except ProviderMisconfigured:
        return HostHealth(alias=alias, is_reachable=False, response_ms=None, code="host_misconfigured")
    if not provider.supports_ping:
        return HostHealth(alias=alias, is_reachable=True, response_ms=None, code="not_measured")
    ping = ask_host(provider.ping)
    return HostHealth(alias=alias, is_reachable=ping.is_reachable, response_ms=ping.response_ms, code=ping.error_code)
