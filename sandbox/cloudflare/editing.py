"""The settings of a video that a client may give when it creates one, and change later."""

import math
from typing import Any

from sandbox.cloudflare import clock
from sandbox.cloudflare.envelope import bad_request, field

LONGEST_CREATOR = 64
LONGEST_DURATION_S = 36_000
USUAL_EXPIRY_S, SHORTEST_EXPIRY_S, LONGEST_EXPIRY_S = 30 * 60, 2 * 60, 6 * 3600
TUS_NAMES = {
    "requiresignedurls",
    "allowedorigins",
    "thumbnailtimestamppct",
    "watermark",
    "scheduleddeletion",
    "expiry",
    "maxdurationseconds",
}


def changes(body: dict[str, Any]) -> dict[str, Any]:
    """What an edit changes in our record; `meta` is replaced as a whole. Raises Refusal."""
    changed = shared(body)
    if "uploadExpiry" in body:
        changed["upload_expiry"] = clock.read(str(body["uploadExpiry"]), "uploadExpiry")
    if "maxDurationSeconds" in body:
        changed["max_duration_s"] = max_duration(body["maxDurationSeconds"])
    if "publicDetails" in body:
        changed["public_details"] = field(body, "publicDetails", dict, {})
    return changed


def shared(body: dict[str, Any]) -> dict[str, Any]:
    """Settings that creation and edit share; raises Refusal."""
    known = {
        "meta": ("meta", dict),
        "requireSignedURLs": ("require_signed", bool),
        "allowedOrigins": ("allowed_origins", list),
        "creator": ("creator", str),
        "thumbnailTimestampPct": ("thumbnail_pct", (int, float)),
        "scheduledDeletion": ("scheduled_deletion", str),
    }
    values = {ours: field(body, theirs, kind) for theirs, (ours, kind) in known.items() if body.get(theirs) is not None}
    if len(values.get("creator", "")) > LONGEST_CREATOR:
        raise bad_request(f"creator must have at most {LONGEST_CREATOR} characters")
    if not 0 <= values.get("thumbnail_pct", 0) <= 1:
        raise bad_request("thumbnailTimestampPct must be between 0 and 1")
    for origin in values.get("allowed_origins", ()):
        if not isinstance(origin, str) or not origin or "/" in origin:
            raise bad_request("allowedOrigins are host names without scheme and path")
    return values


def max_duration(value: Any) -> int:
    """Seconds, 1 to 36,000; raises Refusal."""
    if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= LONGEST_DURATION_S:
        raise bad_request(f"maxDurationSeconds must be a whole number between 1 and {LONGEST_DURATION_S}")
    return value


def expiry(value: Any) -> float:
    """When an upload address ends, in half an hour unless the client says otherwise; raises Refusal."""
    now = clock.now()
    if value is None:
        return now + USUAL_EXPIRY_S
    at = clock.read(str(value), "expiry")
    # A client writes whole seconds, and its clock is not ours.
    if not SHORTEST_EXPIRY_S - 1 <= math.ceil(at - now) <= LONGEST_EXPIRY_S + 1:
        raise bad_request("expiry must be between 2 minutes and 6 hours ahead")
    return at


def from_tus(pairs: dict[str, str], creator: str | None) -> dict[str, Any]:
    """The settings in the headers of a resumable upload; names it does not know describe the file. Raises Refusal."""
    given = {name.lower(): value for name, value in pairs.items() if name.lower() in TUS_NAMES}
    body: dict[str, Any] = {"creator": creator, "meta": {k: v for k, v in pairs.items() if k.lower() not in TUS_NAMES}}
    body["requireSignedURLs"] = "requiresignedurls" in given and given["requiresignedurls"].lower() != "false"
    if given.get("allowedorigins"):
        body["allowedOrigins"] = given["allowedorigins"].split(",")
    if "scheduleddeletion" in given:
        body["scheduledDeletion"] = given["scheduleddeletion"]
    values = shared(body) | {"upload_expiry": expiry(given.get("expiry"))}
    if "maxdurationseconds" in given:
        values["max_duration_s"] = max_duration(_whole(given["maxdurationseconds"]))
    return values


def _whole(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdecimal() else None
