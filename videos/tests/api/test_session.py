import json
from datetime import timedelta
from uuid import uuid4

import pytest
from django.core import signing
from django.utils import timezone

from videos import signals
from videos.models import PlaybackSession, SessionDoor, SessionState
from videos.services.playback import RequestContext, open_session
from videos.services.sessions import revoke
from videos.services.tokens import end_token, session_token
from videos.tests.factories import host_video, make_user
from videos.tests.statements import counted_statements


def start(sandbox, user, *, door=SessionDoor.PLAYBACK, device_id="device-one", video=None):
    return open_session(
        user=user,
        video=video or host_video(sandbox),
        door=door,
        device_id=device_id,
        context=RequestContext(ip="203.0.113.5", user_agent="test"),
    ).session


def beat(client, session, *, seq=1, position=0.0, token=None, **extra):
    body = {"token": session.token if token is None else token, "seq": seq, "position": position} | extra
    return client.post(session.heartbeat_url, body)


def end(client, session, token=None, **report):
    return client.post(f"/api/videos/sessions/{session.public_id}/end/", {"token": token or session.token} | report)


def codes(response) -> list[str]:
    return [error["code"] for error in response.json()["errors"]]


def test_a_heartbeat_keeps_the_position_and_renews_the_lease(sandbox, viewer, client_of):
    session = start(sandbox, viewer)
    almost_over = timezone.now() + timedelta(seconds=5)
    PlaybackSession.objects.update(lease_expires_at=almost_over)
    response = beat(client_of(), session, position=12.5)
    row = PlaybackSession.objects.get()
    assert response.status_code == 200
    assert response["Cache-Control"] == "no-store"
    assert (response.json()["position"], response.json()["ended"]) == (12.5, False)
    assert (row.position_s, row.last_seq) == (12.5, 1)
    assert row.lease_expires_at > almost_over + timedelta(seconds=30)
    assert response.json()["lease"]["expires_at"] == row.lease_expires_at.isoformat().replace("+00:00", "Z")


def test_the_next_viewing_begins_where_the_last_one_stood(sandbox, viewer, client_of):
    video = host_video(sandbox)
    beat(client_of(), start(sandbox, viewer, video=video), position=33)
    second = client_of(viewer).post(f"/api/videos/{video.pk}/playback/", {"device_id": "device-two"})
    assert second.json()["resume_position"] == 33
    third = client_of(viewer).post(f"/api/videos/{video.pk}/playback/", {"device_id": "device-two"})
    assert third.json()["resume_position"] == 33


def test_an_older_heartbeat_changes_nothing(sandbox, viewer, client_of):
    session, client = start(sandbox, viewer), client_of()
    beat(client, session, seq=5, position=50)
    lease = PlaybackSession.objects.get().lease_expires_at
    for seq in (5, 4, 0):
        assert beat(client, session, seq=seq, position=10).json()["position"] == 50
    assert PlaybackSession.objects.get().lease_expires_at == lease


def test_a_position_of_zero_overwrites_no_real_one(sandbox, viewer, client_of):
    session, client = start(sandbox, viewer), client_of()
    beat(client, session, seq=1, position=50)
    assert beat(client, session, seq=2, position=0).json()["position"] == 50
    assert PlaybackSession.objects.get().last_seq == 2


@pytest.mark.parametrize("position", [-1, "NaN", "Infinity", "-Infinity", 1e12, "1e400", 10**400, "far", None])
def test_a_position_must_be_a_place_in_a_video(sandbox, viewer, client_of, position):
    response = beat(client_of(), start(sandbox, viewer), position=position)
    assert response.status_code == 400
    assert response.json()["errors"][0]["attr"] == "position"


def test_json_that_holds_nan_is_refused(sandbox, viewer, client_of):
    session = start(sandbox, viewer)
    body = f'{{"token": "{session.token}", "seq": 1, "position": NaN}}'
    assert client_of().post(session.heartbeat_url, body, content_type="application/json").status_code == 400


@pytest.mark.parametrize(
    "number", ["1e400", "9" * 5000, "[" * 100_000, '{"a":' * 50_000], ids=["infinite", "long", "deep", "deep objects"]
)
@pytest.mark.parametrize("content_type", ["application/json", "text/plain"])
@pytest.mark.parametrize("door", ["heartbeat", "end"])
def test_no_body_of_a_stranger_breaks_the_door(sandbox, viewer, client_of, number, content_type, door):
    session = start(sandbox, viewer)
    body = f'{{"token": "{session.token}", "seq": 1, "position": {number}}}'
    address = f"/api/videos/sessions/{session.public_id}/{door}/"
    assert client_of().post(address, body, content_type=content_type).status_code == 400


@pytest.mark.parametrize("content_type", ["application/json", "text/plain"])
def test_a_body_that_is_too_large_is_the_senders_fault(sandbox, viewer, client_of, content_type, settings):
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 1000
    address = start(sandbox, viewer).heartbeat_url
    response = client_of().generic("POST", address, "9" * 1001, content_type=content_type)
    assert response.status_code == 413
    assert codes(response) == ["too_large"]


@pytest.mark.parametrize("seq", [-1, 2**60, 10**400, "x", None])
def test_seq_must_be_a_whole_number_from_zero(sandbox, viewer, client_of, seq):
    response = beat(client_of(), start(sandbox, viewer), seq=seq)
    assert response.json()["errors"][0]["attr"] == "seq"


@pytest.mark.parametrize(
    "forge",
    [
        lambda session: "",
        lambda session: session.token[:-1] + ("A" if session.token[-1] != "A" else "B"),
        lambda session: signing.dumps(session.public_id.hex, salt="something.else"),
        lambda session: session_token(uuid4()),
        lambda session: end_token(session.public_id),
        lambda session: "\x00é",
    ],
    ids=["missing", "changed", "of another purpose", "of another session", "good for ending alone", "garbage"],
)
def test_a_forged_token_is_refused(sandbox, viewer, client_of, forge):
    session = start(sandbox, viewer)
    response = beat(client_of(), session, token=forge(session), position=9)
    assert response.status_code in (400, 403)
    assert PlaybackSession.objects.get().last_seq == -1


def test_a_token_is_good_for_a_day(sandbox, viewer, client_of, monkeypatch):
    session = start(sandbox, viewer)
    monkeypatch.setattr("videos.services.tokens.MAX_AGE_S", -1)
    assert codes(beat(client_of(), session)) == ["invalid_session_token"]


def test_the_token_may_come_as_bearer_and_the_body_as_plain_text(sandbox, viewer, client_of):
    session, client = start(sandbox, viewer), client_of()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {session.token}")
    body = json.dumps({"seq": 1, "position": 4})
    assert client.post(session.heartbeat_url, body, content_type="text/plain").status_code == 200
    assert PlaybackSession.objects.get().position_s == 4


def test_a_heartbeat_costs_three_statements_however_long_the_history(sandbox, viewer, client_of):
    video = host_video(sandbox)
    session, client = start(sandbox, viewer, video=video), client_of()
    beat(client, session, seq=1, position=1)
    costs = []
    for seq in (2, 3):
        with counted_statements() as statements:
            beat(client, session, seq=seq, position=seq * 10)
        costs.append(len(statements))
        for number in range(10):
            start(sandbox, viewer, door=SessionDoor.LESSON, video=video)
            PlaybackSession.objects.filter(door="lesson").update(state=SessionState.ENDED, device_id=f"old-{number}")
    assert costs == [3, 3]


def test_the_first_heartbeat_of_a_lesson_claims_a_stream_within_eight_statements(sandbox, viewer, client_of):
    session = start(sandbox, viewer, door=SessionDoor.LESSON)
    assert session.lease_expires_at is None
    with counted_statements() as statements:
        assert beat(client_of(), session, position=2).json()["lease"]["expires_at"] is not None
    assert len(statements) <= 8
    assert PlaybackSession.objects.leased(timezone.now()).count() == 1


def test_a_lesson_that_finds_no_stream_free_is_told_which_are_in_use(settings, sandbox, viewer, client_of):
    settings.VIDEO_MAX_CONCURRENT_STREAMS = 1
    video = host_video(sandbox, title="Limits")
    waiting = start(sandbox, viewer, door=SessionDoor.LESSON, device_id="device-two", video=video)
    playing = start(sandbox, viewer, device_id="device-one", video=video)
    response = beat(client_of(), waiting, position=1)
    assert (response.status_code, codes(response)) == (409, ["too_many_streams"])
    (other,) = response.json()["sessions"]
    assert (other["id"], other["video_title"], other["user_agent"]) == (str(playing.public_id), "Limits", "test")
    assert end(client_of(), playing, other["end_token"]).status_code == 204
    assert beat(client_of(), waiting, position=1).status_code == 200
    assert codes(beat(client_of(), playing, position=1)) == ["session_ended"]


def test_a_lapsed_lease_is_claimed_again(sandbox, viewer, client_of):
    session = start(sandbox, viewer)
    PlaybackSession.objects.update(lease_expires_at=timezone.now() - timedelta(minutes=5))
    assert beat(client_of(), session, position=1).status_code == 200
    assert PlaybackSession.objects.leased(timezone.now()).count() == 1


def test_a_second_start_on_the_same_device_takes_the_stream_over(sandbox, viewer, client_of):
    first = start(sandbox, viewer)
    second = start(sandbox, viewer)
    assert codes(beat(client_of(), first)) == ["session_ended"]
    assert beat(client_of(), second).status_code == 200
    assert PlaybackSession.objects.get(public_id=first.public_id).end_reason == "superseded"


def test_ending_twice_is_the_same_as_once(sandbox, viewer, client_of):
    session = start(sandbox, viewer)
    assert [end(client_of(), session).status_code for _ in range(2)] == [204, 204]
    row = PlaybackSession.objects.get()
    assert (row.state, row.end_reason) == (SessionState.ENDED, "viewer")


def test_leaving_tells_the_last_position(sandbox, viewer, client_of):
    session, client = start(sandbox, viewer), client_of()
    beat(client, session, seq=4, position=50)
    assert end(client, session, seq=5, position=57.5).status_code == 204
    row = PlaybackSession.objects.get()
    assert (row.state, row.position_s, row.last_seq) == (SessionState.ENDED, 57.5, 5)
    assert end(client, session, seq=6, position=99).status_code == 204
    assert PlaybackSession.objects.get().position_s == 57.5


def test_a_position_without_seq_is_the_latest_word(sandbox, viewer, client_of):
    session, client = start(sandbox, viewer), client_of()
    beat(client, session, seq=4, position=50)
    end(client, session, position=3)
    assert PlaybackSession.objects.get().position_s == 3


def test_an_overtaken_or_empty_last_report_loses_no_position(sandbox, viewer, client_of):
    client = client_of()
    for report in ({"seq": 3, "position": 9}, {"seq": 5, "position": 0}, {}):
        session = start(sandbox, viewer)
        beat(client, session, seq=4, position=50)
        assert end(client, session, **report).status_code == 204
        row = PlaybackSession.objects.get(public_id=session.public_id)
        assert (row.state, row.position_s) == (SessionState.ENDED, 50)


def test_an_end_token_moves_no_position(sandbox, viewer, client_of):
    session, client = start(sandbox, viewer), client_of()
    beat(client, session, seq=1, position=50)
    assert end(client, session, end_token(session.public_id), seq=2, position=1).status_code == 204
    row = PlaybackSession.objects.get()
    assert (row.state, row.position_s) == (SessionState.ENDED, 50)


@pytest.mark.parametrize("report", [{"position": "NaN"}, {"position": 1e12}, {"position": -1}, {"seq": -1}])
def test_a_senseless_last_report_is_refused(sandbox, viewer, client_of, report):
    session = start(sandbox, viewer)
    assert end(client_of(), session, **report).status_code == 400
    assert PlaybackSession.objects.get().position_s == 0


def test_the_shortest_viewing_starts_with_its_end(sandbox, viewer, client_of, django_capture_on_commit_callbacks):
    heard = []
    signals.playback_started.connect(receiver := lambda **sent: heard.append(sent["session"].public_id))
    session = start(sandbox, viewer, door=SessionDoor.LESSON)
    with django_capture_on_commit_callbacks(execute=True):
        end(client_of(), session, seq=1, position=4)
    signals.playback_started.disconnect(receiver)
    assert heard == [session.public_id]


def test_nobody_elses_token_ends_a_session(sandbox, viewer, client_of):
    mine, theirs = start(sandbox, viewer), start(sandbox, make_user())
    assert codes(end(client_of(), mine, theirs.token)) == ["invalid_session_token"]
    assert PlaybackSession.objects.get(public_id=mine.public_id).state == SessionState.ISSUED


def test_a_revoked_session_is_refused_and_stays_revoked(sandbox, viewer, client_of):
    session = start(sandbox, viewer)
    assert revoke(user_id=viewer.pk, video_ids=None, reason="refund") == 1
    assert codes(beat(client_of(), session, position=3)) == ["session_revoked"]
    end(client_of(), session)
    row = PlaybackSession.objects.get()
    assert (row.state, row.end_reason, row.lease_expires_at) == (SessionState.REVOKED, "refund", None)


def test_revoking_some_videos_leaves_the_others_and_other_people(sandbox, viewer):
    one, other = host_video(sandbox), host_video(sandbox)
    start(sandbox, viewer, video=one, device_id="device-one")
    start(sandbox, viewer, video=other, device_id="device-two")
    start(sandbox, make_user(), video=one)
    assert revoke(user_id=viewer.pk, video_ids=[one.pk], reason="refund") == 1
    assert PlaybackSession.objects.live().count() == 2


def test_revoking_somebody_who_never_watched_ends_nothing(viewer):
    assert revoke(user_id=viewer.pk, video_ids=None, reason="refund") == 0


def test_a_viewing_starts_once_with_something_played(sandbox, viewer, client_of, django_capture_on_commit_callbacks):
    heard = []
    signals.playback_started.connect(receiver := lambda **sent: heard.append(sent["session"].public_id))
    session, client = start(sandbox, viewer), client_of()
    with django_capture_on_commit_callbacks(execute=True):
        beat(client, session, seq=1, position=0)
        assert heard == []
        beat(client, session, seq=2, position=10)
        beat(client, session, seq=3, position=20)
    signals.playback_started.disconnect(receiver)
    assert heard == [session.public_id]
    assert PlaybackSession.objects.get().played_at is not None


def test_staff_watching_starts_no_viewing(sandbox, client_of, django_capture_on_commit_callbacks):
    heard = []
    signals.playback_started.connect(receiver := lambda **sent: heard.append(sent))
    with django_capture_on_commit_callbacks(execute=True):
        beat(client_of(), start(sandbox, make_user(is_staff=True)), position=10)
    signals.playback_started.disconnect(receiver)
    assert heard == []
