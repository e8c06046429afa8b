import base64
import io
from datetime import timedelta
from uuid import UUID

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from videos.hosted.hosts import host
from videos.hosted.key_stores.local import LocalKeyStore
from videos.hosted.models import ContentKey, KeyState, Transcode, TranscodeKind
from videos.hosted.services.content_keys import keys
from videos.hosted.services.content_keys.rewrapping import rewrap
from videos.hosted.tests.conftest import KEK
from videos.hosted.tests.licence_requests import make_package
from videos.hosted.tests.making import KEY, KID, make_hosted_video, make_key

pytestmark = pytest.mark.django_db

NEWER = base64.b64encode(bytes(range(1, 33))).decode()
NEVER = "videos.hosted.tests.test_keys_commands.never"


def never(*args):
    """The sender of background work where none is wanted."""


def run(*args, ends=None):
    """What a command writes; `ends` is the status it is to end with."""
    written = io.StringIO()
    if ends is None:
        call_command(*args, stdout=written)
    else:
        with pytest.raises(SystemExit) as ended:
            call_command(*args, stdout=written)
        assert ended.value.code == ends
    return written.getvalue()


def configure(settings, configured, **options):
    """Key-encryption keys as VIDEO_CONTENT_KEYS has them; the first one is primary."""
    entry = settings.VIDEO_PROVIDERS["hosted"]["OPTIONS"]
    entry["key_store"] = {"BACKEND": entry["key_store"]["BACKEND"], "OPTIONS": {"keys": configured}}
    entry.update(options)
    return host("hosted")


def make_keys(count):
    ours, _ = make_hosted_video()
    return [make_key(ours, version=number, kid=UUID(int=number)) for number in range(1, count + 1)]


def wrappers():
    return list(ContentKey.objects.order_by("pk").values_list("wrapped_by", flat=True))


def test_keys_move_to_the_primary_key_encryption_key_with_a_line_of_progress(hosted, settings):
    make_keys(3)
    configure(settings, {"kek-2": NEWER, "kek-1": KEK})
    told = run("rewrap_content_keys", "--dry-run")
    assert "3 content keys are under kek-1" in told
    assert wrappers() == ["kek-1"] * 3
    told = run("rewrap_content_keys", "--batch", "2").splitlines()
    assert "[#############.......] 2 of 3" in told[1]
    assert "3 content keys moved to kek-2, 0 by somebody else, 0 cannot be opened" in told[-1]
    configure(settings, {"kek-2": NEWER})
    assert {keys.material_of(key).key for key in ContentKey.objects.all()} == {KEY}
    assert "0 content keys to be moved" in run("rewrap_content_keys")
    assert ContentKey.objects.first().rewrapped_at > timezone.now() - timedelta(minutes=1)


def test_moving_goes_on_after_a_key_that_does_not_open(hosted, settings):
    made = make_keys(3)
    ContentKey.objects.filter(pk=made[1].pk).update(wrapped=made[0].wrapped)
    configure(settings, {"kek-2": NEWER, "kek-1": KEK})
    assert "2 content keys moved to kek-2, 0 by somebody else, 1 cannot be opened" in run("rewrap_content_keys", ends=1)
    assert wrappers() == ["kek-2", "kek-1", "kek-2"]


def test_what_is_not_configured_any_more_is_said_to_be_unreadable(hosted, settings):
    make_keys(1)
    configure(settings, {"kek-2": NEWER})
    assert "1 cannot be opened" in run("rewrap_content_keys", ends=1)
    configure(settings, {})
    with pytest.raises(CommandError, match="What was moved stays moved"):
        run("rewrap_content_keys")


def test_keys_of_a_former_key_store_move_to_the_present_one(hosted, settings):
    make_keys(2)
    former = settings.VIDEO_PROVIDERS["hosted"]["OPTIONS"]["key_store"]
    configure(settings, {"kek-2": NEWER}, former_key_stores=[former])
    run("rewrap_content_keys")
    configure(settings, {"kek-2": NEWER}, former_key_stores=[])
    assert {keys.material_of(key).key for key in ContentKey.objects.all()} == {KEY}


class MeanwhileKeyStore(LocalKeyStore):
    """Something happens while a key is being wrapped anew."""

    def wrap(self, plain, context):
        wrapped = super().wrap(plain, context)
        if MEANWHILE:
            MEANWHILE.pop()()
        return wrapped


MEANWHILE = []


def test_what_changes_while_a_key_is_moved_stays_as_it_was_changed(hosted, settings):
    """Another run moves the same key first; another key is destroyed."""
    moved, _ = make_keys(2)
    parts = configure(settings, {"kek-2": NEWER, "kek-1": KEK})
    options = settings.VIDEO_PROVIDERS["hosted"]["OPTIONS"]["key_store"]
    options["BACKEND"] = f"{__name__}.MeanwhileKeyStore"
    MEANWHILE[:] = [lambda: keys.destroy(ContentKey.objects.get(version=2)), lambda: rewrap("hosted", parts)]
    blobs = []
    MEANWHILE.append(lambda: (MEANWHILE.pop()(), blobs.append(ContentKey.objects.get(pk=moved.pk).wrapped)))
    done = rewrap("hosted", host("hosted"))
    assert (done.moved, done.moved_elsewhere) == (0, 2)
    assert wrappers() == ["kek-2", ""]
    assert ContentKey.objects.get(pk=moved.pk).wrapped == blobs[0]


def test_videos_get_new_keys_and_the_former_ones_are_revoked_when_asked_to(hosted, settings):
    settings.VIDEO_ENQUEUE = NEVER
    old, fresh = make_package(), make_package(kid=UUID(int=5))
    ContentKey.objects.filter(pk=old.key_id).update(created_at=timezone.now() - timedelta(days=100))
    assert "1 videos to be rotated" in run("rotate_video_keys", "--older-than", "90", "--dry-run")
    assert not Transcode.objects.exists()
    told = run("rotate_video_keys", "--older-than", "90")
    assert f"[1/1] {old.video.host_id} 'A film', key of 2" in told
    assert "started" in told
    begun = Transcode.objects.get()
    assert (begun.kind, begun.video_id) == (TranscodeKind.REPACKAGE, old.video_id)
    assert not ContentKey.objects.filter(state=KeyState.REVOKED).exists()
    told = run("rotate_video_keys", "--all", "--revoke", ends=1)
    assert "another job of this video is running" in told
    assert "1 videos begun, 1 not" in told
    assert set(ContentKey.objects.values_list("state", flat=True)) == {KeyState.REVOKED}
    assert Transcode.objects.filter(video_id=fresh.video_id).count() == 1


def test_a_video_is_named_by_its_id(hosted, settings):
    settings.VIDEO_ENQUEUE = NEVER
    wanted, _ = make_package(), make_package(kid=UUID(int=5))
    video_id = str(wanted.video.get_asset().video_id)
    assert "1 videos begun, 0 not" in run("rotate_video_keys", "--video", video_id)
    assert Transcode.objects.get().video_id == wanted.video_id
    with pytest.raises(CommandError, match="No such video"):
        run("rotate_video_keys", "--video", str(KID))
    with pytest.raises(CommandError, match="required"):
        run("rotate_video_keys")
