from concurrent.futures import ThreadPoolExecutor, wait
from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import connection, transaction
from django.utils import timezone

from videos.models import PlaybackSession, SessionState
from videos.services import streams
from videos.services.errors import SessionEnded, SessionRevoked, TooManyStreams
from videos.services.uses import use_session
from videos.tests.statements import counted_statements
from videos.tests.viewings import make_viewer, make_viewing

pytestmark = pytest.mark.django_db


def make_session(**overrides):
    return make_viewing(**{"state": SessionState.ISSUED, "played": ()} | overrides)


def in_seconds(seconds):
    return timezone.now() + timedelta(seconds=seconds)


def lease_of(session):
    return PlaybackSession.objects.get(pk=session.pk).lease_expires_at


def test_the_first_use_claims_the_stream():
    session = make_session(lease_expires_at=None)
    with counted_statements() as statements:
        use_session(session.public_id)
    assert len(statements) == 4, statements
    assert in_seconds(40) < lease_of(session) <= in_seconds(45)


def test_a_use_within_a_good_lease_is_one_statement_and_changes_nothing():
    session = make_session(lease_expires_at=in_seconds(40))
    with counted_statements() as statements:
        used = use_session(session.public_id)
        assert (used.viewer_id, used.video_id) == (session.viewer_id, session.video_id)
        assert (used.asset_id, used.device_id) == (session.asset_id, session.device_id)
    assert len(statements) == 1
    assert lease_of(session) == session.lease_expires_at


def test_a_lease_that_runs_out_is_kept_by_use():
    session = make_session(lease_expires_at=in_seconds(5))
    use_session(session.public_id)
    assert lease_of(session) > in_seconds(40)


@pytest.mark.parametrize("lease_s", [None, -5])
def test_a_use_finds_all_streams_taken(lease_s):
    viewer = make_viewer()
    make_session(viewer=viewer, device_id="elsewhere", lease_expires_at=in_seconds(30))
    lease = None if lease_s is None else in_seconds(lease_s)
    session = make_session(viewer=viewer, max_streams=1, lease_expires_at=lease)
    with pytest.raises(TooManyStreams):
        use_session(session.public_id)
    assert lease_of(session) == lease


@pytest.mark.django_db(transaction=True)
def test_a_claim_waits_for_another_one_of_its_viewer():
    viewer = make_viewer()
    first, second = (make_session(viewer=viewer, device_id=name, max_streams=1, lease_expires_at=None) for name in "ab")

    def claim():
        try:
            return use_session(second.public_id)
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            streams.lock_viewer_of(first)
            claiming = pool.submit(claim)
            assert not wait([claiming], timeout=0.2).done
            PlaybackSession.objects.filter(pk=first.pk).update(lease_expires_at=in_seconds(45))
        with pytest.raises(TooManyStreams):
            claiming.result(timeout=10)


def test_who_is_not_counted_takes_no_stream_from_anybody():
    viewer = make_viewer()
    make_session(viewer=viewer, device_id="elsewhere", lease_expires_at=in_seconds(30))
    use_session(make_session(viewer=viewer, max_streams=1, is_counted=False).public_id)


@pytest.mark.parametrize(
    ("state", "error"),
    [(SessionState.REVOKED, SessionRevoked), (SessionState.ENDED, SessionEnded), (SessionState.FAILED, SessionEnded)],
)
def test_a_session_that_is_over_is_of_no_use(state, error):
    with pytest.raises(error):
        use_session(make_session(state=state, lease_expires_at=in_seconds(30)).public_id)


@pytest.mark.parametrize("lease_s", [None, 5])
def test_a_session_that_was_revoked_since_it_was_read_is_of_no_use(lease_s):
    session = make_session(lease_expires_at=lease_s and in_seconds(lease_s))

    def revoke_before_update(execute, statement, *args):
        if statement.startswith("UPDATE") and "'revoked'" not in statement:
            with connection.cursor() as cursor:
                cursor.execute("UPDATE videos_playbacksession SET state = 'revoked'")
        return execute(statement, *args)

    with connection.execute_wrapper(revoke_before_update), pytest.raises(SessionRevoked):
        use_session(session.public_id)


def test_an_unknown_session_is_of_no_use():
    with pytest.raises(SessionEnded):
        use_session(uuid4())
