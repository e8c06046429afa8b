from datetime import timedelta

import pytest
from django.utils import timezone

from videos.providers import cloudflare_analytics as analytics
from videos.providers.exceptions import (
    MalformedResponse,
    Rejected,
)
from videos.tests.providers.contract_extras import make_caption


def test_captions_over_ten_megabytes_are_refused_before_the_call(provider, sandbox, ready_id):
    with pytest.raises(Rejected) as caught:
        provider.put_caption(ready_id, make_caption(body="WEBVTT\n\n" + "x" * 10_000_000))
    assert (caught.value.code, sandbox.calls("cloudflare")) == ("caption_refused", [])


def test_minutes_become_seconds(provider, sandbox):
    today = timezone.now().date()
    days = {"a" * 32: today, "b" * 32: today - timedelta(days=40), "c" * 32: today - timedelta(days=80)}
    for uid, day in days.items():
        for country in ("US", "DE"):
            sandbox.cloudflare.count_minutes(uid, 1.5, date=day.isoformat(), country=country)
    [row] = provider.usage(today)
    assert (row.host_id, row.day, row.delivered_s, row.delivered_bytes) == ("a" * 32, today, 180.0, None)
    rows = provider.statistics(today - timedelta(days=89), today + timedelta(days=1))
    assert {row.host_id: row.watched_s for row in rows} == dict.fromkeys(days, 180.0)
    assert len([call for call in sandbox.calls("cloudflare") if call["path"].endswith("/graphql")]) == 1 + 3


def test_many_videos_come_in_pages(provider, sandbox, monkeypatch):
    monkeypatch.setattr(analytics, "ROWS_MAX", 2)
    monkeypatch.setattr(analytics, "QUERY", analytics.QUERY.replace("limit: 1000", "limit: 2"))
    for number in range(5):
        sandbox.cloudflare.count_minutes(f"{number:032x}", number)
    rows = provider.usage(timezone.now().date())
    assert [row.delivered_s for row in rows] == [0, 60, 120, 180, 240]


def test_what_the_host_no_longer_keeps_is_refused_not_zero(provider, sandbox):
    today = timezone.now().date()
    with pytest.raises(Rejected) as caught:
        provider.statistics(today - timedelta(days=91), today)
    assert (caught.value.code, sandbox.calls("cloudflare")) == ("range_too_old", [])
    provider.statistics(today - timedelta(days=90), today)


@pytest.mark.parametrize(
    ("body", "error"),
    [
        ({"data": None, "errors": [{"message": "no"}]}, Rejected),
        ({"data": None, "errors": None}, MalformedResponse),
        ({"data": {"viewer": {"accounts": []}}, "errors": None}, MalformedResponse),
        ([], MalformedResponse),
    ],
)
def test_figures_may_be_refused_with_status_200(provider, answer, body, error):
    answer(body)
    with pytest.raises(error):
        provider.usage(timezone.now().date())


def test_storage_is_told_in_seconds(provider, sandbox, ready_id):
    sandbox.cloudflare.set_quota(allocated_minutes=1000)
    storage = provider.storage()
    assert (storage.limit_s, storage.videos) == (60_000, 1)
    assert storage.stored_s > 0
    assert storage.stored_bytes is None
