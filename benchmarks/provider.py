from dataclasses import dataclass
from datetime import timedelta
from typing import ClassVar

from django.utils import timezone

from videos.providers.base import VideoProvider
from videos.providers.types import AssetInfo, PlaybackRequest, Status, VdoCipherPlayback


@dataclass(frozen=True, kw_only=True)
class LocalProvider(VideoProvider):
    """A host that grants without a remote call, so that a grant's own cost shows."""

    grants_locally: ClassVar[bool] = True
    plays_by_otp: ClassVar[bool] = True

    def get_asset(self, host_id: str) -> AssetInfo:
        return AssetInfo(host_id=host_id, status=Status.READY, host_status="ready")

    def get_playback(self, request: PlaybackRequest) -> VdoCipherPlayback:
        return VdoCipherPlayback(
            otp="0" * 64,
            playback_info="e30=",
            embed_url="http://127.0.0.1/player",
            expires_at=timezone.now() + timedelta(seconds=request.ttl_s),
        )
