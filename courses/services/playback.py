import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from videos.models import SessionDoor, Video
from videos.providers.types import VdoCipherPlayback
from videos.services.errors import VideosError
from videos.services.playback import RequestContext, open_session

if TYPE_CHECKING:
    from users.models import User


@dataclass(frozen=True, kw_only=True)
class LessonPlayback:
    """What a lesson says about its video: credentials and session, or why there are none."""

    otp: str | None = field(default=None, repr=False)
    playback_info: str | None = field(default=None, repr=False)
    session: dict[str, Any] | None = field(default=None, repr=False)
    error: dict[str, Any] | None = None

    @classmethod
    def throttled(cls, wait_s: float | None) -> "LessonPlayback":
        """No credentials, because too many were asked for; `wait_s` until the next try, in seconds."""
        retry_after = math.ceil(wait_s) if wait_s else 60
        return cls(error={"code": "throttled", "detail": "Too many requests.", "retry_after": retry_after})


NOTHING_ASKED = LessonPlayback()


def grant_lesson_playback(*, user: "User", video: Video, device_id: str, context: RequestContext) -> LessonPlayback:
    """Mint the credentials that a lesson carries; a video that cannot be played is an answer, not an exception."""
    try:
        grant = open_session(
            user=user, video=video, door=SessionDoor.LESSON, device_id=device_id, context=context, by_otp=True
        )
    except VideosError as error:
        return LessonPlayback(error=error.as_json())
    session, playback = grant.session.as_json(), grant.playback
    if not isinstance(playback, VdoCipherPlayback):
        raise TypeError(f"A host that plays by OTP gave {playback.kind}.")
    return LessonPlayback(otp=playback.otp, playback_info=playback.playback_info, session=session)
