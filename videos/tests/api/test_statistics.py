from base64 import b64encode
from datetime import timedelta
from urllib.parse import urlencode

import pytest
from django.utils import timezone

from videos.api.statistics_serializers import DaySerializer, RetentionPointSerializer, StatisticsSerializer
from videos.models import PlaybackSession
from videos.services.rollup import roll_up
from videos.tests.factories import make_user, make_video
from videos.tests.statements import counted_statements
from videos.tests.viewings import make_viewer, make_viewing

pytestmark = pytest.mark.django_db


@pytest.fixture
def owner(db):
    return make_user()


@pytest.fixture
def client(client_of, owner):
    return client_of(owner)


def address(video, name):
    return f"/api/videos/{video.pk}/{name}/"


def test_the_owner_reads_what_became_of_a_video(client, owner):
    video = make_video(owner=owner)
    make_viewing(video=video, completed_at=timezone.now())
    roll_up()
    answer = client.get(address(video, "statistics"))
    assert answer.status_code == 200
    told = answer.json()
    assert told.keys() == StatisticsSerializer().fields.keys()
    assert told["days"][0].keys() == DaySerializer().fields.keys()
    assert told["retention"][0].keys() == RetentionPointSerializer().fields.keys()
    assert (told["total_views"], told["unique_viewers"], told["completion_rate"]) == (1, 1, 100.0)
    assert (told["avg_watch_duration"], told["avg_completion_percentage"], told["total_watch_time"]) == (
        30.0,
        50.0,
        30.0,
    )
    assert told["days"][0]["day"] == timezone.now().date().isoformat()
    assert told["days"][0]["total_views"] == 1
    assert told["retention"][0] == {"second": 0, "plays": 1.0, "share": 1.0}


def test_a_span_is_two_days_in_order(client, owner):
    video, today = make_video(owner=owner), timezone.now()
    make_viewing(video=video, created_at=today - timedelta(days=3))
    make_viewing(video=video)
    roll_up()
    day = (today - timedelta(days=3)).date().isoformat()
    assert client.get(address(video, "statistics"), {"since": day, "until": day}).json()["total_views"] == 1
    answer = client.get(address(video, "statistics"), {"since": "2026-02-02", "until": "2026-02-01"})
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (400, "invalid_span")
    answer = client.get(address(video, "statistics"), {"since": "soon"})
    assert (answer.status_code, answer.json()["errors"][0]["attr"]) == (400, "since")


@pytest.mark.parametrize("name", ["statistics", "views"])
def test_figures_are_for_those_who_manage_the_video(name, client_of, owner):
    video = make_video(owner=owner)
    statuses = [client_of(user).get(address(video, name)).status_code for user in (None, make_user(), owner)]
    assert statuses == [401, 403, 200]


def test_views_are_listed_newest_first_without_addresses(client, owner):
    video, other = make_video(owner=owner), make_video(owner=owner)
    now = timezone.now()
    names = {"Firefox": timedelta(hours=2), "Edg": timedelta(hours=1), "": timedelta()}
    for name, age in names.items():
        make_viewing(video=video, user_agent=name, ip="203.0.113.9", created_at=now - age, position_s=12.5)
    make_viewing(video=video, is_counted=False)
    make_viewing(video=video, played=())
    make_viewing(video=other)
    answer = client.get(address(video, "views"))
    assert [view["device"] for view in answer.json()["results"]] == ["Unknown device", "Edge", "Firefox"]
    assert "203.0.113.9" not in answer.content.decode()
    view = answer.json()["results"][0]
    assert (view["watched"], view["coverage"], view["completed"], view["position"]) == (30.0, 0.5, False, 12.5)


def test_pages_of_views_neither_skip_nor_repeat_while_new_ones_come(client, owner):
    video, moment = make_video(owner=owner), timezone.now()
    began = [moment - timedelta(seconds=number // 2) for number in range(7)]
    mine = {str(make_viewing(video=video, created_at=created_at).public_id) for created_at in began}
    seen, page = [], address(video, "views") + "?page_size=3"
    while page:
        answer = client.get(page).json()
        assert "count" not in answer
        seen += [view["id"] for view in answer["results"]]
        page = answer["next"]
        make_viewing(video=video, viewer=make_viewer())
    assert len(seen) == len(set(seen)) == 7
    assert set(seen) == mine


@pytest.mark.parametrize(
    "position", ["2026", "x", "2026-13-01 00:00:00+00:00", "2026-01-01 00:00:00", "0001-01-01 00:00:00+14:00", "\0"]
)
def test_an_invented_cursor_finds_nothing(client, owner, position):
    cursor = b64encode(urlencode({"p": position}).encode()).decode()
    answer = client.get(address(make_video(owner=owner), "views"), {"cursor": cursor})
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (404, "not_found")


def test_a_page_of_views_costs_the_same_whatever_the_history(client, owner):
    video, costs = make_video(owner=owner), []
    for number in (1, 60):
        for _ in range(number):
            make_viewing(video=video)
        with counted_statements() as statements:
            assert client.get(address(video, "views")).status_code == 200
        costs.append(len(statements))
    assert costs[0] == costs[1] <= 4, costs
    assert PlaybackSession.objects.count() == 61


def test_metrics_are_for_staff(client_of):
    make_video()
    people = (None, make_user(), make_user(is_staff=True))
    answers = [client_of(user).get("/api/videos/metrics/") for user in people]
    assert [answer.status_code for answer in answers] == [401, 403, 200]
    assert answers[-1].json()["total_videos"] == 1


def test_another_policy_says_who_runs_the_platform(client_of, settings):
    settings.VIDEO_STAFF_POLICY = "videos.tests.rights.is_called_boss"
    people = (make_user(is_staff=True), make_user(username="boss"))
    assert [client_of(user).get("/api/videos/metrics/").status_code for user in people] == [403, 200]
