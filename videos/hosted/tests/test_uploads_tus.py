"""tus 1.0.0 as a client sees it, and what it leaves in our rows."""

import base64
import hashlib
from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from django.utils.http import http_date

from videos.hosted.models import HostedVideo, Transcode, Upload, UploadKind, UploadState
from videos.hosted.services.uploading import tus
from videos.hosted.services.uploading.uploads import end_overdue, find_upload
from videos.hosted.tests.uploads_tus import FILM, beside, idle_host, make_upload, on_disk
from videos.models import Asset, AssetStatus, Protection, Video
from videos.providers.exceptions import Rejected
from videos.providers.registry import providers
from videos.providers.types import UploadRequest
from videos.services.assets import refresh_asset
from videos.services.errors import UploadNotFound
from videos.services.reaping import reap_uploads
from videos.tests.factories import bearer, make_user

pytestmark = pytest.mark.django_db

LIST = "/api/videos/uploads/"
VERSION = {"Tus-Resumable": "1.0.0"}
BODY = "application/offset+octet-stream"


@pytest.fixture
def hosted(settings, tmp_path):
    return idle_host(settings, tmp_path)


def make_asset(upload):
    """The copy that waits for this upload."""
    return Asset.objects.create(
        video=Video.objects.create(title="A film"),
        provider="hosted",
        host_id=upload.video.host_id,
        upload_expires_at=upload.expires_at,
    )


def encoded(**pairs: str) -> str:
    return ",".join(f"{key} {base64.b64encode(value.encode()).decode()}" for key, value in pairs.items())


def digest(algorithm: str, body: bytes) -> str:
    return f"{algorithm} {base64.b64encode(hashlib.new(algorithm, body).digest()).decode()}"


class Browser:
    """A client of tus without cookies, for one upload or for none."""

    def __init__(self, upload=None, **headers):
        self.address = tus.address(upload) if upload else LIST
        self.headers = VERSION | headers
        self.client = Client(enforce_csrf_checks=True)

    def ask(self, method: str, body: bytes = b"", content_type: str = "", **headers):
        named = {name.replace("_", "-"): value for name, value in headers.items() if value is not None}
        if content_type:
            named["Content-Type"] = content_type
        return self.client.generic(method, self.address, body, headers=self.headers | named)

    def patch(self, offset: int | str | None, body: bytes = b"", content_type: str = BODY, **headers):
        return self.ask("PATCH", body, content_type, Upload_Offset=None if offset is None else str(offset), **headers)

    def create(self, length: int | str | None, body: bytes = b"", content_type: str = "", **headers):
        return self.ask("POST", body, content_type, Upload_Length=None if length is None else str(length), **headers)


def code_of(answer) -> str:
    return answer.json()["errors"][0]["code"]


def staff(**headers):
    return Browser(None, Authorization=f"Bearer {bearer(make_user(is_staff=True, is_superuser=True))}", **headers)


def test_a_file_comes_in_chunks_and_is_handed_on_once_it_is_whole(hosted):
    ticket = providers["hosted"].create_upload(
        UploadRequest(title="A film", filename="film.mp4", size_bytes=len(FILM), protection=Protection.OPEN)
    )
    upload = Upload.objects.select_related("video").get()
    assert (ticket.host_id, ticket.upload_url, ticket.endpoint) == (upload.video.host_id, tus.address(upload), "")
    assert (ticket.expires_at, ticket.chunk_size) == (upload.expires_at, hosted.tus_chunk_bytes)
    assert providers["hosted"].get_asset(ticket.host_id).status == AssetStatus.WAITING
    browser = Browser(upload)
    first = browser.patch(0, FILM[:6000])
    assert (first.status_code, first["Upload-Offset"], first["Tus-Resumable"]) == (204, "6000", "1.0.0")
    asked = browser.ask("HEAD")
    assert (asked.status_code, asked["Upload-Offset"], asked["Upload-Length"]) == (200, "6000", str(len(FILM)))
    assert (asked["Cache-Control"], asked["Upload-Expires"]) == ("no-store", http_date(upload.expires_at.timestamp()))
    assert "Upload-Metadata" not in asked
    assert beside(hosted, upload) == ["source", "source.writer"]
    last = browser.patch(6000, FILM[6000:])
    assert (last.status_code, last["Upload-Offset"]) == (204, str(len(FILM)))
    assert "Upload-Expires" not in last
    upload.refresh_from_db()
    video = HostedVideo.objects.get()
    assert (upload.state, upload.offset) == (UploadState.COMPLETED, len(FILM))
    assert upload.completed_at
    assert (video.source_key, video.source_bytes) == (upload.key, len(FILM))
    assert (video.protection, video.source_name, video.preset) == ("open", "film.mp4", "medium")
    assert on_disk(hosted, upload) == FILM
    assert beside(hosted, upload) == ["source"]
    assert Transcode.objects.get().video == video
    assert providers["hosted"].get_asset(ticket.host_id).status == AssetStatus.PROCESSING


def test_a_completed_upload_says_so_and_takes_nothing_more(hosted):
    upload = make_upload()
    browser = Browser(upload)
    browser.patch(0, FILM)
    assert browser.ask("HEAD")["Upload-Offset"] == str(len(FILM))
    assert browser.patch(len(FILM)).status_code == 204
    assert browser.patch(len(FILM), b"more").status_code == 413
    assert browser.patch(0, FILM).status_code == 409
    refused = browser.ask("DELETE")
    assert (refused.status_code, code_of(refused)) == (403, "upload_completed")
    assert (on_disk(hosted, upload), Transcode.objects.count()) == (FILM, 1)


@pytest.mark.parametrize(
    ("status", "ask"),
    [
        (412, lambda browser: browser.patch(0, FILM, Tus_Resumable="0.2.2")),
        (412, lambda browser: browser.ask("HEAD", Tus_Resumable="")),
        (412, lambda browser: browser.ask("DELETE", Tus_Resumable="")),
        (415, lambda browser: browser.patch(0, FILM, "application/octet-stream")),
        (400, lambda browser: browser.patch(None, FILM)),
        (400, lambda browser: browser.patch("-1", FILM)),
        (400, lambda browser: browser.patch("٣", FILM)),
        (400, lambda browser: browser.patch("1" * 5000, FILM)),
        (409, lambda browser: browser.patch(1, FILM[1:])),
        (413, lambda browser: browser.patch(0, FILM + b"!")),
        (400, lambda browser: browser.patch(0, FILM, Upload_Checksum="md5 abcd")),
        (400, lambda browser: browser.patch(0, FILM, Upload_Checksum="sha1 not base64")),
        (460, lambda browser: browser.patch(0, FILM, Upload_Checksum=digest("sha1", FILM[1:]))),
        (460, lambda browser: browser.patch(0, FILM, Upload_Checksum="sha1 ")),
        (405, lambda browser: browser.ask("GET")),
        (405, lambda browser: browser.ask("POST", FILM, BODY)),
    ],
)
def test_what_is_refused_changes_nothing(hosted, caplog, status, ask):
    upload = make_upload()
    browser = Browser(upload)
    answer = ask(browser)
    assert (answer.status_code, answer["Tus-Resumable"], answer["Cache-Control"]) == (status, "1.0.0", "no-store")
    assert answer.get("Tus-Version") == ("1.0.0" if status == 412 else None)
    assert browser.ask("HEAD")["Upload-Offset"] == "0"
    assert upload.secret not in caplog.text
    assert browser.patch(0, FILM).status_code == 204
    assert on_disk(hosted, upload) == FILM


def test_checksums_are_verified_before_the_offset_moves(hosted):
    browser = Browser(make_upload(length=22))
    assert browser.patch(0, b"hello world", Upload_Checksum="sha1 Kq5sNclPz7QV2+lfQIuc6R7oRu0=").status_code == 204
    wrong = browser.patch(11, b"hello there", Upload_Checksum=digest("sha256", b"hello world"))
    assert (wrong.status_code, code_of(wrong)) == (460, "checksum_mismatch")
    assert browser.patch(11, b"hello world", Upload_Checksum=digest("sha256", b"hello world")).status_code == 204
    upload = Upload.objects.get()
    assert (upload.state, on_disk(hosted, upload)) == (UploadState.COMPLETED, b"hello world" * 2)


def test_methods_that_a_proxy_would_not_let_through_come_as_post(hosted):
    browser = Browser(make_upload())
    overridden = {"X_HTTP_Method_Override": "PATCH", "Upload_Offset": "0"}
    assert browser.ask("POST", FILM[:5], BODY, **overridden)["Upload-Offset"] == "5"
    assert browser.ask("POST", X_HTTP_Method_Override="HEAD")["Upload-Offset"] == "5"
    assert browser.ask("POST", X_HTTP_Method_Override="delete").status_code == 204
    assert browser.ask("HEAD").status_code == 410


def test_options_tell_what_is_offered_and_want_no_version(hosted):
    answer = Browser(make_upload(), **{"Tus-Resumable": ""}).ask("OPTIONS")
    assert (answer.status_code, answer["Tus-Version"]) == (204, "1.0.0")
    assert answer["Tus-Extension"] == "creation,creation-with-upload,expiration,termination,checksum"
    assert (answer["Tus-Checksum-Algorithm"], answer["Tus-Max-Size"]) == ("sha1,sha256", str(hosted.upload_max_bytes))
    assert answer["Allow"] == "PATCH, DELETE, HEAD, OPTIONS"


def test_another_secret_or_kind_of_upload_is_not_found(hosted):
    upload = make_upload()
    for found in (reverse("videos_hosted:upload", args=[upload.public_id, "x" * 32]), tus.address(make_upload())[:-2]):
        browser = Browser(upload)
        browser.address = found if found.endswith("/") else found + "/"
        for method in ("HEAD", "PATCH", "DELETE"):
            assert browser.ask(method).status_code == 404
    with pytest.raises(UploadNotFound):
        find_upload(upload.public_id, "")
    Upload.objects.filter(pk=upload.pk).update(kind=UploadKind.MULTIPART)
    assert Browser(upload).ask("HEAD").status_code == 404


def test_a_terminated_upload_leaves_no_bytes_and_stays_gone(hosted):
    upload = make_upload()
    browser = Browser(upload)
    browser.patch(0, FILM[:100])
    assert browser.ask("DELETE").status_code == 204
    upload.refresh_from_db()
    assert (upload.state, beside(hosted, upload)) == (UploadState.ENDED, [])
    assert upload.emptied_at
    for answer in (browser.ask("HEAD"), browser.ask("DELETE"), browser.patch(100, FILM[100:])):
        assert answer.status_code == 410
        assert "Upload-Offset" not in answer
    assert beside(hosted, upload) == []


def test_an_upload_whose_time_is_over_is_ended_with_its_bytes_and_its_video_given_up(hosted):
    overdue, running = make_upload(), make_upload()
    make_asset(overdue)
    for upload in (overdue, running):
        Browser(upload).patch(0, FILM[:100])
    Upload.objects.filter(pk=overdue.pk).update(expires_at=timezone.now() - timedelta(seconds=1))
    assert Browser(overdue).patch(100, FILM[100:]).status_code == 410
    assert (end_overdue(), end_overdue()) == (1, 0)
    assert (beside(hosted, overdue), beside(hosted, running)) == ([], ["source", "source.writer"])
    assert Upload.objects.get(pk=overdue.pk).state == UploadState.ENDED
    assert providers["hosted"].get_asset(overdue.video.host_id).status == AssetStatus.WAITING
    Asset.objects.update(upload_expires_at=timezone.now() - timedelta(days=3))
    assert reap_uploads() == 1
    assert Asset.objects.get().failure_code == "never_uploaded"


def test_bytes_that_a_process_left_while_it_ended_an_upload_are_removed_by_the_next_run(hosted):
    upload = make_upload()
    Browser(upload).patch(0, FILM[:100])
    Upload.objects.filter(pk=upload.pk).update(state=UploadState.ENDED)
    end_overdue()
    assert beside(hosted, upload) == []
    assert Upload.objects.get().emptied_at


def test_an_upload_that_goes_on_lives_on(hosted):
    upload = make_upload(expires_at=timezone.now() + timedelta(minutes=1))
    asset = make_asset(upload)
    answer = Browser(upload).patch(0, FILM[:100])
    upload.refresh_from_db()
    asset.refresh_from_db()
    assert upload.expires_at > timezone.now() + timedelta(seconds=hosted.upload_ttl_s - 60)
    assert asset.upload_expires_at == upload.expires_at
    assert answer["Upload-Expires"] == http_date(upload.expires_at.timestamp())


def test_an_upload_of_a_deleted_video_is_over(hosted):
    upload = make_upload()
    HostedVideo.objects.update(deleted_at=timezone.now())
    assert Browser(upload).patch(0, FILM).status_code == 410
    assert beside(hosted, upload) == []


def test_an_upload_is_created_without_a_ticket(hosted):
    metadata = encoded(filename="../Zoo.mp4", filetype="video/mp4", title="A zoo\n") + ",is_public"
    answer = staff().create(len(FILM), Upload_Metadata=metadata)
    video, upload = Video.objects.get(), Upload.objects.select_related("video").get()
    assert (answer.status_code, answer["Location"]) == (201, tus.address(upload))
    assert (answer["Location"][0], answer["Upload-Offset"]) == ("/", "0")
    assert answer["Upload-Expires"]
    assert (video.title, video.assets.get().source_name, upload.content_type) == ("A zoo", "Zoo.mp4", "video/mp4")
    browser = Browser(upload)
    assert browser.ask("HEAD")["Upload-Metadata"] == metadata
    assert browser.patch(0, FILM).status_code == 204


def test_the_first_bytes_may_come_with_the_creation(hosted):
    whole = staff().create(len(FILM), FILM, BODY, Upload_Metadata=encoded(name="Zoo.mp4"))
    assert (whole.status_code, whole["Upload-Offset"]) == (201, str(len(FILM)))
    assert (Video.objects.get().title, Upload.objects.get().state) == ("Zoo", UploadState.COMPLETED)
    broken = staff().create(len(FILM), FILM[:50], BODY, Upload_Checksum=digest("sha1", b"others"))
    assert (broken.status_code, broken["Upload-Offset"]) == (201, "0")
    assert staff().create(10, FILM, BODY).status_code == 413
    assert Upload.objects.count() == 2


def test_an_empty_file_fails_with_a_reason(hosted):
    answer = staff().create(0, Upload_Metadata=encoded(filename="Zoo.mp4"))
    assert (answer.status_code, answer["Upload-Offset"]) == (201, "0")
    asset = Asset.objects.get()
    refresh_asset(asset.pk)
    asset.refresh_from_db()
    assert (asset.status, asset.failure_code) == (AssetStatus.FAILED, "empty_file")
    assert "empty" in asset.failure_reason
    assert Upload.objects.get().state == UploadState.COMPLETED


@pytest.mark.parametrize(
    ("status", "headers"),
    [
        (400, {}),
        (400, {"Upload_Length": "-5"}),
        (400, {"Upload_Length": "1.5"}),
        (400, {"Upload_Defer_Length": "1"}),
        (400, {"Upload_Length": "5", "Upload_Concat": "partial"}),
        (413, {"Upload_Length": str(51 * 1000**3)}),
        (400, {"Upload_Length": "5", "Upload_Metadata": "filename !!"}),
        (400, {"Upload_Length": "5", "Upload_Metadata": "filename Zg==,filename Zg=="}),
        (400, {"Upload_Length": "5", "Upload_Metadata": "filename " + "QUJD" * 1000}),
        (400, {"Upload_Length": "5", "Upload_Metadata": "filename /w=="}),
        (412, {"Upload_Length": "5", "Tus_Resumable": "2.0.0"}),
    ],
)
def test_a_creation_that_makes_no_sense_creates_nothing(hosted, status, headers):
    answer = staff().ask("POST", **headers)
    assert (answer.status_code, Video.objects.count(), Upload.objects.count()) == (status, 0, 0)


def test_only_who_may_create_videos_creates_uploads(hosted):
    anonymous = Browser().create(5)
    assert (anonymous.status_code, anonymous["WWW-Authenticate"]) == (401, 'Bearer realm="api"')
    assert Browser(None, Authorization="Bearer forged").create(5).status_code == 401
    student = Browser(None, Authorization=f"Bearer {bearer(make_user())}").create(5)
    assert (student.status_code, code_of(student)) == (403, "permission_denied")
    signed_in = Browser()
    signed_in.client.force_login(make_user(is_staff=True, is_superuser=True))
    assert signed_in.create(5).status_code == 403
    token = "a" * 32
    signed_in.client.cookies["csrftoken"] = token
    assert signed_in.create(5, X_CSRFToken=token).status_code == 201
    assert Upload.objects.count() == 1


def test_the_host_refuses_what_is_too_large_or_of_unknown_size(hosted):
    for size, code in ((None, "size_required"), (hosted.upload_max_bytes + 1, "file_too_large")):
        with pytest.raises(Rejected) as refusal:
            providers["hosted"].create_upload(UploadRequest(title="A film", filename="film.mp4", size_bytes=size))
        assert refusal.value.code == code
    assert not HostedVideo.objects.exists()


def test_a_project_without_such_a_host_offers_no_creation(settings):
    settings.VIDEO_PROVIDERS = {}
    assert code_of(staff().create(5)) == "no_fitting_host"
    assert "Tus-Max-Size" not in Browser().ask("OPTIONS")


def test_bytes_lost_from_the_disk_are_asked_for_again(hosted):
    upload = make_upload()
    browser = Browser(upload)
    browser.patch(0, FILM[:100])
    hosted.get_store().path_of(upload.key).unlink()
    conflict = browser.patch(100, FILM[100:])
    assert (conflict.status_code, conflict["Upload-Offset"]) == (409, "0")
    assert browser.patch(0, FILM).status_code == 204
    assert on_disk(hosted, upload) == FILM


def test_a_folder_that_cannot_be_written_is_a_matter_of_later(settings, tmp_path):
    idle_host(settings, tmp_path)
    upload = make_upload()
    (tmp_path / "store").rmdir()
    (tmp_path / "store").write_text("no folder")
    answer = Browser(upload).patch(0, FILM)
    assert (answer.status_code, answer["Retry-After"]) == (503, "10")


def test_pages_of_other_origins_may_send_and_read_what_tus_needs(hosted, settings):
    settings.CORS_ALLOWED_ORIGINS = ["https://teach.example"]
    browser = Browser(make_upload(), Origin="https://teach.example")
    wanted = "tus-resumable,upload-length,upload-metadata,upload-offset,upload-checksum,content-type,authorization"
    preflight = browser.ask("OPTIONS", Access_Control_Request_Method="PATCH", Access_Control_Request_Headers=wanted)
    assert set(wanted.split(",")) <= set(preflight["Access-Control-Allow-Headers"].split(", "))
    assert {"PATCH", "DELETE", "POST"} <= set(preflight["Access-Control-Allow-Methods"].split(", "))
    exposed = browser.ask("HEAD")["Access-Control-Expose-Headers"].split(", ")
    assert {"Location", "Upload-Offset", "Upload-Length", "Upload-Metadata", "Upload-Expires"} <= set(exposed)
    assert {"Tus-Resumable", "Tus-Version", "Tus-Extension", "Tus-Max-Size"} <= set(exposed)
