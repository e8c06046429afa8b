"""The playback door of the admin: a session, the right to manage, and Django's token against forged forms."""

import pytest
from django.test import Client
from django.urls import reverse

from videos.tests.factories import bearer, host_video, make_user

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _owners_manage(settings):
    settings.VIDEO_MANAGE_POLICY = "videos.tests.rights.owns"


def ask(client, video, **headers):
    body = {"device_id": "a-device-in-the-admin"}
    return client.post(
        reverse("videos:video-preview", args=[video.pk]), body, content_type="application/json", headers=headers
    )


def test_staff_watch_what_they_manage_in_their_session_alone(sandbox):
    editor = make_user(is_staff=True)
    video, another = host_video(sandbox, owner=editor), host_video(sandbox)
    client = Client()
    assert ask(client, video, Authorization=f"Bearer {bearer(editor)}").status_code == 403
    client.force_login(editor)

    assert ask(client, video).json()["player"] == "vdocipher"
    assert ask(client, another).status_code == 404
    client.force_login(make_user())
    assert ask(client, video).status_code == 403


def test_a_forged_form_starts_nothing(sandbox):
    editor = make_user(is_staff=True)
    client = Client(enforce_csrf_checks=True)
    client.force_login(editor)

    assert ask(client, host_video(sandbox, owner=editor)).status_code == 403


def test_the_page_of_a_video_that_is_ready_has_the_player(client, sandbox):
    editor = make_user(is_staff=True, is_superuser=True)
    client.force_login(editor)
    ready = host_video(sandbox, owner=editor)
    waiting = host_video(sandbox, owner=editor, asset={"status": "processing"})

    def page(video):
        return client.get(reverse("admin:videos_video_change", args=[video.pk])).content.decode()

    assert f'<eleven-video data-preview video-id="{ready.pk}"' in page(ready)
    assert "eleven-video" not in page(waiting)
