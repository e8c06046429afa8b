"""Whether a host of ours could work: its parts fit together, and its store and key store answer."""

from collections.abc import Iterator

from django.core.checks import CheckMessage, Error, Warning

from videos.hosted.hosts import HostParts
from videos.hosted.seams.keys import KeyStoreUnavailable, KeyUnreadable
from videos.hosted.seams.store import StoreUnavailable
from videos.providers.exceptions import CredentialsRejected, ProviderMisconfigured, ProviderUnavailable

PARTS = ("get_store", "get_key_store", "get_delivery", "get_encoder", "get_licences")


def probe(parts: HostParts) -> None:
    """Use store and key store once; raises ProviderUnavailable, CredentialsRejected or ProviderMisconfigured."""
    try:
        parts.get_store().probe()
        parts.get_key_store().probe()
    except (StoreUnavailable, KeyStoreUnavailable) as error:
        raise ProviderUnavailable(str(error)) from error
    except KeyUnreadable as error:
        raise CredentialsRejected(str(error)) from error


def problems(parts: HostParts, place: str) -> list[CheckMessage]:
    """What is wrong with the parts, found without asking anybody."""
    unbuilt = [Error(f"{place}: {problem}", id="videos.E007") for problem in _unbuilt(parts)]
    if unbuilt:
        return list(unbuilt)
    store, delivery = parts.get_store(), parts.get_delivery()
    found: list[CheckMessage] = [Error(f"{place}: {text}", id="videos.E008") for text in delivery.problems(store)]
    found += [Warning(f"{place}: {text}", id="videos.W008") for text in parts.get_encoder().problems()]
    return found


def _unbuilt(parts: HostParts) -> Iterator[str]:
    for name in PARTS:
        try:
            getattr(parts, name)()
        except ProviderMisconfigured as error:
            yield str(error)
