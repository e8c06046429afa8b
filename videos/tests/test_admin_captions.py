"""Captions on a video's page in the admin."""

import re

import pytest
from django.contrib.auth.models import Permission
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db.models.signals import pre_save
from django.urls import reverse

from videos.models import Caption, CaptionPush, PushState, Video
from videos.services.captions import mark_for_check, push_due, put_caption
from videos.tests.factories import host_video, make_user, make_video
from videos.tests.statements import counted_statements

pytestmark = pytest.mark.django_db

VTT = b"WEBVTT\n\n00:01.000 --> 00:02.000\nHello\n"
WRITING = ("view_caption", "add_caption", "change_caption", "delete_caption")


@pytest.fixture(autouse=True)
def _owners_manage(sandbox, settings):
    settings.VIDEO_MANAGED_POLICY = "videos.tests.rights.owned"
    settings.VIDEO_MANAGE_POLICY = "videos.tests.rights.owns"


@pytest.fixture
def editor(client):
    return log_in(client, WRITING)


@pytest.fixture
def video(sandbox, editor):
    host_id = sandbox.cloudflare.add_video(duration=60)
    return make_video(owner=editor, asset={"provider": "cloudflare", "host_id": host_id})


def log_in(client, permissions):
    user = make_user(is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=["view_video", "change_video", *permissions]))
    client.force_login(user)
    return user


def address(video):
    return reverse("admin:videos_video_change", args=[video.pk])


def page_of(client, video):
    return client.get(address(video)).content.decode()


def caption(video, language="en", body=VTT, label=""):
    return put_caption(video=video, language=language, label=label, body=body)


def file_of(body):
    return SimpleUploadedFile("lesson.vtt", body, "text/vtt")


def send(client, video, *rows, saved=0):
    """Post the page of `video` with these rows of captions, of which the first `saved` were there before."""
    values = {"title": video.title, "access_level": video.access_level, "required_tier": "", "protection": ""}
    values |= {"assets-TOTAL_FORMS": 0, "assets-INITIAL_FORMS": 0}
    values |= {"captions-TOTAL_FORMS": len(rows), "captions-INITIAL_FORMS": saved}
    for number, row in enumerate(rows):
        values |= {f"captions-{number}-{name}": value for name, value in row.items()}
    return client.post(address(video), values)


def row_of(kept, **changes):
    checked = {} if kept.needs_check else {"is_checked": "on"}
    return {"id": kept.pk, "video": kept.video_id, "label": kept.label} | checked | changes


def test_a_file_added_becomes_captions_here_and_at_the_host(
    client, video, editor, django_capture_on_commit_callbacks, sandbox
):
    with django_capture_on_commit_callbacks(execute=True):
        answer = send(client, video, {"language": "PT-br", "label": "", "file": file_of(VTT)})
    assert answer.status_code == 302, answer.content.decode()
    kept = Caption.objects.get()
    assert (kept.language, kept.label) == ("pt-BR", "Português Brasileiro")
    video.refresh_from_db()
    assert video.caption_tracks == [{"language": "pt-BR", "label": "Português Brasileiro"}]
    assert CaptionPush.objects.get().state == PushState.DONE
    page = page_of(client, video)
    assert "at the host" in page
    link = re.search(rf'href="(/[^"]*{video.pk}/captions/pt-BR/[^"]+)"', page).group(1)
    assert b"Hello" in client.get(link.replace("&amp;", "&")).content


def test_a_file_takes_the_place_of_another_and_a_label_changes_alone(client, video):
    kept = caption(video)
    mark_for_check(video.pk)
    replaced = row_of(kept, file=file_of(VTT.replace(b"Hello", b"Good day")))
    assert send(client, video, replaced, saved=1).status_code == 302
    kept.refresh_from_db()
    assert "Good day" in kept.body
    assert not kept.needs_check
    before = kept.digest
    assert send(client, video, row_of(kept, label="English (UK)"), saved=1).status_code == 302
    kept.refresh_from_db()
    video.refresh_from_db()
    assert "Good day" in kept.body
    assert video.caption_tracks == [{"language": "en", "label": "English (UK)"}]
    assert kept.digest != before, "the host is told the label too"


def test_an_emptied_label_is_the_language_s_own_name_again(client, video):
    kept = caption(video, "de", label="For exams")
    assert send(client, video, row_of(kept, label=""), saved=1).status_code == 302
    kept.refresh_from_db()
    assert kept.label == "Deutsch"


def test_captions_are_deleted_here_and_at_the_host(client, video):
    kept, other = caption(video), caption(video, "de")
    assert send(client, video, row_of(kept, DELETE="on"), row_of(other), saved=2).status_code == 302
    video.refresh_from_db()
    assert [track["language"] for track in video.caption_tracks] == ["de"]
    assert CaptionPush.objects.get(language="en").state == PushState.REMOVING


def test_the_timing_is_marked_as_checked_by_a_tick_and_by_nothing_else(client, video):
    kept = caption(video)
    mark_for_check(video.pk)
    pushed = CaptionPush.objects.values().get()
    kept.refresh_from_db()
    assert send(client, video, row_of(kept, label="English!"), saved=1).status_code == 302
    kept.refresh_from_db()
    assert kept.needs_check
    assert send(client, video, row_of(kept, label="English", is_checked="on"), saved=1).status_code == 302
    kept.refresh_from_db()
    assert not kept.needs_check
    assert CaptionPush.objects.get().pushed_digest == pushed["pushed_digest"]


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ({"language": "en", "file": b"WEBVTT\n\n00:01.000 --> 00:00.500\nHello\n"}, "Line 3: "),
        ({"language": "en", "file": b"1\n00:00:01,000 --> 00:00:02,000\nHi"}, "Line 2: "),
        ({"language": "en", "file": VTT + b"x" * 500}, "limited to 500 bytes"),
        ({"language": "not_one", "file": VTT}, "This is no language tag"),
        ({"language": "en"}, "This field is required"),
        ({"language": "DE", "file": VTT}, "choose the file in their row"),
    ],
)
def test_what_cannot_be_taken_is_said_at_its_field_and_nothing_is_changed(client, video, settings, row, reason):
    settings.VIDEO_CAPTION_MAX_BYTES = 500
    kept = caption(video, "de")
    sent = {name: file_of(value) if name == "file" else value for name, value in row.items()}
    answer = send(client, video, row_of(kept), sent, saved=1)
    assert answer.status_code == 200
    assert reason in answer.content.decode()
    assert list(Caption.objects.values_list("language", flat=True)) == ["de"]


def test_one_language_twice_in_a_page_is_refused(client, video):
    rows = [{"language": tag, "file": file_of(VTT)} for tag in ("en", "EN")]
    assert "duplicate" in send(client, video, *rows).content.decode()
    assert not Caption.objects.exists()


def test_the_host_s_refusal_is_shown_with_its_reason(client, sandbox, editor, django_capture_on_commit_callbacks):
    video = host_video(sandbox, owner=editor)
    with django_capture_on_commit_callbacks(execute=True):
        caption(video, "fil")
    assert "refused by the host: it takes no such file, or none in this language" in page_of(client, video)


def test_captions_that_wait_say_what_for(client, sandbox, video, django_capture_on_commit_callbacks):
    sandbox.cloudflare.set_state(video.assets.get().host_id, "inprogress", send_hook=False)
    with django_capture_on_commit_callbacks(execute=True):
        caption(video)
    assert "to be sent: it is not ready for captions yet" in page_of(client, video)
    assert push_due() == 0


def test_captions_of_a_host_that_takes_none_are_kept_here(client, editor, settings):
    settings.VIDEO_PROVIDERS["local"] = {"BACKEND": "videos.tests.local_host.LocalHost"}
    video = make_video(owner=editor, asset={"provider": "local"})
    caption(video)
    assert "kept here" in page_of(client, video)


def test_who_may_only_look_sees_captions_and_changes_none(client, video):
    kept = caption(video)
    user = log_in(client, ["view_caption"])
    Video.objects.update(owner=user)
    page = page_of(client, video)
    assert "English" in page
    assert "lesson.vtt" not in page
    assert 'type="file" name="captions' not in page
    send(client, video, row_of(kept, label="Mine"), {"language": "de", "file": file_of(VTT)}, saved=1)
    send(client, video, row_of(kept, DELETE="on"), saved=1)
    assert list(Caption.objects.values_list("language", "label")) == [("en", "English")]


def test_captions_of_other_people_s_videos_are_out_of_reach(client, video):
    kept = caption(video)
    log_in(client, WRITING)
    send(client, video, row_of(kept, label="Mine"), {"language": "de", "file": file_of(VTT)}, saved=1)
    assert list(Caption.objects.values_list("language", "label")) == [("en", "English")]


def test_whoever_sees_no_captions_saves_the_rest_of_the_page(client, video):
    Video.objects.update(owner=log_in(client, []))
    caption(video)
    video.title = "New"
    assert send(client, video).status_code == 302
    assert (Video.objects.get().title, Caption.objects.count()) == ("New", 1)


def test_captions_that_arrive_while_the_page_is_saved_stay_in_the_list(client, video):
    def arrive(instance, **kwargs):
        pre_save.disconnect(arrive, sender=Video)
        caption(Video.objects.get(pk=instance.pk), "fr")

    pre_save.connect(arrive, sender=Video)
    video.title = "New"
    assert send(client, video).status_code == 302
    video = Video.objects.get()
    assert (video.title, [track["language"] for track in video.caption_tracks]) == ("New", ["fr"])


def test_the_page_costs_the_same_however_many_captions_there_are(client, video):
    caption(video)
    page_of(client, video)
    with counted_statements() as few:
        page_of(client, video)
    for language in ("de", "fr", "it", "es"):
        caption(video, language)
    with counted_statements() as many:
        page_of(client, video)
    assert len(few) == len(many)


def test_a_page_that_cannot_be_saved_offers_no_file_to_choose(client, video, editor):
    caption(video)
    assert 'type="file" name="captions' in page_of(client, video)
    editor.user_permissions.remove(Permission.objects.get(codename="change_video"))
    page = page_of(client, video)
    assert "English" in page
    assert 'type="file" name="captions' not in page
    assert not re.search("(?i)timing checked|is checked", page)
