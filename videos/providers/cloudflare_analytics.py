"""Minutes watched, as Cloudflare's GraphQL API tells them: https://developers.cloudflare.com/stream/getting-analytics/"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from videos.providers import reading

WINDOW_DAYS_MAX = 31
KEPT_DAYS = 90
ROWS_MAX = 1000
NODE = "streamMinutesViewedAdaptiveGroups"
# The rows are paged by id, as the host's documents do it: there is no cursor.
QUERY = f"""query($accountTag: string!, $start: Date, $end: Date, $after: string) {{
  viewer {{
    accounts(filter: {{accountTag: $accountTag}}) {{
      {NODE}(filter: {{date_geq: $start, date_lt: $end, uid_gt: $after}}, orderBy: [uid_ASC], limit: {ROWS_MAX}) {{
        sum {{ minutesViewed }}
        dimensions {{ uid }}
      }}
    }}
  }}
}}"""


@dataclass(frozen=True, kw_only=True)
class Minutes:
    """Minutes of one video that were delivered in one window of time."""

    uid: str
    minutes: float


def body(*, account_id: str, since: date, until: date, after: str) -> dict[str, Any]:
    """The question for the minutes from `since` up to, without, `until`, of the videos whose ids follow `after`."""
    variables = {"accountTag": account_id, "start": since.isoformat(), "end": until.isoformat(), "after": after}
    return {"query": QUERY, "variables": variables}


def windows(since: date, until: date) -> Iterator[tuple[date, date]]:
    """The same days in pieces that one question may be about."""
    while since < until:
        end = min(until, since + timedelta(days=WINDOW_DAYS_MAX))
        yield since, end
        since = end


def has_errors(answer: Any) -> bool:
    """Whether the answer is a refusal; it may come with HTTP status 200."""
    return not isinstance(answer, dict) or bool(answer.get("errors"))


def rows(answer: Mapping[str, Any]) -> list[Minutes] | None:
    """The rows of an answer, None when it has not the shape of one."""
    try:
        found = answer["data"]["viewer"]["accounts"][0][NODE]
        return [_row(row) for row in found]
    except (KeyError, IndexError, TypeError):
        return None


def _row(row: Mapping[str, Any]) -> Minutes:
    return Minutes(
        uid=reading.text(row["dimensions"]["uid"]), minutes=reading.number(row["sum"]["minutesViewed"]) or 0.0
    )
