from datetime import UTC, date, datetime, timedelta

import pytest
import requests

from sandbox.tests.cloudflare.client import TOKEN

QUERY = """query($accountTag:string!,$start:Date,$end:Date){viewer{accounts(filter:{accountTag:$accountTag}){
 streamMinutesViewedAdaptiveGroups(filter:{date_geq:$start,date_lt:$end},orderBy:[sum_minutesViewed_DESC],limit:100){
  sum{minutesViewed} dimensions{uid clientCountryName}}}}}"""


def today():
    return datetime.now(UTC).date()


def ago(days):
    return (today() - timedelta(days=days)).isoformat()


def ask_graphql(sandbox, query=QUERY, token=TOKEN, **variables):
    usual = {"accountTag": sandbox.cloudflare_account_id, "start": ago(10), "end": ago(-1)}
    return requests.post(
        f"{sandbox.cloudflare_api_url}/graphql",
        headers={"Authorization": f"Bearer {token}"},
        json={"query": query, "variables": usual | variables},
        timeout=10,
    )


def groups(answer):
    body = answer.json()
    assert (answer.status_code, body["errors"]) == (200, None)
    return body["data"]["viewer"]["accounts"][0]["streamMinutesViewedAdaptiveGroups"]


def message(answer):
    body = answer.json()
    assert (answer.status_code, body["data"]) == (200, None)
    return body["errors"][0]["message"]


@pytest.fixture
def watched(sandbox):
    for uid, minutes, day, country in (
        ("a" * 32, 10, ago(1), "US"),
        ("a" * 32, 5, ago(2), "US"),
        ("a" * 32, 1, ago(2), "DE"),
        ("b" * 32, 20, ago(3), "US"),
        ("b" * 32, 99, ago(40), "US"),
    ):
        sandbox.cloudflare.count_minutes(uid, minutes, date=day, country=country)
    return sandbox


def test_minutes_are_added_up_by_what_was_asked_for_and_ordered(watched):
    rows = [
        (g["dimensions"]["uid"][0], g["dimensions"]["clientCountryName"], g["sum"])
        for g in groups(ask_graphql(watched))
    ]
    assert rows == [
        ("b", "US", {"minutesViewed": 20}),
        ("a", "US", {"minutesViewed": 15}),
        ("a", "DE", {"minutesViewed": 1}),
    ]


def test_filters_dimensions_order_and_limit_are_the_querys(watched):
    query = QUERY.replace("dimensions{uid clientCountryName}", "dimensions{date}").replace(
        "sum_minutesViewed_DESC", "date_ASC"
    )
    assert [g["dimensions"]["date"] for g in groups(ask_graphql(watched, query))] == [ago(3), ago(2), ago(1)]
    assert len(groups(ask_graphql(watched, query.replace("limit:100", "limit:2")))) == 2
    of_one = QUERY.replace("date_lt:$end", f'date_lt:$end,uid:"{"a" * 32}"')
    assert {g["dimensions"]["uid"] for g in groups(ask_graphql(watched, of_one))} == {"a" * 32}
    beyond = QUERY.replace("date_lt:$end", f'date_lt:$end,uid_gt:"{"a" * 32}"')
    assert {g["dimensions"]["uid"] for g in groups(ask_graphql(watched, beyond))} == {"b" * 32}
    assert groups(ask_graphql(watched, start=ago(2), end=ago(1)))[0]["sum"] == {"minutesViewed": 5}


def test_a_query_covers_31_days_at_most(watched):
    assert groups(ask_graphql(watched, start=ago(41), end=ago(10)))[0]["sum"] == {"minutesViewed": 99}
    assert "31 days" in message(ask_graphql(watched, start=ago(42), end=ago(10)))


def test_what_is_older_than_90_days_is_refused_and_not_zero(watched):
    assert groups(ask_graphql(watched, start=ago(90), end=ago(80))) == []
    assert "90 days" in message(ask_graphql(watched, start=ago(91), end=ago(80)))


@pytest.mark.parametrize(
    ("query", "variables"),
    [
        ("{viewer{accounts{videoPlaybackEventsAdaptiveGroups{count}}}}", {}),
        (QUERY.replace("dimensions{uid", "dimensions{viewerId"), {}),
        (QUERY.replace("date_geq", "viewer_geq"), {}),
        (QUERY.replace("limit:100", "limit:100000"), {}),
        (QUERY.replace("$start", "$begin"), {}),
        (QUERY, {"start": "yesterday"}),
        (QUERY, {"accountTag": "f" * 32}),
    ],
)
def test_mistakes_are_told_with_http_200(watched, query, variables):
    assert message(ask_graphql(watched, query, **variables))


def test_the_accounts_token_is_needed(sandbox):
    assert ask_graphql(sandbox, token="other").status_code == 403


def test_a_day_may_be_named_by_itself(watched):
    query = QUERY.replace("date_geq:$start,date_lt:$end", f'date:"{date.fromisoformat(ago(3))}"')
    assert groups(ask_graphql(watched, query))[0]["sum"] == {"minutesViewed": 20}
