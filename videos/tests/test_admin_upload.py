"""What the uploader in the admin asks for, in a session of the admin."""

import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse

from videos.models import AssetStatus, Video
from videos.tests.factories import host_video, make_asset, make_user, make_video

pytestmark = pytest.mark.django_db
FILE = {"filename": "limits.mp4", "size": 1000, "content_type": "video/mp4"}
FORM = {
    "title": "Limits",
    "access_level": "members",
    "required_tier": "",
    "protection": "",
    "tag_names": "exam, Week-1",
}


@pytest.fixture(autouse=True)
def _rights(sandbox, settings):
    settings.VIDEO_MANAGE_POLICY = "videos.tests.rights.owns"
    settings.VIDEO_ROUTES = [{"use": ["vdocipher"]}]


@pytest.fixture
def editor(client):
    user = make_user(is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=["view_video", "add_video", "change_video"]))
    client.force_login(user)
    return user


def create(client, **changes):
    return client.post(reverse("admin:videos_video_create_upload"), FORM | FILE | changes)


def ticket(client, video):
    return client.post(reverse("admin:videos_video_ticket", args=[video.pk]), FILE)


def status(client, video):
    return client.get(reverse("admin:videos_video_upload_status", args=[video.pk]))


def first_error(response):
    return response.json()["errors"][0]


def test_the_add_page_makes_a_video_with_what_its_form_says(client, editor):
    response = create(client)
    assert response.status_code == 200, response.content
    assert "no-store" in response["Cache-Control"]
    body, video = response.json(), Video.objects.get()
    assert (video.owner, video.title, video.access_level) == (editor, "Limits", "members")
    assert sorted(tag.name for tag in video.tags.all()) == ["exam", "week-1"]
    assert body["upload"]["kind"] == "form_post"
    assert body["video"]["video_service_id"] == video.assets.get().host_id
    assert body["urls"]["change"] == reverse("admin:videos_video_change", args=[video.pk])
    assert client.get(body["urls"]["change"]).status_code == 200


@pytest.mark.parametrize(
    ("change", "attr"),
    [
        ({"title": ""}, "title"),
        ({"access_level": "tier"}, "required_tier"),
        ({"tag_names": "two words"}, "tag_names"),
        ({"size": 0}, "size"),
        ({"size": 6 * 1024**3}, "size"),
    ],
)
def test_what_is_wrong_is_named(client, editor, change, attr):
    response = create(client, **change)
    assert (response.status_code, first_error(response)["attr"]) == (400, attr)
    assert not Video.objects.exists()


def test_creating_needs_the_right_to_add(client, editor, settings):
    settings.VIDEO_CREATE_POLICY = "videos.tests.rights.nobody"
    assert create(client).status_code == 403
    settings.VIDEO_CREATE_POLICY = "videos.access.is_staff"
    editor.user_permissions.clear()
    assert create(client).status_code == 403


def test_a_stranger_gets_neither_ticket_nor_status(client, editor):
    theirs = make_video(owner=make_user())
    assert ticket(client, theirs).status_code == 403
    assert status(client, theirs).status_code == 403
    assert theirs.assets.count() == 1


def test_nobody_asks_without_a_session_or_a_token(editor):
    video = make_video(owner=editor)
    assert ticket(Client(), video).status_code == 302
    careful = Client(enforce_csrf_checks=True)
    careful.force_login(editor)
    assert ticket(careful, video).status_code == 403


def test_a_replacement_waits_beside_what_plays(client, editor, sandbox):
    video = host_video(sandbox, owner=editor)
    body = ticket(client, video).json()
    told = status(client, video).json()
    assert told["status"] == "ready"
    assert told["next"]["video_service_id"] == body["asset"]["video_service_id"]


def test_the_status_tells_how_far_the_host_is(client, editor):
    video = make_video(owner=editor, asset={"status": AssetStatus.PROCESSING, "progress_percent": 40})
    assert (status(client, video).json()["progress_percent"], status(client, video).json()["next"]) == (40, None)
    assert status(client, make_video(owner=editor, asset=False)).json()["status"] is None


def test_the_panel_stands_on_the_add_and_the_change_page(client, editor):
    page = client.get(reverse("admin:videos_video_add")).content.decode()
    assert f'data-create-url="{reverse("admin:videos_video_create_upload")}"' in page
    video = make_asset(video=make_video(owner=editor, asset=False)).video
    page = client.get(reverse("admin:videos_video_change", args=[video.pk])).content.decode()
    assert f'data-video="{video.pk}"' in page
    assert "videos/uploader.js" in page


def test_tags_are_edited_as_words(client, editor):
    video = make_video(owner=editor)
    inline = {"assets-TOTAL_FORMS": 0, "assets-INITIAL_FORMS": 0}
    for words, kept in (("Exam, week-1", ["exam", "week-1"]), ("week-1", ["week-1"]), ("", [])):
        form = FORM | inline | {"tag_names": words, "video_service_id": video.assets.get().host_id}
        response = client.post(reverse("admin:videos_video_change", args=[video.pk]), form)
        assert response.status_code == 302, response.content
        assert sorted(tag.name for tag in video.tags.all()) == kept


def test_only_who_may_manage_a_video_says_that_its_file_has_come(client):
    video = make_video(asset={"status": "waiting", "provider": "gone"})
    client.force_login(make_user(is_staff=True))
    assert client.post(reverse("admin:videos_video_uploaded", args=[video.pk])).status_code == 403
