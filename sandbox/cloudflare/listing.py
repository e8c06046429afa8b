from typing import Any

from werkzeug.datastructures import MultiDict

from sandbox.cloudflare import clock
from sandbox.cloudflare.envelope import bad_request
from sandbox.cloudflare.video import STATES, shown_state

LONGEST_PAGE = 1000


def filtered(videos: list[dict[str, Any]], asked: "MultiDict[str, str]") -> list[dict[str, Any]]:
    """The videos a list asks for, newest first unless `asc`; there is no cursor but the created date."""
    status, creator = asked.get("status"), asked.get("creator")
    if status and status not in STATES:
        raise bad_request(f"status must be one of {', '.join(STATES)}")
    name = asked.get("video_name") or asked.get("name")
    search = asked.get("search", "").lower()
    after, before = _moment(asked, "start", "after"), _moment(asked, "end", "before")
    now = clock.now()
    found = [
        video
        for video in videos
        if (not status or shown_state(video, now)[0] == status)
        and creator in (None, "", video["creator"])
        and asked.get("id") in (None, "", video["uid"])
        and name in (None, "", video["meta"].get("name"))
        and search in str(video["meta"].get("name", "")).lower()
        and (after is None or video["created"] >= after)
        and (before is None or video["created"] < before)
        and not asked.get("live_input_id")
    ]
    return found if asked.get("asc") == "true" else found[::-1]


def limit(asked: "MultiDict[str, str]") -> int:
    text = asked.get("limit", "")
    if not text:
        return LONGEST_PAGE
    if not text.isdecimal() or not 0 < int(text) <= LONGEST_PAGE:
        raise bad_request(f"limit must be between 1 and {LONGEST_PAGE}")
    return int(text)


def _moment(asked: "MultiDict[str, str]", *names: str) -> float | None:
    return next((clock.read(asked[name], name) for name in names if asked.get(name)), None)
