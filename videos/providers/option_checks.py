"""What can be wrong with any host's options; each function gives Django check messages."""

from collections.abc import Mapping

from django.core.checks import CheckMessage, Error

from videos.providers import addresses


def insecure_addresses(place: str, urls: Mapping[str, str]) -> list[CheckMessage]:
    """An address that is neither https nor on this machine; `urls` by option name."""
    return [
        Error(f"{place}: {name} must be an https address.", id="videos.E002")
        for name, url in urls.items()
        if not url.startswith("https://") and not addresses.is_loopback(url)
    ]


def stand_in_mismatch(place: str, *, url: str, secret: str, prefix: str, variables: str) -> list[CheckMessage]:
    """A real key sent to a local stand-in, or a stand-in's key (known by its prefix) sent to the real host."""
    if addresses.is_loopback(url) == secret.startswith(prefix):
        return []
    return [
        Error(
            f"{place}: a key that begins with {prefix} and a loopback address belong together; look at {variables}.",
            id="videos.E003",
        )
    ]
