from datetime import timedelta

import pytest
from django.core.management import call_command
from django.utils import timezone

from videos import signals
from videos.models import Asset, AssetStatus, PlaybackSession, SessionDoor, Video, WebhookEvent
from videos.providers import types
from videos.providers.exceptions import AssetNotFound
from videos.providers.failures import UNREADABLE, reason_of
from videos.services import hooks
from videos.services.assets import (
    LOST_POLLS,
    ask_again,
    attach_host_id,
    make_current,
    poll_assets,
    poll_delay,
    refresh_asset,
    refresh_due_asset,
)
from videos.services.errors import InvalidRequest, NotYours
from videos.services.health import ping_hosts
from videos.services.playback import RequestContext, open_session
from videos.services.removal import delete_video
from videos.tests import captioned_host
from videos.tests.factories import host_video, make_asset, make_user, make_video

pytestmark = pytest.mark.django_db


@pytest.fixture
def heard():
    """The signals sent, as `(name, arguments)`."""
    sent = []

    def hear_ready(**arguments):
        sent.append(("video_ready", arguments))

    def hear_failed(**arguments):
        sent.append(("video_failed", arguments))

    signals.video_ready.connect(hear_ready)
    signals.video_failed.connect(hear_failed)
    yield sent
    signals.video_ready.disconnect(hear_ready)
    signals.video_failed.disconnect(hear_failed)


def test_a_pasted_id_becomes_a_video_whose_status_is_fetched(
    sandbox, viewer, heard, django_capture_on_commit_callbacks
):
    host_id = sandbox.add_video(length=44)
    with django_capture_on_commit_callbacks(execute=True):
        asset = attach_host_id(host_id=f"  {host_id}\n", title="Proofs", owner=viewer)
    asset.refresh_from_db()
    assert (asset.video.title, asset.video.owner) == ("Proofs", viewer)
    assert (asset.provider, asset.host_id, asset.protection) == ("vdocipher", host_id, "drm")
    assert (asset.status, asset.host_status, asset.duration_s) == (AssetStatus.READY, "ready", 44)
    assert asset.next_poll_at is None
    assert asset.raw["id"] == host_id
    assert [name for name, _ in heard] == ["video_ready"]


def test_a_new_id_replaces_the_current_asset_of_a_video(sandbox, viewer):
    video = make_video(owner=viewer)
    former = video.assets.get()
    asset = attach_host_id(video=video, host_id=sandbox.add_video(), title="", owner=viewer)
    former.refresh_from_db()
    assert (asset.video, asset.is_current, former.is_current, former.next_poll_at) == (video, True, False, None)


def test_pasting_the_former_id_goes_back_to_it(sandbox, viewer):
    video = host_video(sandbox, owner=viewer)
    former = video.assets.get()
    attach_host_id(video=video, host_id=sandbox.add_video(), title="", owner=viewer)
    attach_host_id(video=video, host_id=former.host_id, title="", owner=viewer)
    assert video.assets.get(is_current=True) == former
    assert video.assets.count() == 2


def test_an_id_that_is_mine_already_is_reused(sandbox, viewer):
    mine = host_video(sandbox, owner=viewer)
    asset = attach_host_id(host_id=mine.assets.get().host_id, title="Again", owner=viewer)
    assert asset.video == mine
    assert Video.objects.count() == 1


def test_an_id_of_somebody_elses_video_is_taken(sandbox, viewer):
    theirs = host_video(sandbox, owner=make_user())
    with pytest.raises(InvalidRequest) as refused:
        attach_host_id(host_id=theirs.assets.get().host_id, title="", owner=viewer)
    assert (refused.value.code, refused.value.attr) == ("video_service_id_taken", "video_service_id")


def test_an_id_cannot_be_attached_to_somebody_elses_video(sandbox, viewer):
    with pytest.raises(NotYours):
        attach_host_id(video=make_video(owner=make_user()), host_id=sandbox.add_video(), title="", owner=viewer)


@pytest.mark.parametrize("host_id", ["", "  ", "a b", "../x", "x" * 256, "<script>", "ü"])
def test_what_is_no_id_is_refused(sandbox, viewer, host_id):
    with pytest.raises(InvalidRequest) as refused:
        attach_host_id(host_id=host_id, title="", owner=viewer)
    assert refused.value.code == "video_service_id_invalid"


def test_without_a_host_no_id_can_be_attached(settings, viewer):
    settings.VIDEO_PROVIDERS = {}
    with pytest.raises(InvalidRequest) as refused:
        attach_host_id(host_id="abc", title="", owner=viewer)
    assert refused.value.code == "video_provider_unknown"


def test_an_id_the_host_does_not_know_fails_with_a_reason(sandbox, viewer, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True):
        asset = attach_host_id(host_id="0" * 32, title="Typo", owner=viewer)
    asset.refresh_from_db()
    assert (asset.status, asset.next_poll_at) == (AssetStatus.FAILED, None)
    assert "does not know" in asset.failure_reason


def test_a_copy_that_vanished_from_the_host_is_deleted(sandbox):
    asset = make_asset(ready_at=timezone.now())
    refresh_asset(asset.pk)
    asset.refresh_from_db()
    assert asset.status == AssetStatus.DELETED


def deletions(sandbox) -> list[str]:
    return [call["query"]["videos"] for call in sandbox.calls("vdocipher") if call["method"] == "DELETE"]


def lost_copy(sandbox) -> Asset:
    """A copy that is at the host, which denied it once."""
    asset = host_video(sandbox, asset={"ready_at": timezone.now()}).assets.get()
    sandbox.fault(service="vdocipher", path="/videos", times=1, status=404, body='{"message": "Video not found"}')
    refresh_asset(asset.pk)
    asset.refresh_from_db()
    assert asset.status == AssetStatus.DELETED
    return asset


def test_a_copy_that_its_host_finds_again_plays_again_and_is_not_deleted_there(
    sandbox, django_capture_on_commit_callbacks
):
    asset = lost_copy(sandbox)
    with django_capture_on_commit_callbacks(execute=True):
        ask_again([asset.video])
    asset.refresh_from_db()
    assert deletions(sandbox) == []
    assert (asset.status, asset.failure_code, asset.next_poll_at) == (AssetStatus.READY, "", None)


def test_a_lost_copy_is_asked_about_again_for_a_while(sandbox, django_capture_on_commit_callbacks):
    found, gone = lost_copy(sandbox), make_asset(ready_at=timezone.now())
    Asset.objects.filter(pk=gone.pk).update(poll_attempts=LOST_POLLS + 5)
    for _ in range(LOST_POLLS):
        refresh_asset(gone.pk)
        assert Asset.objects.get(pk=gone.pk).next_poll_at > timezone.now()
        Asset.objects.filter(next_poll_at__isnull=False).update(next_poll_at=timezone.now())
        with django_capture_on_commit_callbacks(execute=True):
            poll_assets()
    found.refresh_from_db()
    gone.refresh_from_db()
    assert (found.status, found.next_poll_at) == (AssetStatus.READY, None)
    assert (gone.status, gone.next_poll_at) == (AssetStatus.DELETED, None)
    assert deletions(sandbox) == []


def test_a_lost_copy_of_a_video_that_is_deleted_is_deleted_for_good(sandbox, django_capture_on_commit_callbacks):
    asset = lost_copy(sandbox)
    with django_capture_on_commit_callbacks(execute=True):
        delete_video(asset.video)
        ask_again([asset.video])
    asset.refresh_from_db()
    assert asset.host_id in deletions(sandbox)
    assert (asset.status, asset.next_poll_at) == (AssetStatus.DELETED, None)


def test_a_deletion_outlasts_an_answer_that_the_host_knows_no_such_video(db, settings):
    settings.VIDEO_PROVIDERS = {"captioned": {"BACKEND": captioned_host.BACKEND}}
    asset = make_asset(provider="captioned", ready_at=timezone.now())

    def deny():
        delete_video(asset.video)
        raise AssetNotFound

    captioned_host.during_call[:] = [deny]
    refresh_asset(asset.pk)
    asset.refresh_from_db()
    assert (asset.status, asset.failure_code) == (AssetStatus.DELETED, "")


@pytest.mark.parametrize(
    ("word", "status", "is_done"),
    [
        ("PRE-Upload", AssetStatus.WAITING, False),
        ("Queued", AssetStatus.PROCESSING, False),
        ("Never heard of", AssetStatus.PROCESSING, False),
        ("ready", AssetStatus.READY, True),
        ("Encoding error", AssetStatus.FAILED, True),
    ],
)
def test_the_hosts_word_decides_and_what_is_not_done_is_asked_about_again(
    sandbox, word, status, is_done, django_capture_on_commit_callbacks
):
    asset = host_video(sandbox, status=word, asset={"status": AssetStatus.WAITING}).assets.get()
    with django_capture_on_commit_callbacks(execute=True):
        refresh_asset(asset.pk)
    asset.refresh_from_db()
    assert (asset.status, asset.host_status) == (status, word)
    assert (asset.next_poll_at is None) == is_done


def test_an_encoding_error_sends_video_failed(sandbox, heard, django_capture_on_commit_callbacks):
    asset = host_video(sandbox, status="Encoding error", asset={"status": AssetStatus.PROCESSING}).assets.get()
    with django_capture_on_commit_callbacks(execute=True):
        refresh_asset(asset.pk)
        refresh_asset(asset.pk)
    ((name, arguments),) = heard
    assert (name, arguments["video"], arguments["reason"]) == ("video_failed", asset.video, reason_of(UNREADABLE))


def test_a_ready_video_takes_no_step_back(sandbox):
    asset = host_video(sandbox, status="Queued").assets.get()
    refresh_asset(asset.pk)
    asset.refresh_from_db()
    assert asset.status == AssetStatus.READY


def test_a_host_that_is_down_is_asked_again_later_and_later(sandbox):
    asset = make_asset(status=AssetStatus.PROCESSING, next_poll_at=timezone.now())
    sandbox.fault(service="vdocipher", path="/videos/", times=0, status=401)
    refresh_asset(asset.pk)
    asset.refresh_from_db()
    assert (asset.status, asset.poll_attempts) == (AssetStatus.PROCESSING, 1)
    assert timedelta(seconds=20) < asset.next_poll_at - timezone.now() <= timedelta(seconds=30)


def test_polls_double_from_half_a_minute_to_an_hour():
    assert [poll_delay(attempts).seconds for attempts in (0, 1, 2, 6, 7, 500)] == [30, 60, 120, 1920, 3600, 3600]


@pytest.mark.usefixtures("sandbox")
def test_a_poll_takes_what_is_due_and_puts_it_off(django_capture_on_commit_callbacks):
    now = timezone.now()
    due = make_asset(status=AssetStatus.PROCESSING, next_poll_at=now - timedelta(seconds=1), poll_attempts=3)
    make_asset(status=AssetStatus.PROCESSING, next_poll_at=now + timedelta(minutes=1))
    make_asset(next_poll_at=None)
    with django_capture_on_commit_callbacks() as asked:
        assert poll_assets() == 1
        assert poll_assets() == 0
    due.refresh_from_db()
    assert len(asked) == 1
    assert due.poll_attempts == 4
    assert due.next_poll_at >= now + timedelta(seconds=230)


def test_the_command_polls_and_says_how_many(sandbox, capsys):
    make_asset(status=AssetStatus.PROCESSING, next_poll_at=timezone.now())
    call_command("poll_videos")
    assert "1 videos asked about" in capsys.readouterr().out


def test_asking_about_an_asset_that_is_gone_is_no_error(db):
    refresh_asset(4711)


def test_a_deleted_video_is_revoked_at_once_and_removed_at_the_host(
    sandbox, viewer, django_capture_on_commit_callbacks
):
    video = host_video(sandbox)
    open_session(user=viewer, video=video, door=SessionDoor.PLAYBACK, device_id="device", context=RequestContext())
    with django_capture_on_commit_callbacks(execute=True):
        delete_video(video)
    asset = video.assets.get()
    assert (asset.status, asset.next_poll_at) == (AssetStatus.DELETED, None)
    assert PlaybackSession.objects.get().state == "revoked"
    deletions = [call for call in sandbox.calls("vdocipher") if call["method"] == "DELETE"]
    assert [call["query"]["videos"] for call in deletions] == [asset.host_id]


def test_a_deletion_that_the_host_missed_is_repeated_by_the_poll(sandbox, django_capture_on_commit_callbacks):
    video = host_video(sandbox)
    sandbox.fault(service="vdocipher", path="/videos", times=1, status=401)
    with django_capture_on_commit_callbacks(execute=True):
        delete_video(video)
    asset = video.assets.get()
    assert asset.next_poll_at is not None
    Asset.objects.update(next_poll_at=timezone.now())
    with django_capture_on_commit_callbacks(execute=True):
        assert poll_assets() == 1
    asset.refresh_from_db()
    assert (asset.status, asset.next_poll_at) == (AssetStatus.DELETED, None)


def test_hosts_are_pinged_with_their_response_time(sandbox, settings):
    settings.VIDEO_PROVIDERS["broken"] = {"BACKEND": "videos.providers.vdocipher.VdoCipherProvider", "OPTIONS": {}}
    settings.VIDEO_PROVIDERS = {alias: settings.VIDEO_PROVIDERS[alias] for alias in ("vdocipher", "broken")}
    reachable, broken = ping_hosts()
    assert (reachable.alias, reachable.is_reachable, reachable.code) == ("vdocipher", True, "")
    assert reachable.response_ms > 0
    assert (broken.alias, broken.is_reachable, broken.code) == ("broken", False, "host_misconfigured")


def preparing(sandbox, **overrides):
    """A copy under way at the stand-in for Cloudflare Stream."""
    host_id = sandbox.cloudflare.add_video(state="inprogress")
    values = {"provider": "cloudflare", "host_id": host_id, "status": AssetStatus.WAITING} | overrides
    return make_asset(**values)


def test_what_the_host_is_at_is_kept_with_the_moment_of_the_file(sandbox, django_capture_on_commit_callbacks):
    asset = preparing(sandbox)
    sandbox.cloudflare.set_state(asset.host_id, "inprogress", pct="39.000000", send_hook=False)
    refresh_asset(asset.pk)
    asset.refresh_from_db()
    assert (asset.status, asset.progress_percent, asset.ready_at) == (AssetStatus.PROCESSING, 39, None)
    first_seen = asset.uploaded_at
    assert first_seen is not None
    sandbox.cloudflare.set_state(asset.host_id, "ready", pct="39.000000", send_hook=False)
    with django_capture_on_commit_callbacks(execute=True):
        refresh_asset(asset.pk)
    asset.refresh_from_db()
    assert (asset.status, asset.progress_percent, asset.uploaded_at) == (AssetStatus.READY, 100, first_seen)


def test_a_replacement_is_played_once_it_is_ready_and_the_former_copy_stays(
    sandbox, heard, django_capture_on_commit_callbacks
):
    video = host_video(sandbox)
    former = video.assets.get()
    replacement = preparing(sandbox, video=video, is_current=False, is_next=True)
    refresh_asset(replacement.pk)
    assert video.assets.get(is_current=True) == former
    sandbox.cloudflare.set_state(replacement.host_id, "ready", send_hook=False)
    with django_capture_on_commit_callbacks(execute=True):
        refresh_asset(replacement.pk)
    former.refresh_from_db()
    replacement.refresh_from_db()
    assert (replacement.is_current, replacement.is_next, former.is_current) == (True, False, False)
    assert (former.status, former.next_poll_at) == (AssetStatus.READY, None)
    assert [(name, sent["asset"]) for name, sent in heard] == [("video_ready", replacement)]
    make_current(former)
    assert video.assets.get(is_current=True) == former


def test_a_replacement_that_fails_is_announced_while_the_former_copy_plays_on(
    sandbox, heard, django_capture_on_commit_callbacks
):
    video = host_video(sandbox)
    former = video.assets.get()
    replacement = preparing(sandbox, video=video, is_current=False, is_next=True)
    sandbox.cloudflare.set_state(replacement.host_id, "error", error_code="ERR_NON_VIDEO", send_hook=False)
    with django_capture_on_commit_callbacks(execute=True):
        refresh_asset(replacement.pk)
    assert [(name, sent["asset"]) for name, sent in heard] == [("video_failed", replacement)]
    assert video.assets.get(is_current=True) == former


def test_a_copy_that_is_neither_played_nor_next_is_announced_to_nobody(
    sandbox, heard, django_capture_on_commit_callbacks
):
    asset = preparing(sandbox, video=host_video(sandbox), is_current=False)
    sandbox.cloudflare.set_state(asset.host_id, "ready", send_hook=False)
    with django_capture_on_commit_callbacks(execute=True):
        refresh_asset(asset.pk)
    assert heard == []


def test_an_announcement_that_died_with_its_process_is_made_by_the_poll_and_then_no_more(
    sandbox, heard, django_capture_on_commit_callbacks
):
    asset = host_video(sandbox, asset={"status": AssetStatus.PROCESSING}).assets.get()
    with django_capture_on_commit_callbacks():
        refresh_asset(asset.pk)
    asset.refresh_from_db()
    assert (asset.status, asset.announced_status, heard) == (AssetStatus.READY, "", [])
    assert asset.next_poll_at - timezone.now() <= timedelta(minutes=1)
    Asset.objects.filter(next_poll_at__isnull=False).update(next_poll_at=timezone.now())
    with django_capture_on_commit_callbacks(execute=True):
        assert poll_assets() == 1
    asset.refresh_from_db()
    assert [name for name, _ in heard] == ["video_ready"]
    assert (asset.announced_status, asset.next_poll_at) == (AssetStatus.READY, None)
    with django_capture_on_commit_callbacks(execute=True):
        refresh_asset(asset.pk)
    assert len(heard) == 1


def test_a_question_answers_what_was_asked_before_it_and_leaves_the_copy_due_for_what_came_after(db, settings):
    settings.VIDEO_PROVIDERS = {"captioned": {"BACKEND": captioned_host.BACKEND}}
    asset = make_asset(provider="captioned", status=AssetStatus.PROCESSING)
    event = types.WebhookEvent(kind=types.WebhookKind.ASSET_CHANGED, host_id=asset.host_id)
    hooks.take_events("captioned", [event], b"before")
    captioned_host.during_call[:] = [lambda: hooks.take_events("captioned", [event], b"after")]
    refresh_asset(asset.pk)
    asset.refresh_from_db()
    after, before = WebhookEvent.objects.all()
    assert (before.handled_at is not None, after.handled_at) == (True, None)
    assert asset.next_poll_at <= timezone.now()


def test_a_former_copy_that_is_to_be_deleted_still_will_be(sandbox):
    video = host_video(sandbox, asset={"status": AssetStatus.DELETED, "next_poll_at": timezone.now()})
    former = video.assets.get()
    make_current(make_asset(video=video, is_current=False))
    former.refresh_from_db()
    assert former.next_poll_at is not None


def test_a_copy_is_asked_about_once_for_all_who_found_it_due(sandbox):
    asset = preparing(sandbox, next_poll_at=timezone.now())
    assert [refresh_due_asset(asset.pk), refresh_due_asset(asset.pk)] == [True, False]
    assert not refresh_due_asset(4711)


def test_an_id_may_name_the_host_it_is_of(sandbox, settings, django_capture_on_commit_callbacks):
    settings.VIDEO_ROUTES = [{"use": ["vdocipher"]}, {"use": ["cloudflare"]}]
    host_id = sandbox.cloudflare.add_video()
    with django_capture_on_commit_callbacks(execute=True):
        asset = attach_host_id(host_id=f"cloudflare:{host_id}", title="Pasted", owner=None)
    asset.refresh_from_db()
    assert (asset.provider, asset.host_id, asset.status) == ("cloudflare", host_id, AssetStatus.READY)
    assert attach_host_id(host_id=f"cloudflare:{host_id}", title="Again", owner=None) == asset
    assert attach_host_id(host_id="unknown:abc", title="Other", owner=None).provider == "vdocipher"
