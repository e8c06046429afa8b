"""Media files by this server itself: the embedded mode, and the seam for a server in front of us."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

from django.urls import reverse

from videos.hosted.seams.delivery import MediaTicket
from videos.hosted.seams.store import Store

_NAME = "name"


def our_addresses(ticket: MediaTicket) -> Callable[[str], str]:
    """From a file's name to its address at this server, by the ticket's token."""
    base = reverse("videos_hosted:media", args=[ticket.token, _NAME]).removesuffix(_NAME)
    return lambda name: base + name


@dataclass(frozen=True, kw_only=True)
class DjangoDelivery:
    """This process sends the bytes: right for one machine, wrong for many viewers."""

    through_us: ClassVar[bool] = True
    sends_bytes: ClassVar[bool] = True

    def signer(self, store: Store, ticket: MediaTicket) -> Callable[[str], str]:
        return our_addresses(ticket)

    def origins(self, store: Store) -> tuple[str, ...]:
        return ()

    def problems(self, store: Store) -> tuple[str, ...]:
        return ()
