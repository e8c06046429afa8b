from dataclasses import dataclass
from datetime import timedelta
from typing import ClassVar

from django.utils import timezone

from videos.providers.base import VideoProvider
from videos.providers.exceptions import AssetNotFound
from videos.providers.types import AssetInfo, FilePlayback, PlaybackRequest, Status

BACKEND = "videos.tests.local_host.LocalHost"


@dataclass(frozen=True, kw_only=True)
class LocalHost(VideoProvider):
    """A host in this process: it knows every id but those of zeros and paths."""

    grants_locally: ClassVar[bool] = True

    def get_asset(self, host_id: str) -> AssetInfo:
        self._require(host_id)
        return AssetInfo(host_id=host_id, status=Status.READY, duration_s=60.0, raw={"id": host_id})

    def get_playback(self, request: PlaybackRequest) -> FilePlayback:
        self._require(request.host_id)
        return FilePlayback(
            url=f"http://127.0.0.1/{request.host_id}.mp4", expires_at=timezone.now() + timedelta(seconds=request.ttl_s)
        )

    def _require(self, host_id: str) -> None:
        if not host_id.strip("0") or "/" in host_id:
            raise AssetNotFound("No such file.")
