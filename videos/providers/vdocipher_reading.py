"""Reads what VdoCipher's answers hold beside plain values."""

import base64
import json
from datetime import datetime
from typing import Any

from django.utils import timezone
from django.utils.dateparse import parse_datetime

from videos.providers import reading


def largest_poster(posters: Any) -> str:
    """The address of the highest picture, empty when there is none."""
    known = [poster for poster in posters if isinstance(poster, dict)] if isinstance(posters, list) else []
    by_height = sorted(known, key=lambda poster: reading.number(poster.get("height")) or 0, reverse=True)
    return next(filter(None, (reading.web_address(poster.get("posterUrl")) for poster in by_height)), "")


def policy_end(policy: str) -> datetime | None:
    """When an S3 upload policy ends; None when it cannot be read, since nothing about it is documented."""
    try:
        end = parse_datetime(json.loads(base64.b64decode(policy))["expiration"])
    except (KeyError, TypeError, ValueError):
        return None
    return end if end and timezone.is_aware(end) else None


def caption_ids(files: Any, language: str) -> list[int] | None:
    """The ids of the captions in a two-letter language among a video's files; None when that is no list."""
    if not isinstance(files, list):
        return None
    captions = [file for file in files if isinstance(file, dict) and file.get("format") == "vtt"]
    return [file["id"] for file in captions if file.get("lang") == language and isinstance(file.get("id"), int)]
