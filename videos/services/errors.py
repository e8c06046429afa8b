"""What can go wrong, in words that know nothing of HTTP; `videos.api.errors` gives each its status."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID


class VideosError(Exception):
    """`code` for programs, `detail` for people, `retry_after_s` where trying again can help.

    `doubted_asset_id` is the copy whose host says something else than we know.
    """

    code = "error"
    detail = "Something went wrong."
    retry_after_s: int | None = None
    doubted_asset_id: int | None = None

    def __init__(self, code: str | None = None, *, detail: str | None = None, retry_after_s: int | None = None) -> None:
        self.code = code or self.code
        self.detail = detail or self.detail
        self.retry_after_s = retry_after_s if retry_after_s is not None else self.retry_after_s
        super().__init__(f"{self.code}: {self.detail}")

    def as_json(self) -> dict[str, Any]:
        """`{code, detail, retry_after}`, seconds: what a lesson carries as `playback_error`."""
        return {"code": self.code, "detail": self.detail, "retry_after": self.retry_after_s}

    def extra_json(self) -> dict[str, Any]:
        """What an error body says beside its errors."""
        return {}


class AccessDenied(VideosError):
    code = "not_entitled"
    detail = "You may not watch this video."

    def __init__(self, code: str = "", *, tier: str = "") -> None:
        super().__init__(code or None)
        self.tier = tier

    def extra_json(self) -> dict[str, Any]:
        return {"tier": self.tier} if self.tier else {}


@dataclass(frozen=True, kw_only=True)
class OtherSession:
    """One of the streams in use; whoever holds `end_token` may end it."""

    id: UUID
    video_id: UUID
    video_title: str
    started_at: datetime
    user_agent: str
    end_token: str

    def as_json(self) -> dict[str, Any]:
        return {
            "id": str(self.id),
            "video_id": str(self.video_id),
            "video_title": self.video_title,
            "started_at": self.started_at,
            "user_agent": self.user_agent,
            "end_token": self.end_token,
        }


class TooManyStreams(VideosError):
    code = "too_many_streams"
    detail = "All of your concurrent streams are in use. End one of them to watch here."
    retry_after_s = 45

    def __init__(self, sessions: Sequence[OtherSession] = ()) -> None:
        super().__init__()
        self.sessions = list(sessions)

    def extra_json(self) -> dict[str, Any]:
        return {"sessions": [session.as_json() for session in self.sessions]}


class _VideoState(VideosError):
    def __init__(self, status: str, code: str | None = None) -> None:
        super().__init__(code)
        self.status = status

    def extra_json(self) -> dict[str, Any]:
        return {"status": self.status}


class VideoNotReady(_VideoState):
    code = "video_not_ready"
    detail = "The video is still being prepared."
    retry_after_s = 10


class VideoFailed(_VideoState):
    """The video can never be played as it is: `failed`, `deleted` or `missing`."""

    code = "video_failed"
    detail = "The video cannot be played."

    def __init__(self, status: str) -> None:
        super().__init__(status, f"video_{status}")


class HostUnavailable(VideosError):
    """The host gave no playback: `host_unavailable`, `host_misconfigured` or `host_refused`."""

    code = "host_unavailable"
    detail = "The video host cannot be reached at the moment."
    retry_after_s = 10


class SessionRevoked(VideosError):
    code = "session_revoked"
    detail = "The right to watch has ended."


class SessionEnded(VideosError):
    code = "session_ended"
    detail = "This viewing has ended."


class InvalidSessionToken(VideosError):
    code = "invalid_session_token"
    detail = "The session token is missing, forged or too old."


class InvalidRequest(VideosError):
    """Something sent to a service cannot be used; `attr` names it."""

    code = "invalid"

    def __init__(self, code: str, *, attr: str, detail: str) -> None:
        super().__init__(code, detail=detail)
        self.attr = attr


class SignatureInvalid(VideosError):
    code = "signature_invalid"
    detail = "This address is not good, or no longer: load the page again."


class FileTooLarge(VideosError):
    code = "file_too_large"

    def __init__(self, limit_bytes: int) -> None:
        super().__init__(detail=f"Files sent through this server are limited to {limit_bytes} bytes.")


class NoThumbnail(VideosError):
    """`no_thumbnail`, or `thumbnails_unsupported` by the host."""

    code = "no_thumbnail"
    detail = "There is no such picture of this video."


class NotYours(VideosError):
    code = "permission_denied"
    detail = "You may not change this video."


class NotShareable(VideosError):
    code = "not_shareable"
    detail = "Only public and unlisted videos have an address to share."


class TranscodeRunning(VideosError):
    code = "transcode_running"
    detail = "This video is being prepared already. Wait until that is over, then try again."
    retry_after_s = 30


class SourceGone(VideosError):
    code = "source_gone"
    detail = "The original file of this video is no longer kept. Upload it again."


class CannotPrepare(VideosError):
    code = "transcode_unsupported"
    detail = "This video's host prepares every file once. Upload the file again to have it prepared anew."


class NoSuchFile(VideosError):
    code = "not_found"
    detail = "There is no such file."


class LicenceRefused(VideosError):
    """No content key is handed out; `code` says why, to players and in the record alone."""

    code = "licence_refused"
    detail = "No licence is given."


class ChallengeMalformed(VideosError):
    code = "challenge_malformed"
    detail = "This is no request for a licence that can be understood."


class ChallengeTooLarge(VideosError):
    code = "too_large"
    detail = "This is larger than any request for a licence."


class TooManyLicences(VideosError):
    code = "too_many_licences"
    detail = "Too many licences were asked for. Try again later."


class LicenceUnavailable(VideosError):
    code = "licence_unavailable"
    detail = "No licence can be given at the moment."
    retry_after_s = 10


class UploadNotFound(VideosError):
    code = "upload_not_found"
    detail = "There is no such upload."


class UploadOver(VideosError):
    """It was ended by somebody, its time is over, or its video was deleted."""

    code = "upload_over"
    detail = "This upload has ended. Begin a new one."


class UploadRefused(VideosError):
    """`parts_missing`, `parts_unequal` and `part_number_invalid`, with `numbers`; `size_mismatch`, `not_a_video`."""

    code = "upload_refused"

    def __init__(self, code: str, *, detail: str, numbers: Sequence[int] = ()) -> None:
        super().__init__(code, detail=detail)
        self.numbers = list(numbers)

    def extra_json(self) -> dict[str, Any]:
        return {"numbers": self.numbers} if self.numbers else {}
