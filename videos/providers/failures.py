"""Why a copy cannot be played: stable codes, and what each means to somebody who teaches."""

from collections.abc import Mapping

NOT_A_VIDEO = "not_a_video"
UNREADABLE = "unreadable"
TOO_LONG = "too_long"
TOO_SHORT = "too_short"
EMPTY_FILE = "empty_file"
NO_VIDEO_TRACK = "no_video_track"
FETCH_FAILED = "fetch_failed"
NEVER_UPLOADED = "never_uploaded"
UNKNOWN_TO_HOST = "unknown_to_host"
HOST_FAILED = "host_failed"
TOOLS_MISSING = "tools_missing"
DELETED = "deleted"

REASONS: Mapping[str, str] = {
    NOT_A_VIDEO: "The file is not a video. Export it as MP4 and upload it again.",
    UNREADABLE: "The file is damaged or of an unusual format. Export it again, best as MP4 (H.264), and upload it.",
    TOO_LONG: "The video is longer than the host takes. Cut it into parts and upload these.",
    TOO_SHORT: "The video is too short to be played. Upload the whole file again.",
    NO_VIDEO_TRACK: "The file has sound but no picture. Export it again with its picture and upload it.",
    EMPTY_FILE: "The file is empty. Choose the video itself and upload it again.",
    FETCH_FAILED: "The host could not fetch the file from its address. Check that anybody can open the address.",
    NEVER_UPLOADED: "The upload was never finished. Upload the file again.",
    UNKNOWN_TO_HOST: "The host does not know this video. Check the id, or upload the file again.",
    TOOLS_MISSING: "The platform's tools for videos are not installed. The video is prepared once its staff did so.",
    DELETED: "The video was deleted while it was being prepared.",
    HOST_FAILED: "The host could not prepare the video. Upload it again; if it fails again, ask the platform's staff.",
}


def reason_of(code: str) -> str:
    """The sentence for a code; that of HOST_FAILED for one that is not known."""
    return REASONS.get(code, REASONS[HOST_FAILED])
