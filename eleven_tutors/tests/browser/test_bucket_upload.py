"""An instructor's film goes straight to a bucket, in parts."""

import pytest
import requests

from eleven_tutors.tests.browser.uploader import Uploader, padded_film, sign_in_instructor
from videos.hosted.hosts import host
from videos.hosted.models import Transcode, Upload, UploadKind, UploadState
from videos.hosted.services.uploading import multipart
from videos.hosted.tests import uploads_tus
from videos.hosted.tests.buckets import bucket_options, s3
from videos.hosted.tests.conftest import hosted_entry
from videos.models import Video
from videos.providers.registry import providers
from videos.providers.types import UploadRequest

pytestmark = pytest.mark.browser

MIB = 1024 * 1024
PART_BYTES = 5 * MIB
BY_COMPANION = """
const [library, endpoint, size, done] = arguments;
import(library).then(({ Uppy, AwsS3 }) => {
  const uppy = new Uppy();
  uppy.use(AwsS3, { companionEndpoint: endpoint, shouldUseMultipart: true });
  const head = new Uint8Array([0, 0, 0, 24, ...new TextEncoder().encode("ftypmp42")]);
  uppy.addFile({ name: "film.mp4", type: "video/mp4", data: new Blob([head, new Uint8Array(size - head.length)]) });
  return uppy.upload();
}).then((result) => done(result.failed.map((file) => String(file.error))), (error) => done([String(error)]));
"""


@pytest.fixture(scope="session")
def film(tmp_path_factory):
    """A real MP4 of three parts: a box that every player passes over makes it that long."""
    return padded_film(tmp_path_factory.mktemp("films") / "limits.mp4", 12 * MIB)


@pytest.fixture
def bucket(site, settings, tmp_path):
    """Our own host on a bucket that lets this site's pages in; gives the store."""
    options = bucket_options(tries=1)
    rule = {"AllowedOrigins": [site.url], "AllowedMethods": ["GET", "PUT"], "AllowedHeaders": ["*"]}
    s3().put_bucket_cors(
        Bucket=options["bucket"], CORSConfiguration={"CORSRules": [rule | {"ExposeHeaders": ["ETag"]}]}
    )
    store = {"BACKEND": "videos.hosted.stores.bucket.BucketStore", "OPTIONS": options}
    encoder = {"BACKEND": f"{uploads_tus.__name__}.IdleEncoder"}
    entry = hosted_entry(tmp_path, store=store, encoder=encoder, upload_part_bytes=PART_BYTES)
    settings.VIDEO_PROVIDERS = {"hosted": entry}
    settings.VIDEO_ROUTES = [{"use": ["hosted"]}]
    settings.VIDEO_ENQUEUE = f"{uploads_tus.__name__}.enqueue"
    return host("hosted").get_store()


@pytest.fixture
def instructor(site):
    return sign_in_instructor(site)


def numbers(upload: Upload) -> list[int]:
    return [part.number for part in multipart.list_parts(upload)]


def test_a_film_goes_to_the_bucket_in_parts_and_on_after_a_reload_and_a_pause(site, bucket, instructor, film):
    uploader = Uploader(site)
    site.open("/admin/videos/video/add/")
    uploader.slow_down(4 * MIB)
    uploader.choose(film)
    begun = Upload.objects.select_related("video").exclude(multipart_id="")
    upload = site.wait_for(begun.all().first, "the upload")
    assert upload.kind == UploadKind.MULTIPART
    site.wait_for(lambda: numbers(upload) == [1], "the first part")
    site.wait_for(lambda: site.browser.execute_script("return localStorage.length") > 0, "the note of it")
    site.browser.refresh()

    uploader.see("Continue uploading limits.mp4 (")
    assert str(Video.objects.get().pk) in site.browser.current_url
    uploader.choose(film)
    uploader.see("% of")
    uploader.press("Pause")
    uploader.see("The upload is paused.")
    assert upload.state == UploadState.OPEN
    uploader.slow_down(-1)
    uploader.press("Resume")
    uploader.see("The file has arrived.")

    upload.refresh_from_db()
    assert (upload.state, upload.multipart_id != "") == (UploadState.COMPLETED, True)
    stored = s3().get_object(Bucket=bucket.bucket, Key=bucket.key_prefix + upload.key)["Body"].read()
    assert stored == film.read_bytes()
    assert list(bucket.open_multiparts("")) == []
    assert Transcode.objects.get().video == upload.video
    assert site.browser.execute_script("return Object.keys(localStorage).filter(k => k.startsWith('videos.'))") == []


def test_a_file_that_is_no_video_is_refused_with_the_reason(site, bucket, instructor, tmp_path):
    (tmp_path / "notes.mp4").write_bytes(b"%PDF-1.7" + bytes(MIB))
    uploader = Uploader(site)
    site.open("/admin/videos/video/add/")
    uploader.choose(tmp_path / "notes.mp4")
    uploader.see("The file is not a video. Export it as MP4")
    assert list(bucket.keys("")) == []
    site.complaints()


def test_uppys_companion_addresses_take_a_file_from_uppy_itself(site, bucket):
    size = PART_BYTES + MIB
    request = UploadRequest(title="A film", filename="film.mp4", size_bytes=size, content_type="video/mp4")
    ticket = providers["hosted"].create_upload(request)
    site.open("/admin/login/")
    library = "/static/videos/vendor/uppy/uppy.min.mjs"
    assert requests.head(site.url + library, timeout=10).status_code == 200
    site.browser.set_script_timeout(30)
    failed = site.browser.execute_async_script(BY_COMPANION, library, ticket.companion_url, size)
    assert failed == [], site.complaints()
    upload = Upload.objects.get()
    assert (upload.state, bucket.size_of(upload.key)) == (UploadState.COMPLETED, size)
