"""The table of bytes sent on a day: https://www.vdocipher.com/docs/server/account/video-usage"""

import csv
import logging

from videos.providers import reading

logger = logging.getLogger(__name__)

# The documents show "video,bandwidth"; clients of the service have met other columns and CRLF.
VIDEO_COLUMNS = ("video", "video_id", "videoid", "id")
SIZE_COLUMNS = ("bandwidth", "bandwidth_kb", "bandwidth (kb)")
BYTES_PER_KB = 1000


def bytes_by_video(table: bytes) -> dict[str, int] | None:
    """Bytes sent by video id; None when the table has not the columns it should have."""
    lines = table.decode("utf-8-sig", "replace").replace("\0", "").splitlines()
    rows = [[cell.strip() for cell in row] for row in csv.reader(lines) if any(row)]
    if not rows:
        return {}
    names = [cell.lower() for cell in rows[0]]
    video_at, size_at = _column(names, VIDEO_COLUMNS), _column(names, SIZE_COLUMNS)
    if video_at is None or size_at is None:
        return None
    total: dict[str, int] = {}
    for row in rows[1:]:
        kilobytes = reading.number(row[size_at]) if len(row) > max(video_at, size_at) else None
        if kilobytes is None or not row[video_at]:
            logger.warning("A row of the usage table cannot be read: %.200r.", row)
            continue
        total[row[video_at]] = total.get(row[video_at], 0) + int(kilobytes * BYTES_PER_KB)
    return total


def _column(names: list[str], known: tuple[str, ...]) -> int | None:
    return next((names.index(name) for name in known if name in names), None)
