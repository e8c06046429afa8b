"""A video as the API and the webhook show it (https://developers.cloudflare.com/api/resources/stream/)."""

from typing import Any

from sandbox.cloudflare import clock

PENDING, DOWNLOADING, QUEUED, IN_PROGRESS, READY, ERROR = (
    "pendingupload",
    "downloading",
    "queued",
    "inprogress",
    "ready",
    "error",
)
STATES = (PENDING, DOWNLOADING, QUEUED, IN_PROGRESS, READY, ERROR)
UNKNOWN = -1
QUEUED_SHARE = 0.2

ERROR_TEXTS = {
    "ERR_NON_VIDEO": "The file was not recognized as a valid video file.",
    "ERR_DURATION_EXCEED_CONSTRAINT": "The video's duration exceeds the constraint given when it was uploaded.",
    "ERR_FETCH_ORIGIN_ERROR": "The video could not be downloaded from its address.",
    "ERR_MALFORMED_VIDEO": "The video is a valid file, but it has corrupted data that cannot be recovered from.",
    "ERR_DURATION_TOO_SHORT": "The video's duration is shorter than 0.1 seconds.",
    "ERR_UNKNOWN": "The reason is not known.",
}


def shown_state(record: dict[str, Any], now: float) -> tuple[str, float | None]:
    """State and per cent done at this moment; None where the service names no figure."""
    if record["pct"] is not None:
        return record["state"], float(record["pct"])
    if record["state"] == READY:
        return READY, 100.0
    if record["state"] not in (QUEUED, IN_PROGRESS) or record["ends_at"] is None:
        return record["state"], 0.0 if record["state"] == IN_PROGRESS else None
    span = max(record["ends_at"] - record["started_at"], 1e-9)
    share = min(max((now - record["started_at"]) / span, 0.0), 1.0)
    if share < QUEUED_SHARE:
        return QUEUED, None
    return IN_PROGRESS, min(99.0, 100 * (share - QUEUED_SHARE) / (1 - QUEUED_SHARE))


def rendered(record: dict[str, Any], playback_url: str) -> dict[str, Any]:
    """The video object."""
    state, percent = shown_state(record, clock.now())
    status: dict[str, Any] = {
        "state": state,
        "errorReasonCode": record["error_code"],
        "errorReasonText": ERROR_TEXTS.get(record["error_code"], record["error_code"]),
    }
    if percent is not None:
        status["pctComplete"] = f"{percent:.6f}"
    if state in (IN_PROGRESS, ERROR):
        status["step"] = "encoding"
    base = f"{playback_url}/{record['uid']}"
    return {
        "uid": record["uid"],
        "creator": record["creator"],
        "thumbnail": f"{base}/thumbnails/thumbnail.jpg",
        "thumbnailTimestampPct": record["thumbnail_pct"],
        "readyToStream": state == READY,
        "readyToStreamAt": clock.written(record["ready_at"]),
        "status": status,
        "meta": record["meta"],
        "created": clock.written(record["created"]),
        "modified": clock.written(record["modified"]),
        "scheduledDeletion": record["scheduled_deletion"],
        "size": record["size"],
        "preview": f"{base}/watch",
        "allowedOrigins": record["allowed_origins"],
        "requireSignedURLs": record["require_signed"],
        "uploaded": clock.written(record["uploaded"]),
        "uploadExpiry": clock.written(record["upload_expiry"]),
        "maxSizeBytes": None,
        "maxDurationSeconds": record["max_duration_s"],
        "duration": record["duration"],
        "input": {"width": record["width"], "height": record["height"]},
        "playback": {"hls": f"{base}/manifest/video.m3u8", "dash": f"{base}/manifest/video.mpd"},
        "watermark": None,
        "clippedFrom": None,
        "liveInput": None,
        "publicDetails": record["public_details"],
    }
