"""Players load media straight from the bucket, by addresses signed for one viewing."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import ClassVar, cast

from django.utils import timezone

from videos.hosted.deliveries.sigv4 import Presigner
from videos.hosted.seams.bucket import BucketLike
from videos.hosted.seams.delivery import MediaTicket
from videos.hosted.seams.store import Store

_TYPES = {".vtt": "text/vtt", ".mp4": "video/mp4", ".ts": "video/mp2t", ".jpg": "image/jpeg"}


@dataclass(frozen=True, kw_only=True)
class PresignedDelivery:
    """S3, R2 and what speaks like them. The bucket must let players of our pages read it (CORS).

    `says_types` lets each address name the content type of the answer, for files that lie there without one.
    """

    says_types: bool = False

    through_us: ClassVar[bool] = False
    sends_bytes: ClassVar[bool] = False

    def signer(self, store: Store, ticket: MediaTicket) -> Callable[[str], str]:
        bucket = cast(BucketLike, store)
        sign = Presigner(bucket.access(), now=timezone.now(), expires_at=ticket.expires_at)
        prefix = ticket.prefix
        return lambda name: sign(prefix + name, self._query(name))

    def origins(self, store: Store) -> tuple[str, ...]:
        return (store.access().origin,) if isinstance(store, BucketLike) else ()

    def problems(self, store: Store) -> tuple[str, ...]:
        if isinstance(store, BucketLike):
            return ()
        return ("The presigned delivery needs a bucket as its store: this store's files have no address of their own.",)

    def _query(self, name: str) -> Mapping[str, str] | None:
        found = _TYPES.get(name[name.rfind(".") :]) if self.says_types else None
        return {"response-content-type": found} if found else None
