"""The host that is ours, as one of the hosts that a video may have copies at."""

from dataclasses import dataclass
from typing import IO, ClassVar

from django.core.checks import CheckMessage

from videos.hosted.hosts import HostParts
from videos.hosted.models import UploadKind
from videos.hosted.services.clearing import removal
from videos.hosted.services.operations import checking, described, figures, probing
from videos.hosted.services.playback import pictures, playing
from videos.hosted.services.playback.picture_tokens import Wanted
from videos.hosted.services.transcoding import choices
from videos.hosted.services.uploading import multipart, receiving, tus, uploads
from videos.providers.base import VideoProvider
from videos.providers.exceptions import ProviderUnavailable, Rejected
from videos.providers.types import (
    AssetInfo,
    HlsPlayback,
    HostStorage,
    MultipartTicket,
    Ping,
    PlaybackRequest,
    Preparation,
    Protection,
    TusTicket,
    UploadRequest,
    Workload,
)
from videos.services.errors import HostUnavailable, SourceGone, TranscodeRunning


@dataclass(frozen=True, kw_only=True)
class HostedProvider(HostParts, VideoProvider):
    """Our own uploads, transcoding, keys, licences and delivery; its OPTIONS are the fields of `HostParts`."""

    protections: ClassVar[tuple[Protection, ...]] = (Protection.ENCRYPTED, Protection.OPEN)
    grants_locally: ClassVar[bool] = True
    ids_are_pasted: ClassVar[bool] = False
    supports_upload: ClassVar[bool] = True
    supports_file: ClassVar[bool] = True
    supports_delete: ClassVar[bool] = True
    supports_retranscode: ClassVar[bool] = True
    supports_workload: ClassVar[bool] = True
    supports_thumbnails: ClassVar[bool] = True
    supports_storage: ClassVar[bool] = True
    supports_ping: ClassVar[bool] = True

    @property
    def media_origins(self) -> tuple[str, ...]:
        return playing.origins(self)

    def get_asset(self, host_id: str) -> AssetInfo:
        return described.describe(self.alias, host_id)

    def create_upload(self, request: UploadRequest) -> TusTicket | MultipartTicket:
        upload = uploads.open_upload(alias=self.alias, request=request)
        if upload.kind == UploadKind.TUS:
            return tus.ticket(upload)
        try:
            return multipart.ticket(upload)
        except HostUnavailable as error:
            removal.delete(alias=self.alias, host_id=upload.video.host_id)
            raise ProviderUnavailable(error.detail) from error

    def receive_file(self, host_id: str, file: IO[bytes], *, size_bytes: int) -> None:
        receiving.receive_file(alias=self.alias, host_id=host_id, file=file, size_bytes=size_bytes)

    def retranscode(
        self,
        host_id: str,
        *,
        quality: str | None = None,
        protection: Protection | None = None,
        requested_by: str = "",
    ) -> None:
        try:
            choices.prepare_again(
                alias=self.alias, host_id=host_id, quality=quality, protection=protection, requested_by=requested_by
            )
        except (TranscodeRunning, SourceGone) as error:
            raise Rejected(error.detail, code=error.code) from error

    def preparation(self, host_id: str) -> Preparation | None:
        return choices.preparation(self.alias, host_id)

    def delete(self, host_id: str) -> None:
        removal.delete(alias=self.alias, host_id=host_id)

    def get_playback(self, request: PlaybackRequest) -> HlsPlayback:
        return playing.playback(alias=self.alias, request=request)

    def thumbnail_url(
        self, host_id: str, *, second: float, width: int | None = None, height: int | None = None, ttl_s: int = 3600
    ) -> str:
        wanted = Wanted(alias=self.alias, host_id=host_id, second=second, width=width, height=height)
        return pictures.picture_url(wanted, ttl_s=ttl_s)

    def storage(self) -> HostStorage:
        return figures.storage(self.alias)

    def workload(self) -> Workload:
        return figures.workload(self.alias)

    def ping(self) -> Ping:
        return self._timed(lambda: probing.probe(self))

    def check(self) -> list[CheckMessage]:
        place = f'VIDEO_PROVIDERS["{self.alias}"]'
        return [*probing.problems(self, place), *checking.problems(self, place)]
