from datetime import timedelta

import pytest
from django.core.management import call_command
from django.utils import timezone

from sandbox.cloudflare.captions import CAPTIONS
from videos.models import AssetStatus, Caption, CaptionPush, PushState
from videos.services.assets import make_current, refresh_asset
from videos.services.captions import delete_caption, language_name, language_tag, push_caption, push_due, put_caption
from videos.services.errors import InvalidRequest
from videos.tests import captioned_host
from videos.tests.factories import make_asset, make_video

pytestmark = pytest.mark.django_db

VTT = b"WEBVTT\n\n00:01.000 --> 00:02.000\nHello\n"
OTHER = VTT.replace(b"Hello", b"Good day")


@pytest.fixture
def video(sandbox):
    """A video that is ready at the stand-in for Cloudflare Stream."""
    return make_video(asset={"provider": "cloudflare", "host_id": sandbox.cloudflare.add_video(duration=60)})


@pytest.fixture
def at_host(sandbox):
    """`at_host(asset)`: what the stand-in holds, by language."""

    def captions(asset):
        kept = sandbox.context.store.values(CAPTIONS)
        return {caption["language"]: caption["vtt"] for caption in kept if caption["uid"] == asset.host_id}

    return captions


@pytest.fixture
def put(django_capture_on_commit_callbacks):
    def put(video, language="en", label="", body=VTT):
        with django_capture_on_commit_callbacks(execute=True):
            return put_caption(video=video, language=language, label=label, body=body)

    return put


def test_captions_are_kept_named_and_sent_to_the_host(video, put, at_host):
    caption = put(video, "EN-us")
    video.refresh_from_db()
    assert (caption.language, caption.label) == ("en-US", "English")
    assert video.caption_tracks == [{"language": "en-US", "label": "English"}]
    assert at_host(video.assets.get()) == {"en-US": caption.body}
    push = CaptionPush.objects.get()
    assert (push.state, push.due_at, push.pushed_digest) == (PushState.DONE, None, caption.digest)


def test_the_same_captions_again_cost_no_call_and_others_take_their_place(sandbox, video, put, at_host):
    put(video)
    before = len(sandbox.calls("cloudflare"))
    put(video)
    assert len(sandbox.calls("cloudflare")) == before
    put(video, body=OTHER, label="English (plain)")
    assert "Good day" in at_host(video.assets.get())["en"]
    video.refresh_from_db()
    assert video.caption_tracks == [{"language": "en", "label": "English (plain)"}]


def test_deleted_captions_are_removed_at_the_host_too(video, put, at_host, django_capture_on_commit_callbacks):
    put(video, "en")
    put(video, "de")
    with django_capture_on_commit_callbacks(execute=True):
        assert delete_caption(video=video, language="EN")
        assert not delete_caption(video=video, language="fr")
    video.refresh_from_db()
    assert [track["language"] for track in video.caption_tracks] == ["de"]
    assert list(at_host(video.assets.get())) == ["de"]
    assert [push.language for push in CaptionPush.objects.all()] == ["de"]


def test_captions_wait_for_a_copy_that_is_not_ready(sandbox, put, at_host, django_capture_on_commit_callbacks):
    host_id = sandbox.cloudflare.add_video(state="inprogress")
    video = make_video(asset={"provider": "cloudflare", "host_id": host_id, "status": AssetStatus.PROCESSING})
    put(video)
    asset = video.assets.get()
    push = CaptionPush.objects.get()
    assert (at_host(asset), push.state) == ({}, PushState.DUE)
    assert push.due_at > timezone.now()
    sandbox.cloudflare.set_state(host_id, "ready", send_hook=False)
    with django_capture_on_commit_callbacks(execute=True):
        refresh_asset(asset.pk)
    assert list(at_host(asset)) == ["en"]


def test_a_host_that_is_not_ready_after_all_is_asked_again_later(sandbox, put, video, at_host):
    asset = video.assets.get()
    sandbox.cloudflare.set_state(asset.host_id, "inprogress", send_hook=False)
    put(video)
    push = CaptionPush.objects.get()
    assert (push.state, push.attempts, push.last_error) == (PushState.DUE, 1, "not_ready")
    assert timedelta(seconds=20) < push.due_at - timezone.now() <= timedelta(seconds=30)


def test_a_host_that_is_down_gets_them_by_the_sweep(
    sandbox, put, video, at_host, capsys, django_capture_on_commit_callbacks
):
    sandbox.fault(service="cloudflare", path="/captions/", times=1, status=401)
    put(video)
    assert at_host(video.assets.get()) == {}
    with django_capture_on_commit_callbacks(execute=True):
        assert push_due() == 0
    CaptionPush.objects.update(due_at=timezone.now())
    with django_capture_on_commit_callbacks(execute=True):
        call_command("push_captions")
    assert "1 captions" in capsys.readouterr().out
    assert list(at_host(video.assets.get())) == ["en"]


def test_captions_that_a_host_refuses_are_not_sent_again(sandbox, put, video):
    sandbox.fault(service="cloudflare", path="/captions/", times=0, status=400)
    put(video)
    push = CaptionPush.objects.get()
    assert (push.state, push.due_at, push.last_error) == (PushState.FAILED, None, "caption_refused")


def test_a_push_is_made_once_however_often_it_is_asked_for(sandbox, put, video):
    put(video)
    push = CaptionPush.objects.get()
    before = len(sandbox.calls("cloudflare"))
    push_caption(push.pk)
    push_caption(push.pk)
    assert len(sandbox.calls("cloudflare")) == before
    push_caption(4711)


@pytest.fixture
def captioned(db, settings):
    """A video at a host in this process, which can be changed while a call is under way."""
    settings.VIDEO_PROVIDERS = {"captioned": {"BACKEND": captioned_host.BACKEND}}
    captioned_host.kept.clear()
    captioned_host.during_call.clear()
    return make_video(asset={"provider": "captioned"})


def elsewhere(change):
    """Another process makes a change, and brings it to the host, while this one's call is still on its way."""

    def act():
        change()
        for push in CaptionPush.objects.filter(due_at__lte=timezone.now()):
            push_caption(push.pk)

    captioned_host.during_call.append(act)


def test_captions_changed_during_a_push_are_sent_once_more(captioned, put):
    elsewhere(lambda: put_caption(video=captioned, language="en", label="", body=OTHER))
    put(captioned)
    push = CaptionPush.objects.get()
    assert "Good day" in captioned_host.kept["en"]
    assert (push.state, push.due_at) == (PushState.DONE, None)


def test_captions_deleted_during_a_push_do_not_stay_at_the_host(captioned, put):
    elsewhere(lambda: delete_caption(video=captioned, language="en"))
    put(captioned)
    assert captioned_host.kept == {}
    assert not CaptionPush.objects.exists()


def test_captions_put_back_during_a_removal_are_sent_again(captioned, put, django_capture_on_commit_callbacks):
    put(captioned)
    elsewhere(lambda: put_caption(video=captioned, language="en", label="", body=OTHER))
    with django_capture_on_commit_callbacks(execute=True):
        delete_caption(video=captioned, language="en")
    assert "Good day" in captioned_host.kept["en"]
    assert CaptionPush.objects.get().state == PushState.DONE


def test_a_new_copy_is_sent_all_captions_and_their_timing_is_to_be_checked(
    sandbox, put, video, at_host, django_capture_on_commit_callbacks
):
    put(video, "en")
    put(video, "de")
    longer = make_asset(
        video=video,
        provider="cloudflare",
        host_id=sandbox.cloudflare.add_video(duration=62),
        is_current=False,
        duration_s=62.0,
    )
    with django_capture_on_commit_callbacks(execute=True):
        make_current(longer)
    assert set(at_host(longer)) == {"en", "de"}
    assert set(Caption.objects.values_list("needs_check", flat=True)) == {True}
    put(video, "en", body=OTHER)
    assert Caption.objects.get(language="en").needs_check is False


def test_a_host_without_captions_is_sent_none(sandbox, settings, put):
    settings.VIDEO_PROVIDERS["local"] = {"BACKEND": "videos.tests.local_host.LocalHost"}
    video = make_video(asset={"provider": "local"})
    put(video)
    assert not CaptionPush.objects.exists()
    assert Caption.objects.count() == 1


@pytest.mark.parametrize(
    ("written", "tag"),
    [("EN", "en"), ("pt-br", "pt-BR"), ("ZH-hans-cn", "zh-Hans-CN"), ("es-419", "es-419"), ("sl-nedis", "sl-nedis")],
)
def test_language_tags_are_written_in_their_usual_case(written, tag):
    assert language_tag(written) == tag


@pytest.mark.parametrize("written", ["", "e", "english language", "en_US", "en-", "../en", "e" * 36, "ën", "en\n-US"])
def test_what_is_no_language_tag_is_refused(written):
    with pytest.raises(InvalidRequest) as refused:
        language_tag(written)
    assert refused.value.code == "language_invalid"


def test_languages_are_named_in_themselves():
    names = [language_name(tag) for tag in ("de", "pt-BR", "zh-Hans", "zh-CN", "fr-CA", "tlh")]
    assert names == ["Deutsch", "Português Brasileiro", "简体中文", "简体中文", "français", "tlh"]


def test_too_many_languages_and_too_large_files_are_refused(sandbox, settings, video, put):
    settings.VIDEO_CAPTION_MAX_BYTES = len(VTT) - 1
    with pytest.raises(InvalidRequest) as refused:
        put(video)
    assert refused.value.code == "caption_too_large"
    settings.VIDEO_CAPTION_MAX_BYTES = len(VTT)
    Caption.objects.bulk_create(Caption(video=video, language=f"x{n}", label="x", body="x") for n in range(100))
    with pytest.raises(InvalidRequest) as refused:
        put(video)
    assert refused.value.code == "too_many_captions"
