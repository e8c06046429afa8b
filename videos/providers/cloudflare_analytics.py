"""Minutes watched, as Cloudflare's GraphQL API tells them: https://developers.cloudflare.com/stream/getting-analytics/"""

from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from typing import Any

from django.utils import timezone

from videos.providers import reading
from videos.providers.cloudflare_api import StreamApi
from videos.providers.exceptions import MalformedResponse, Rejected

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


def minutes_by_video(api: StreamApi, since: date, until: date) -> dict[str, float]:
    """Minutes delivered by video id, from `since` up to, without, `until`; raises Rejected (range_too_old)."""
    if since < timezone.now().date() - timedelta(days=KEPT_DAYS):
        raise Rejected(f"{api.alias}: minutes are kept for {KEPT_DAYS} days.", code="range_too_old")
    total: dict[str, float] = {}
    for start, end in windows(since, until):
        for uid, minutes in _rows(api, start, end):
            total[uid] = total.get(uid, 0.0) + minutes
    return total


def windows(since: date, until: date) -> Iterator[tuple[date, date]]:
    """The same days in pieces that one question may be about."""
    while since < until:
        end = min(until, since + timedelta(days=WINDOW_DAYS_MAX))
        yield since, end
        since = end


def _rows(api: StreamApi, since: date, until: date) -> Iterator[tuple[str, float]]:
    variables = {"accountTag": api.account_id, "start": since.isoformat(), "end": until.isoformat()}
    after = ""
    while True:
        page = _page(api, {**variables, "after": after})
        yield from page
        if len(page) < ROWS_MAX or page[-1][0] <= after:
            return
        after = page[-1][0]


def _page(api: StreamApi, variables: Mapping[str, str]) -> list[tuple[str, float]]:
    answer = api.graphql({"query": QUERY, "variables": variables})
    # A refusal comes with HTTP status 200.
    if isinstance(answer, dict) and answer.get("errors"):
        raise Rejected(f"{api.alias}: the figures were refused.")
    try:
        return [_row(row) for row in answer["data"]["viewer"]["accounts"][0][NODE]]
    except (KeyError, IndexError, TypeError) as error:
        raise MalformedResponse(f"{api.alias}: figures of an unknown shape.") from error


def _row(row: Mapping[str, Any]) -> tuple[str, float]:
    return reading.text(row["dimensions"]["uid"]), reading.number(row["sum"]["minutesViewed"]) or 0.0
