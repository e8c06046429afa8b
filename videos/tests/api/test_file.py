import io

import pytest

from sandbox.vdocipher.library import READY
from videos.models import AssetStatus
from videos.tests.factories import make_user, make_video

MP4 = b"\x00\x00\x00\x18ftypmp42" + bytes(300_000)


@pytest.fixture
def video(viewer, sandbox, settings):
    settings.VIDEO_ROUTES = [{"use": ["vdocipher"]}]
    return make_video(owner=viewer, asset=False)


def send(client, video, body=MP4, **headers):
    address = f"/api/videos/{video.pk}/file/?filename=limits.mp4"
    return client.generic("POST", address, body, content_type="video/mp4", **headers)


def codes(response) -> list[str]:
    return [error["code"] for error in response.json()["errors"]]


@pytest.mark.parametrize("alias", ["vdocipher", "cloudflare"])
def test_a_small_file_gets_to_the_host_through_this_server(
    sandbox, settings, video, viewer, client_of, alias, django_capture_on_commit_callbacks
):
    settings.VIDEO_ROUTES = [{"use": [alias]}]
    with django_capture_on_commit_callbacks(execute=True):
        response = send(client_of(viewer), video)
    assert response.status_code == 201, response.json()
    asset = video.assets.get()
    assert (asset.provider, asset.source_name, asset.is_current) == (alias, "limits.mp4", True)
    assert asset.status in (AssetStatus.PROCESSING, READY)


def test_a_replacement_leaves_what_plays(sandbox, video, viewer, client_of):
    playing = make_video(owner=viewer)
    assert send(client_of(viewer), playing).json()["asset"]["is_next"] is True


@pytest.mark.parametrize("length", ["", "-1", "many", "9" * 5000])
def test_a_body_without_a_length_is_refused(sandbox, video, viewer, client_of, length):
    response = send(client_of(viewer), video, CONTENT_LENGTH=length)
    assert (response.status_code, codes(response)) == (411, ["length_required"])


def test_a_file_over_the_limit_is_refused_before_it_is_read(sandbox, settings, video, viewer, client_of):
    settings.VIDEO_FILE_MAX_BYTES = len(MP4) - 1
    response = send(client_of(viewer), video)
    assert (response.status_code, codes(response)) == (413, ["file_too_large"])


def test_a_body_that_was_cut_off_is_refused_and_reaches_no_host(sandbox, video, viewer, client_of):
    extra = {"CONTENT_LENGTH": str(len(MP4) + 1), "wsgi.input": io.BytesIO(MP4)}
    response = send(client_of(viewer), video, **extra)
    assert (response.status_code, codes(response)) == (400, ["body_incomplete"])
    assert sandbox.calls("vdocipher") == []


def test_an_empty_body_and_a_form_are_refused(sandbox, video, viewer, client_of):
    assert codes(send(client_of(viewer), video, b"", CONTENT_LENGTH="0")) == ["body_empty"]
    form = client_of(viewer).post(f"/api/videos/{video.pk}/file/", {"file": io.BytesIO(MP4)}, format="multipart")
    assert (form.status_code, codes(form)) == (415, ["unsupported_media_type"])


def test_a_bucket_that_fails_leaves_no_waiting_copy(
    sandbox, video, viewer, client_of, django_capture_on_commit_callbacks
):
    sandbox.fault(service="vdocipher", path="/upload", times=-1, status=503)
    with django_capture_on_commit_callbacks(execute=True):
        response = send(client_of(viewer), video)
    assert (response.status_code, codes(response)) == (503, ["host_unavailable"])
    assert video.assets.get().failure_code == "never_uploaded"


@pytest.mark.parametrize("alias", ["vdocipher", "cloudflare"])
def test_a_file_that_arrived_counts_although_the_host_s_answer_was_lost(
    sandbox, settings, video, viewer, client_of, alias, django_capture_on_commit_callbacks
):
    settings.VIDEO_ROUTES = [{"use": [alias]}]
    sandbox.fault(service=alias, path=f"/{alias}/upload", drop=True)
    with django_capture_on_commit_callbacks(execute=True):
        response = send(client_of(viewer), video)
    assert response.status_code == 201, response.json()
    assert video.assets.get().status in (AssetStatus.PROCESSING, AssetStatus.READY)


def test_nobody_else_sends_a_file(sandbox, video, client_of):
    assert send(client_of(make_user()), video).status_code == 403
    assert sandbox.calls("vdocipher") == []
