import pytest

from videos.models import AssetStatus
from videos.services.removal import delete_video
from videos.tests.factories import host_video, make_user, make_video

FILE = {"filename": "limits.mp4", "size": 1000, "content_type": "video/mp4"}


@pytest.fixture(autouse=True)
def _routes(sandbox, settings):
    settings.VIDEO_ROUTES = [{"use": ["vdocipher"]}]


def upload(client, video, **change):
    return client.post(f"/api/videos/{video.pk}/upload/", FILE | change)


def test_a_replacement_gets_a_ticket_while_the_video_plays_on(sandbox, viewer, client_of):
    video, client = host_video(sandbox, owner=viewer), client_of(viewer)
    response = upload(client, video)
    assert response.status_code == 201
    assert response["Cache-Control"] == "no-store"
    asset, ticket = response.json()["asset"], response.json()["upload"]
    assert (asset["is_next"], asset["is_current"], asset["status"], ticket["kind"]) == (
        True,
        False,
        "waiting",
        "form_post",
    )
    status = client.get(f"/api/videos/{video.pk}/status/").json()
    assert (status["status"], status["next"]["video_service_id"]) == ("ready", asset["video_service_id"])


def test_a_status_without_a_replacement_says_so(sandbox, viewer, client_of):
    video = host_video(sandbox, owner=viewer)
    assert client_of(viewer).get(f"/api/videos/{video.pk}/status/").json()["next"] is None


@pytest.mark.parametrize("change", [{"size": 0}, {"filename": ""}, {"provider": "nobody"}, {"size": 6 * 1024**3}])
def test_a_replacement_that_cannot_be_is_refused(sandbox, viewer, client_of, change):
    assert upload(client_of(viewer), host_video(sandbox, owner=viewer), **change).status_code == 400


def test_a_deleted_video_takes_no_file(sandbox, viewer, client_of):
    video = host_video(sandbox, owner=viewer)
    delete_video(video)
    response = upload(client_of(viewer), video)
    assert (response.status_code, response.json()["errors"][0]["code"]) == (409, "video_deleted")


def test_nobody_else_replaces_a_file(viewer, client_of):
    video = make_video(owner=make_user())
    assert upload(client_of(viewer), video).status_code == 403
    assert upload(client_of(), video).status_code == 401
    assert video.assets.get().status == AssetStatus.READY
