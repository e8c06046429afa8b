"""The list of one's devices, ending one of them, and taking a stream over."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import connection
from django.utils import timezone

from videos.models import PlaybackSession, RefusedStart, SessionDoor, SessionState, Viewer
from videos.services import refusals
from videos.services.errors import TooManyStreams
from videos.services.playback import RequestContext, open_session
from videos.services.sessions import heartbeat, revoke
from videos.services.streams import UNCLAIMED_LIFE
from videos.tests.factories import make_user, make_video
from videos.tests.statements import counted_statements

URL = "/api/videos/sessions/"
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:132.0) Gecko/20100101 Firefox/132.0"


@pytest.fixture(autouse=True)
def _local_host(settings):
    settings.VIDEO_PROVIDERS = {"local": {"BACKEND": "videos.tests.local_host.LocalHost"}}


def local_video(**overrides):
    return make_video(asset={"provider": "local"}, **overrides)


def start(user, video, device_id="device-one", *, door=SessionDoor.PLAYBACK):
    context = RequestContext(ip="203.0.113.5", user_agent=FIREFOX)
    return open_session(user=user, video=video, door=door, device_id=device_id, context=context).session


def playback(client, video, **body):
    return client.post(f"/api/videos/{video.pk}/playback/", {"device_id": "device-two"} | body)


def codes(response) -> list[str]:
    return [error["code"] for error in response.json()["errors"]]


def test_my_devices_are_listed_with_what_they_play(viewer, client_of):
    video = local_video(title="Limits")
    session = start(viewer, video)
    heartbeat(public_id=session.public_id, token=session.token, seq=1, position_s=1.0)
    response = client_of(viewer).get(URL, {"device_id": "device-one"})
    assert response["Cache-Control"] == "no-store"
    (listed,) = response.json()["results"]
    assert (listed["id"], listed["video_id"], listed["video_title"]) == (
        str(session.public_id),
        str(video.pk),
        "Limits",
    )
    assert (listed["device"], listed["is_this_device"], listed["is_playing"]) == ("Firefox on Linux", True, True)
    assert listed["started_at"] <= listed["last_seen_at"]
    assert "ip" not in listed
    ended = client_of().post(f"{URL}{session.public_id}/end/", {"token": listed["end_token"]})
    assert ended.status_code == 204
    assert client_of(viewer).get(URL).json()["results"] == []


def test_only_what_may_still_be_used_is_listed_newest_first(viewer, client_of):
    video = local_video()
    lapsed, waiting, playing = (
        start(viewer, video, "device-1"),
        start(viewer, video, "device-2", door=SessionDoor.LESSON),
        start(viewer, video, "device-3"),
    )
    expired = start(viewer, video, "device-4", door=SessionDoor.LESSON)
    past = timezone.now() - timedelta(seconds=1)
    PlaybackSession.objects.filter(public_id=lapsed.public_id).update(lease_expires_at=past)
    PlaybackSession.objects.filter(public_id=expired.public_id).update(created_at=past - UNCLAIMED_LIFE)
    start(make_user(), video)
    listed = client_of(viewer).get(URL).json()["results"]
    assert [row["id"] for row in listed] == [str(playing.public_id), str(waiting.public_id)]
    assert [row["is_playing"] for row in listed] == [True, False]
    assert not any(row["is_this_device"] for row in listed)


def test_the_list_costs_the_same_for_one_device_and_many(viewer, client_of, settings):
    settings.VIDEO_MAX_CONCURRENT_STREAMS = 20
    client, costs = client_of(viewer), []
    for number in range(12):
        start(viewer, local_video(), f"device-{number}")
        with counted_statements() as statements:
            assert len(client.get(URL).json()["results"]) == number + 1
        costs.append(len(statements))
    assert costs == [costs[0]] * 12


def test_nobody_signed_in_has_no_devices(client_of):
    assert client_of().get(URL).status_code == 401


def test_a_viewer_ends_their_own_session_without_a_token(viewer, client_of):
    session = start(viewer, local_video())
    url = f"{URL}{session.public_id}/end/"
    for stranger in (None, make_user()):
        response = client_of(stranger).post(url, {"position": 50})
        assert (response.status_code, codes(response)) == (403, ["invalid_session_token"])
    assert client_of(viewer).post(f"{URL}{uuid4()}/end/").status_code == 403
    assert [client_of(viewer).post(url, {"position": 50}).status_code for _ in range(2)] == [204, 204]
    row = PlaybackSession.objects.get()
    assert (row.state, row.end_reason, row.position_s) == (SessionState.ENDED, "viewer", 0)


def test_a_forged_token_is_not_made_good_by_a_log_in(viewer, client_of):
    session = start(viewer, local_video())
    response = client_of(viewer).post(f"{URL}{session.public_id}/end/", {"token": "forged"})
    assert (response.status_code, codes(response)) == (403, ["invalid_session_token"])


def test_an_expired_log_in_is_asked_to_sign_in_again(viewer, client_of):
    client = client_of()
    client.credentials(HTTP_AUTHORIZATION="Bearer not.a.token")
    assert client.post(f"{URL}{start(viewer, local_video()).public_id}/end/").status_code == 401


def test_a_start_may_take_the_place_of_another_device(viewer, client_of, settings):
    settings.VIDEO_MAX_CONCURRENT_STREAMS = 1
    video = local_video()
    old = start(viewer, video)
    refused = playback(client_of(viewer), video)
    assert (refused.status_code, codes(refused)) == (409, ["too_many_streams"])
    assert playback(client_of(viewer), video, end=refused.json()["sessions"][0]["id"]).status_code == 200
    row = PlaybackSession.objects.get(public_id=old.public_id)
    assert (row.state, row.end_reason) == (SessionState.ENDED, "taken_over")
    assert PlaybackSession.objects.leased(timezone.now()).get().device_id == "device-two"


def test_nobody_elses_session_is_taken_over(viewer, client_of, settings):
    settings.VIDEO_MAX_CONCURRENT_STREAMS = 1
    video = local_video()
    theirs, mine = start(make_user(), video), start(viewer, video)
    assert playback(client_of(viewer), video, end=str(theirs.public_id)).status_code == 409
    states = PlaybackSession.objects.filter(public_id__in=[theirs.public_id, mine.public_id])
    assert set(states.values_list("state", flat=True)) == {SessionState.ISSUED}


def test_a_refused_take_over_ends_nothing(viewer, client_of, settings):
    settings.VIDEO_MAX_CONCURRENT_STREAMS = 1
    old = start(viewer, local_video())
    closed = local_video(access_level="entitled")
    assert playback(client_of(viewer), closed, end=str(old.public_id)).status_code == 403
    assert PlaybackSession.objects.get().state == SessionState.ISSUED


def test_a_revoked_session_is_off_the_list_and_not_taken_over(viewer, client_of):
    video = local_video()
    session = start(viewer, video)
    revoke(user_id=viewer.pk, video_ids=None, reason="refund")
    assert client_of(viewer).get(URL).json()["results"] == []
    assert playback(client_of(viewer), video, end=str(session.public_id)).status_code == 200
    assert PlaybackSession.objects.get(public_id=session.public_id).state == SessionState.REVOKED


def test_a_refused_start_is_written_down(viewer, client_of, settings):
    settings.VIDEO_MAX_CONCURRENT_STREAMS = 1
    closed, video = local_video(access_level="entitled"), local_video()
    playback(client_of(viewer), closed)
    start(viewer, video)
    playback(client_of(viewer), video)
    playback(client_of(), closed)
    rows = list(RefusedStart.objects.order_by("pk"))
    me = Viewer.objects.get(user=viewer)
    assert [(row.code, row.viewer, row.video) for row in rows] == [
        ("not_entitled", me, closed),
        ("too_many_streams", me, video),
        ("not_entitled", None, closed),
    ]
    assert {(row.device_id, row.ip) for row in rows[:2]} == {("device-two", "127.0.0.1")}


def test_reading_a_lesson_is_no_refused_start(viewer, settings):
    settings.VIDEO_MAX_CONCURRENT_STREAMS = 1
    video = local_video()
    start(viewer, video)
    with pytest.raises(TooManyStreams):
        start(viewer, video, "device-two", door=SessionDoor.LESSON)
    assert not RefusedStart.objects.exists()


def test_a_refusal_that_cannot_be_written_down_is_answered_all_the_same(viewer, client_of, caplog):
    video = local_video(access_level="entitled")
    client = client_of(viewer)
    with _without_table(RefusedStart):
        response = playback(client, video)
    assert (response.status_code, codes(response)) == (403, ["not_entitled"])
    assert [record for record in caplog.records if record.name == refusals.__name__]


class _without_table:
    """The table of a model is away for a while."""

    def __init__(self, model):
        self.table = model._meta.db_table

    def _rename(self, before, after):
        with connection.cursor() as cursor:
            cursor.execute(f'ALTER TABLE "{before}" RENAME TO "{after}"')

    def __enter__(self):
        self._rename(self.table, f"{self.table}_away")

    def __exit__(self, *error):
        self._rename(f"{self.table}_away", self.table)
