"""The host that is ours, as one of the hosts that a video may have copies at."""

from dataclasses import dataclass
from typing import ClassVar

from videos.hosted.hosts import HostParts
from videos.hosted.services import described
from videos.providers.base import VideoProvider
from videos.providers.types import AssetInfo, HlsPlayback, PlaybackRequest, Protection


@dataclass(frozen=True, kw_only=True)
class HostedProvider(HostParts, VideoProvider):
    """Our own uploads, transcoding, keys, licences and delivery; its OPTIONS are the fields of `HostParts`."""

    protections: ClassVar[tuple[Protection, ...]] = (Protection.ENCRYPTED, Protection.OPEN)
    grants_locally: ClassVar[bool] = True

    def get_asset(self, host_id: str) -> AssetInfo:
        return described.describe(self.alias, host_id)

    def get_playback(self, request: PlaybackRequest) -> HlsPlayback:
        raise NotImplementedError
