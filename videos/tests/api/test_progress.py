import json
from datetime import timedelta
from uuid import uuid4

import pytest
from django.utils import timezone

from videos.models import Asset, PlaybackSession, SessionDoor, VideoProgress, Viewer
from videos.services.playback import RequestContext, open_session
from videos.tests.factories import make_user, make_video
from videos.tests.statements import counted_statements

URL = "/api/videos/progress/"


@pytest.fixture(autouse=True)
def _local_host(settings):
    settings.VIDEO_PROVIDERS = {"local": {"BACKEND": "videos.tests.local_host.LocalHost"}}


def local_video(**overrides):
    return make_video(asset={"provider": "local", "duration_s": 100.0}, **overrides)


def start(user, video):
    session = open_session(
        user=user, video=video, door=SessionDoor.PLAYBACK, device_id="device-one", context=RequestContext()
    ).session
    made = PlaybackSession.objects.filter(public_id=session.public_id)
    made.update(created_at=timezone.now() - timedelta(hours=1))
    return session


def watch(client, user, video, played, *, position):
    session = start(user, video)
    body = {"token": session.token, "seq": 1, "position": position, "played": played}
    answer = client.post(session.heartbeat_url, body)
    assert answer.status_code == 200, answer.json()
    return answer.json()


def test_a_heartbeat_tells_how_much_is_seen(viewer, client_of):
    answer = watch(client_of(), viewer, local_video(), [[0, 30], [50, 100]], position=100)
    assert answer == {
        "lease": answer["lease"],
        "position": 100,
        "coverage": 0.8,
        "completed": False,
        "ended": False,
    }


@pytest.mark.parametrize(
    ("field", "value"),
    [("played", [[2, 1]]), ("played", {}), ("qoe", {"stall_ms": -1}), ("events", [{"kind": "x"}])],
)
def test_what_is_wrong_in_a_report_is_named(viewer, client_of, field, value):
    session = start(viewer, local_video())
    answer = client_of().post(session.heartbeat_url, {"token": session.token, "seq": 1, "position": 1, field: value})
    (error,) = answer.json()["errors"]
    assert (answer.status_code, error["code"], error["attr"]) == (400, f"invalid_{field}", field)


def test_half_a_character_in_a_report_breaks_nothing(viewer, client_of):
    session = start(viewer, local_video())
    report = {"token": session.token, "seq": 1, "position": 1}
    body = json.dumps(report)[:-1] + ', "events": [{"kind": "share", "target": "\\ud800\\u0000"}]}'
    assert client_of().post(session.heartbeat_url, body, content_type="application/json").status_code == 200


def test_my_progress_names_what_is_missing(viewer, client_of):
    video = local_video()
    watch(client_of(), viewer, video, [[0, 30], [50, 80], [80.5, 100]], position=97.5)
    response = client_of(viewer).get(f"/api/videos/{video.pk}/progress/")
    assert response["Cache-Control"] == "no-store"
    seen = response.json()
    assert (seen["position"], seen["duration"], seen["coverage"]) == (97.5, 100, 0.795)
    assert (seen["completed"], seen["completed_at"], seen["liked"]) == (False, None, False)
    assert seen["missing"] == [[30, 50]]


def test_progress_is_told_in_the_current_copys_seconds(viewer, client_of):
    video = local_video()
    watch(client_of(), viewer, video, [[0, 50]], position=50)
    Asset.objects.update(duration_s=200.0)
    seen = client_of(viewer).get(f"/api/videos/{video.pk}/progress/").json()
    assert (seen["position"], seen["coverage"], seen["missing"]) == (100, 0.5, [[100, 200]])
    assert VideoProgress.objects.get().duration_ms == 100_000


def test_of_a_video_never_watched_all_is_missing(viewer, client_of):
    seen = client_of(viewer).get(f"/api/videos/{local_video().pk}/progress/").json()
    assert (seen["position"], seen["coverage"], seen["missing"]) == (0, 0, [[0, 100]])
    assert seen["last_played_at"] is None
    assert not VideoProgress.objects.exists()


def test_who_may_not_watch_sees_progress_only_where_there_is_some(viewer, client_of):
    video = local_video(access_level="entitled")
    url = f"/api/videos/{video.pk}/progress/"
    assert client_of().get(url).status_code == 401
    assert client_of(viewer).get(url).status_code == 403
    VideoProgress.objects.create(viewer=Viewer.objects.create(user=viewer), video=video, position_s=5)
    assert client_of(viewer).get(url).json()["position"] == 5
    assert client_of(viewer).get(f"/api/videos/{uuid4()}/progress/").status_code == 404


def test_what_i_watch_is_listed_last_played_first(viewer, client_of):
    first, second, deleted = local_video(title="First"), local_video(title="Second"), local_video()
    for video in (second, first, deleted):
        watch(client_of(), viewer, video, [[0, 95]], position=95)
    watch(client_of(), make_user(), second, [[0, 5]], position=5)
    deleted.assets.update(status="deleted")
    response = client_of(viewer).get(URL)
    listed = response.json()["results"]
    assert [row["video_title"] for row in listed] == ["First", "Second"]
    assert (listed[0]["video_id"], listed[0]["coverage"], listed[0]["completed"]) == (str(first.pk), 0.95, True)
    assert "missing" not in listed[0]
    assert client_of().get(URL).status_code == 401


def test_the_list_costs_the_same_for_one_video_and_many(viewer, client_of):
    me, client, costs = Viewer.objects.create(user=viewer), client_of(viewer), []
    for number in range(10):
        VideoProgress.objects.create(viewer=me, video=local_video(), position_s=number)
        with counted_statements() as statements:
            assert len(client.get(URL).json()["results"]) == number + 1
        costs.append(len(statements))
    assert costs == [costs[0]] * 10
