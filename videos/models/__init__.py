"""The facts of this app: a video and its copies, who watched what, captions, hooks and figures."""

from videos.models.asset import Asset, AssetStatus, Protection
from videos.models.caption import Caption, CaptionPush, PushState
from videos.models.figures import AssetRetention, VideoDay, VideoFigures
from videos.models.hook import WebhookEvent, WebhookRefusal
from videos.models.unusual import RefusedStart, UnusualUse, UnusualUseKind
from videos.models.video import AccessLevel, Quality, Tag, Video
from videos.models.viewing import (
    EngagementEvent,
    EngagementKind,
    PlaybackSession,
    SessionDoor,
    SessionState,
    VideoProgress,
    Viewer,
)

__all__ = [
    "AccessLevel",
    "Asset",
    "AssetRetention",
    "AssetStatus",
    "Caption",
    "CaptionPush",
    "EngagementEvent",
    "EngagementKind",
    "PlaybackSession",
    "Protection",
    "PushState",
    "Quality",
    "RefusedStart",
    "SessionDoor",
    "SessionState",
    "Tag",
    "UnusualUse",
    "UnusualUseKind",
    "Video",
    "VideoDay",
    "VideoFigures",
    "VideoProgress",
    "Viewer",
    "WebhookEvent",
    "WebhookRefusal",
]
