"""What is chosen for a file in the admin, and having it prepared again."""

import pytest
from django.urls import reverse

from videos.models import AssetStatus
from videos.services.assets import make_current
from videos.tests import preparing_host
from videos.tests.factories import make_asset, make_user, make_video

pytestmark = pytest.mark.django_db


@pytest.fixture
def host(settings):
    options = {"asked": [], "made": {"state": "completed", "can_start_again": True}}
    settings.VIDEO_PROVIDERS = {"own": {"BACKEND": preparing_host.BACKEND, "OPTIONS": options}}
    settings.VIDEO_ROUTES = [{"use": ["own"]}]
    settings.VIDEO_MANAGE_POLICY = "videos.tests.rights.owns"
    return options


@pytest.fixture
def video(client):
    owner = make_user(is_staff=True, is_superuser=True)
    client.force_login(owner)
    return make_video(owner=owner, asset={"provider": "own", "status": AssetStatus.READY})


def again(client, video, **choices):
    return client.post(reverse("admin:videos_video_again", args=[video.pk]), choices)


def test_a_video_is_prepared_again_as_it_is_chosen(client, host, video):
    host["made"] |= {"state": "processing", "step": "Encoding", "progress_percent": 42, "can_start_again": False}
    told = again(client, video, quality="low", protection="encrypted").json()
    assert (host["asked"][0]["quality"], host["asked"][0]["protection"]) == ("low", "encrypted")
    assert told["status"] == "ready"
    assert told["preparation"] == {
        "state": "processing",
        "step": "Encoding",
        "progress_percent": 42,
        "failure_reason": "",
        "can_start_again": False,
    }


def test_the_status_tells_why_preparing_failed_in_words(client, host, video):
    host["made"] |= {"state": "failed", "failure_code": "unreadable"}
    told = client.get(reverse("admin:videos_video_upload_status", args=[video.pk])).json()
    assert "Export it again" in told["preparation"]["failure_reason"]


@pytest.mark.parametrize(
    ("refusal", "choices", "status"),
    [
        ("transcode_running", {}, 409),
        ("source_gone", {}, 409),
        ("", {"quality": "4k"}, 400),
        ("", {"protection": "drm"}, 400),
    ],
)
def test_a_refusal_says_why(client, host, video, refusal, choices, status):
    host["refusal"] = refusal
    response = again(client, video, **choices)
    assert (response.status_code, len(response.json()["errors"])) == (status, 1)
    client.force_login(make_user(is_staff=True))
    assert again(client, video).status_code == 403


def test_only_what_a_host_gives_is_offered_and_what_is_chosen_already(client, host, video, settings):
    settings.VIDEO_PROVIDERS["own"]["BACKEND"] = "videos.tests.test_admin_preparing.UploadingHost"
    page = reverse("admin:videos_video_change", args=[video.pk])
    form = client.get(page).context["adminform"].form
    assert [value for value, _ in form.fields["protection"].choices] == ["", "open", "encrypted"]
    assert [value for value, _ in form.fields["quality"].choices] == ["", "high", "medium", "low"]
    video.protection = "drm"
    video.save()
    form = client.get(page).context["adminform"].form
    assert "drm" in [value for value, _ in form.fields["protection"].choices]


class UploadingHost(preparing_host.PreparingHost):
    supports_upload = True


def test_saving_a_page_that_was_open_while_another_file_came_does_not_go_back_to_the_former_copy(client, host, video):
    page = reverse("admin:videos_video_change", args=[video.pk])
    form = client.get(page).context["adminform"].form
    former = video.assets.get()
    assert f'name="initial-video_service_id" value="{former.host_id}"' in client.get(page).content.decode()
    newer = make_asset(video=video, provider="own", status=AssetStatus.READY, is_current=False)
    make_current(newer)
    inlines = {f"{name}-{count}_FORMS": 0 for name in ("assets", "captions") for count in ("TOTAL", "INITIAL")}
    sent = {"title": "Changed", "access_level": "members", "video_service_id": former.host_id, **inlines}
    response = client.post(page, sent | {"initial-video_service_id": former.host_id})
    assert response.status_code == 302, response.context["errors"]
    video.refresh_from_db()
    assert (video.title, video.get_current_asset()) == ("Changed", newer)
    assert form.initial["video_service_id"] == former.host_id
