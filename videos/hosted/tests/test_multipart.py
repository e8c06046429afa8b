"""Uploads straight to a bucket, over real HTTP on both sides."""

import math
from datetime import timedelta
from functools import cache
from threading import Barrier, Thread

import pytest
import requests
from django.db import connection
from django.utils import timezone
from rest_framework.test import APIClient

from videos.hosted import containers
from videos.hosted.hosts import host
from videos.hosted.models import HostedVideo, Transcode, Upload, UploadState
from videos.hosted.seams.bucket import StoredPart
from videos.hosted.services.clearing import emptying, removal, sweeping
from videos.hosted.services.uploading import multipart, uploads
from videos.hosted.tests import uploads_tus
from videos.hosted.tests.buckets import bucket_options, s3
from videos.hosted.tests.conftest import hosted_entry
from videos.models import Asset, AssetStatus, Video
from videos.providers.exceptions import ProviderUnavailable
from videos.providers.registry import providers
from videos.providers.types import UploadRequest
from videos.services.assets import refresh_asset
from videos.services.errors import UploadOver, UploadRefused
from videos.tests.factories import make_user

pytestmark = pytest.mark.django_db

MIB = 1024 * 1024
PART = 5 * MIB
LENGTH = 2 * PART + MIB
SENT: list[str] = []
"""Background work that was asked for; none of it is done, but that copies are asked about."""


def enqueue(task_name, *args):
    SENT.append(task_name)
    if task_name == "videos.refresh_asset":
        refresh_asset(*args)


@cache
def film(length=LENGTH) -> bytes:
    return (b"\x00\x00\x00\x18ftypmp42" + bytes(range(256)) * (length // 256 + 1))[:length]


@pytest.fixture
def bucket(settings, tmp_path):
    """The alias `hosted` on a bucket, where nothing is made of what was uploaded; gives its store."""
    store = {"BACKEND": "videos.hosted.stores.bucket.BucketStore", "OPTIONS": bucket_options(tries=1)}
    encoder = {"BACKEND": f"{uploads_tus.__name__}.IdleEncoder"}
    settings.VIDEO_PROVIDERS = {"hosted": hosted_entry(tmp_path, store=store, encoder=encoder, upload_part_bytes=PART)}
    settings.VIDEO_ROUTES = [{"use": ["hosted"]}]
    settings.VIDEO_CREATE_POLICY = "videos.access.is_staff"
    settings.VIDEO_ENQUEUE = f"{__name__}.enqueue"
    SENT.clear()
    return host("hosted").get_store()


def lose(settings, **options):
    """From now on the bucket is one that does not answer."""
    entry = settings.VIDEO_PROVIDERS["hosted"]
    store = entry["OPTIONS"]["store"]
    changed = store | {"OPTIONS": store["OPTIONS"] | {"endpoint_url": "http://127.0.0.1:9"} | options}
    settings.VIDEO_PROVIDERS = {"hosted": entry | {"OPTIONS": entry["OPTIONS"] | {"store": changed}}}


def make_upload(*, length=LENGTH, **values) -> Upload:
    """An upload begun at the bucket, whose copy waits for it."""
    request = UploadRequest(title="A film", filename="film.mp4", size_bytes=length, content_type="video/mp4")
    providers["hosted"].create_upload(request)
    upload = Upload.objects.select_related("video").latest("pk")
    video = Video.objects.create(title="A film")
    Asset.objects.create(video=video, provider="hosted", host_id=upload.video.host_id)
    for name, value in values.items():
        setattr(upload, name, value)
    upload.save()
    return upload


def address(upload, rest="") -> str:
    return f"/api/videos/uploads/{upload.public_id}/{upload.secret}/{rest}"


def ask(method, upload, rest, body=None):
    return getattr(APIClient(), method)(address(upload, rest), body, format="json")


def send(upload, numbers=None, *, content=None, part=PART):
    """PUT the parts of these numbers as a browser does; all of them by default."""
    content = film() if content is None else content
    numbers = numbers or range(1, math.ceil(len(content) / part) + 1)
    urls = ask("post", upload, "parts/", {"numbers": list(numbers)}).json()["urls"]
    for number in numbers:
        put = requests.put(urls[str(number)], data=content[(number - 1) * part : number * part], timeout=20)
        assert put.status_code == 200, put.text
        assert put.headers["ETag"]


def open_at_bucket(store) -> list:
    return list(store.open_multiparts(""))


def state_of(upload) -> str:
    return Upload.objects.get(pk=upload.pk).state


def error_of(answer) -> tuple[int, str, list]:
    body = answer.json()
    return answer.status_code, body["errors"][0]["code"], body.get("numbers", [])


def test_a_file_goes_to_the_bucket_in_parts_and_is_prepared_once(bucket):
    client = APIClient()
    client.force_authenticate(make_user(is_staff=True, is_superuser=True))
    wanted = {"title": "A film", "filename": "film.mp4", "size": LENGTH, "content_type": "video/mp4"}
    made = client.post("/api/videos/", wanted, format="json").json()
    ticket, upload = made["upload"], Upload.objects.get()
    assert (ticket["kind"], ticket["part_size"], ticket["url"]) == ("s3_multipart", PART, address(upload))
    assert ticket["companion_url"] + "/" == address(upload)
    assert upload.multipart_id not in str(made)

    send(upload, [3, 1])
    listed = ask("get", upload, "parts/").json()
    assert (listed["numbers"], listed["size"], listed["part_size"], listed["is_complete"]) == (
        [1, 3],
        LENGTH,
        PART,
        False,
    )
    send(upload, [2])
    assert ask("post", upload, "complete/").status_code == 204
    assert SENT == ["videos.hosted.run_steps", "videos.refresh_asset"]

    stored = s3().get_object(Bucket=bucket.bucket, Key=f"{bucket.key_prefix}{upload.key}")
    assert stored["Body"].read() == film()
    video = HostedVideo.objects.get()
    assert (video.source_key, video.source_bytes) == (upload.key, LENGTH)
    assert (state_of(upload), Transcode.objects.count()) == (UploadState.COMPLETED, 1)
    assert Asset.objects.get().status == AssetStatus.PROCESSING
    assert open_at_bucket(bucket) == []

    assert ask("post", upload, "complete/").status_code == 204
    again = ask("get", upload, "parts/").json()
    assert (again["is_complete"], again["numbers"]) == (True, [1, 2, 3])
    assert error_of(ask("post", upload, "parts/", {"numbers": [1]})) == (410, "upload_complete", [])
    assert error_of(ask("delete", upload, "parts/")) == (410, "upload_complete", [])
    assert Transcode.objects.count() == 1


def test_what_is_missing_or_of_a_wrong_size_is_named_and_can_be_sent_again(bucket):
    upload = make_upload()
    assert error_of(ask("post", upload, "complete/")) == (400, "parts_missing", [1, 2, 3])
    send(upload, [1, 2])
    assert error_of(ask("post", upload, "complete/")) == (400, "parts_missing", [3])
    send(upload, [3], content=film() + b"more")
    assert error_of(ask("post", upload, "complete/")) == (400, "parts_unequal", [3])
    send(upload, [2], content=film()[: PART + 9])
    send(upload, [3])
    assert error_of(ask("post", upload, "complete/")) == (400, "parts_unequal", [2])
    assert state_of(upload) == UploadState.OPEN
    send(upload, [2])
    assert ask("post", upload, "complete/").status_code == 204


@pytest.mark.one_database
@pytest.mark.parametrize(
    ("sizes", "length", "code", "numbers"),
    [
        ({1: 6, 2: 6, 3: 1}, 13, "", []),  # cut otherwise than the ticket said
        ({1: 13}, 13, "", []),
        ({1: 6, 2: 5, 3: 2}, 13, "parts_missing", []),
        ({1: 8, 2: 5, 3: 1}, 13, "parts_unequal", [3]),
        ({2: 8, 3: 1}, 16, "parts_missing", [1]),
        ({1: 20}, 13, "parts_unequal", [1]),
        ({1: 3}, 13, "parts_missing", [2]),
        ({1: 0.5}, 0.5, "", []),
    ],
)
def test_parts_make_a_file_when_they_are_equal_and_all_there(sizes, length, code, numbers):
    upload = Upload(length=int(length * MIB), part_bytes=8 * MIB)
    parts = [StoredPart(number=n, etag="", size_bytes=int(size * MIB)) for n, size in sizes.items()]
    if not code:
        multipart._check(parts, upload)
        return
    with pytest.raises(UploadRefused) as caught:
        multipart._check(parts, upload)
    assert caught.value.code in (code, "parts_unequal")
    assert not numbers or caught.value.numbers == numbers


def test_what_is_no_video_is_removed_and_its_copy_says_why(bucket):
    upload = make_upload()
    send(upload, content=b"<html>" + film()[6:])
    assert error_of(ask("post", upload, "complete/")) == (400, "not_a_video", [])
    assert (state_of(upload), list(bucket.keys(""))) == (UploadState.ENDED, [])
    asset = Asset.objects.get()
    assert (asset.status, asset.failure_code) == (AssetStatus.FAILED, "not_a_video")
    assert error_of(ask("post", upload, "complete/")) == (410, "upload_over", [])
    assert Upload.objects.get().emptied_at is not None


def test_a_file_of_another_size_at_the_bucket_is_removed(bucket):
    upload = make_upload()
    bucket.abort_multipart(upload.key, upload.multipart_id)
    s3().put_object(Bucket=bucket.bucket, Key=bucket.key_prefix + upload.key, Body=film()[:-1])
    assert error_of(ask("post", upload, "complete/")) == (400, "size_mismatch", [])
    assert (state_of(upload), list(bucket.keys(""))) == (UploadState.ENDED, [])


def test_giving_up_leaves_nothing_at_the_bucket_and_ends_all(bucket):
    upload = make_upload()
    send(upload, [1])
    assert ask("delete", upload, "parts/").status_code == 204
    assert (state_of(upload), open_at_bucket(bucket)) == (UploadState.ENDED, [])
    assert ask("delete", upload, "parts/").status_code == 204
    for method, rest, body in (
        ("post", "complete/", {}),
        ("get", "parts/", None),
        ("post", "parts/", {"numbers": [1]}),
    ):
        assert error_of(ask(method, upload, rest, body)) == (410, "upload_over", [])


def test_only_who_holds_the_secret_of_an_upload_in_parts_is_let_in(bucket, settings, tmp_path):
    upload, other = make_upload(), make_upload()
    upload.secret = other.secret
    calls = [
        *(("get", "parts/"), ("post", "parts/"), ("delete", "parts/"), ("post", "complete/"), ("post", "sign/")),
        *(("get", "bucket/"), ("post", "bucket/"), ("delete", "bucket/"), ("post", "s3/multipart")),
        *(("get", "s3/multipart/x"), ("delete", "s3/multipart/x"), ("get", "s3/multipart/x/1")),
        *(("get", "s3/multipart/x/batch?partNumbers=1"), ("post", "s3/multipart/x/complete"), ("get", "s3/params")),
    ]
    for method, rest in calls:
        assert ask(method, upload, rest, {} if method == "post" else None).status_code == 404, rest
    settings.VIDEO_PROVIDERS = {"hosted": hosted_entry(tmp_path)}
    request = UploadRequest(title="A film", filename="film.mp4", size_bytes=LENGTH)
    by_tus = uploads.open_upload(alias="hosted", request=request)
    assert error_of(ask("get", by_tus, "parts/")) == (404, "upload_not_found", [])


def test_signing_asks_the_database_once_and_the_bucket_never(bucket, settings, django_assert_num_queries):
    upload = make_upload()
    lose(settings)
    with django_assert_num_queries(1):
        answer = ask("post", upload, "parts/", {"numbers": [1, 2, 3]})
    assert answer.status_code == 200
    assert answer["Cache-Control"] == "no-store"
    wrong = ask("post", upload, "parts/", {"numbers": [0, 3, 4]})
    assert error_of(wrong) == (400, "part_number_invalid", [0, 4])
    assert ask("post", upload, "parts/", {"numbers": ["x"]}).status_code == 400


def test_an_upload_that_goes_on_lives_on(bucket):
    upload = make_upload(expires_at=timezone.now() + timedelta(minutes=1))
    send(upload, [1])
    upload.refresh_from_db()
    assert upload.expires_at > timezone.now() + timedelta(hours=23)
    assert Asset.objects.get().upload_expires_at == upload.expires_at


def test_a_bucket_that_does_not_answer_is_told_and_costs_no_upload(bucket, settings):
    upload = make_upload()
    send(upload)
    kept = settings.VIDEO_PROVIDERS
    lose(settings)
    for method, rest in (("get", "parts/"), ("post", "complete/")):
        answer = ask(method, upload, rest)
        assert error_of(answer) == (503, "host_unavailable", [])
        assert answer["Retry-After"] == "10"
    assert state_of(upload) == UploadState.OPEN
    with pytest.raises(ProviderUnavailable):
        make_upload()
    assert HostedVideo.objects.latest("pk").deleted_at is not None
    assert Upload.objects.latest("pk").state == UploadState.ENDED
    settings.VIDEO_PROVIDERS = kept
    assert ask("post", upload, "complete/").status_code == 204


def test_a_process_that_died_behind_the_buckets_answer_is_made_up_for(bucket, settings):
    resumed, swept = make_upload(), make_upload()
    for upload in (resumed, swept):
        send(upload)
        bucket.complete_multipart(
            upload.key, upload.multipart_id, bucket.multipart_parts(upload.key, upload.multipart_id)
        )
    assert ask("get", resumed, "parts/").json()["numbers"] == [1, 2, 3]
    assert ask("post", resumed, "complete/").status_code == 204

    assert multipart.finish_begun() == 0
    Upload.objects.filter(pk=swept.pk).update(offset=LENGTH)
    kept = settings.VIDEO_PROVIDERS
    lose(settings)
    assert multipart.finish_begun() == 0
    settings.VIDEO_PROVIDERS = kept
    assert multipart.finish_begun() == 1
    assert (state_of(swept), Transcode.objects.count()) == (UploadState.COMPLETED, 2)


def test_the_sweep_finds_an_upload_whose_parts_were_all_there(bucket):
    upload = make_upload()
    send(upload)
    failing = bucket.__class__.complete_multipart

    def die(*args, **kwargs):
        raise SystemExit

    bucket.__class__.complete_multipart = die
    try:
        with pytest.raises(SystemExit):
            multipart.complete(multipart.find(upload.public_id, upload.secret))
    finally:
        bucket.__class__.complete_multipart = failing
    sweeping.sweep()
    assert state_of(upload) == UploadState.COMPLETED


def test_an_upload_that_the_bucket_forgot_has_ended(bucket):
    forgotten, asked = make_upload(), make_upload()
    for upload in (forgotten, asked):
        bucket.abort_multipart(upload.key, upload.multipart_id)
    assert error_of(ask("post", forgotten, "complete/")) == (410, "upload_over", [])
    assert error_of(ask("get", asked, "parts/")) == (410, "upload_over", [])
    assert Upload.objects.filter(state=UploadState.OPEN).count() == 0


def test_overdue_uploads_are_given_up_at_their_bucket_later_when_it_is_away(bucket, settings):
    upload = make_upload(expires_at=timezone.now() - timedelta(seconds=1))
    send_late = ask("post", upload, "parts/", {"numbers": [1]})
    assert error_of(send_late) == (410, "upload_over", [])
    unsaved = bucket.begin_multipart(upload.key, content_type="video/mp4")  # its process died before it wrote the row
    assert unsaved != upload.multipart_id
    assert uploads.end_overdue() == 1
    kept = settings.VIDEO_PROVIDERS
    lose(settings)
    assert multipart.give_up_ended() == 0
    settings.VIDEO_PROVIDERS = kept
    sweeping.sweep()
    assert open_at_bucket(bucket) == []
    assert multipart.give_up_ended() == 0


def test_parts_of_a_deleted_video_go_although_its_files_went_first(bucket):
    upload = make_upload()
    removal.delete(alias="hosted", host_id=upload.video.host_id)
    copy = HostedVideo.objects.get()
    emptying.empty_video(copy, host("hosted"), now=timezone.now() + timedelta(hours=1))
    assert len(open_at_bucket(bucket)) == 1
    sweeping.sweep()
    assert open_at_bucket(bucket) == []


def test_an_empty_file_needs_no_parts_and_fails(bucket):
    upload = make_upload(length=0)
    assert ask("get", upload, "parts/").json()["numbers"] == []
    assert ask("post", upload, "complete/").status_code == 204
    assert Transcode.objects.get().failure_code == "empty_file"


def test_uppys_signed_requests_go_to_the_bucket_for_parts_and_to_us_for_the_rest(bucket):
    upload = make_upload()
    name = upload.public_id.hex

    def signed(**request):
        answer = ask("post", upload, "sign/", {"key": "../evil", **request})
        assert answer.status_code == 200, answer.json()
        assert answer.json()["key"] == name
        return answer.json()["url"]

    def at_us(method, url, body=b""):
        assert url.startswith("http://testserver" + address(upload, "bucket/?"))
        return APIClient().generic(method, url.removeprefix("http://testserver"), body, "application/xml")

    begun = at_us("POST", signed(method="POST", contentType="video/mp4"))
    assert f"<UploadId>{name}</UploadId>" in begun.content.decode()
    for number in (1, 2, 3):
        url = signed(method="PUT", uploadId=name, partNumber=number)
        assert url.startswith(bucket.access().origin)
        assert "evil" not in url
        requests.put(url, data=film()[(number - 1) * PART : number * PART], timeout=20)
    listed = at_us("GET", signed(method="GET", uploadId=name)).content.decode()
    assert listed.count("<Part>") == 3
    completed = at_us("POST", signed(method="POST", uploadId=name), b"<CompleteMultipartUpload/>")
    assert (completed.status_code, completed["Content-Type"]) == (200, "application/xml")
    assert state_of(upload) == UploadState.COMPLETED

    gone = make_upload()
    abort = f"{address(gone, 'bucket/')}?uploadId=x"
    assert APIClient().delete(abort).status_code == 204
    refused = APIClient().post(abort, "", content_type="application/xml")
    assert refused.status_code == 410
    assert "<Code>upload_over</Code>" in refused.content.decode()
    whole = ask("post", make_upload(), "sign/", {"method": "PUT", "key": "film.mp4"})
    assert error_of(whole) == (400, "parts_only", [])


def test_uppys_companion_shapes_in_their_own_words(bucket):
    upload = make_upload()
    name = upload.public_id.hex
    begun = ask("post", upload, "s3/multipart", {"filename": "../evil", "type": "text/html", "metadata": {}})
    assert begun.json() == {"key": name, "uploadId": name, "bucket": ""}
    at = f"s3/multipart/{name}"
    batch = ask("get", upload, f"{at}/batch?key=evil&partNumbers=1,2").json()["presignedUrls"]
    single = ask("get", upload, f"{at}/3?key=evil").json()
    assert single["expires"] == 3600
    for number, url in {**batch, "3": single["url"]}.items():
        first = (int(number) - 1) * PART
        assert requests.put(url, data=film()[first : first + PART], timeout=20).status_code == 200
    parts = ask("get", upload, f"{at}?key=evil").json()
    assert [(part["PartNumber"], part["Size"]) for part in parts] == [(1, PART), (2, PART), (3, MIB)]
    completed = ask("post", upload, f"{at}/complete?key=evil", {"parts": [{"PartNumber": 9, "ETag": "forged"}]})
    assert set(completed.json()) == {"location", "key", "bucket"}
    assert state_of(upload) == UploadState.COMPLETED

    other = make_upload()
    missing = ask("post", other, "s3/multipart/x/complete", {"parts": []})
    assert (missing.status_code, missing.json()) == (400, {"error": "s3: Not all parts have arrived."})
    for rest in ("s3/params?filename=a", "s3/sts", "s3/multipart/x/batch?partNumbers=", "s3/multipart/x/99999"):
        answer = ask("get", other, rest)
        assert answer.status_code == 400
        assert answer.json()["error"].startswith("s3: ")
    assert ask("delete", other, "s3/multipart/x").json() == {}
    assert state_of(other) == UploadState.ENDED


@pytest.mark.django_db(transaction=True)
def test_completing_in_parallel_starts_one_preparation(bucket):
    upload = make_upload(length=PART)
    send(upload, content=film(PART))
    barrier, answers = Barrier(4), []

    def finish():
        try:
            barrier.wait()
            answers.append(ask("post", upload, "complete/").status_code)
        finally:
            connection.close()

    threads = [Thread(target=finish) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == [204] * 4
    assert Transcode.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_giving_up_while_completing_ends_in_one_of_both(bucket):
    upload = make_upload(length=PART)
    send(upload, content=film(PART))
    barrier, answers = Barrier(2), {}

    def race(method, rest):
        try:
            barrier.wait()
            answers[rest] = ask(method, upload, rest).status_code
        finally:
            connection.close()

    threads = [Thread(target=race, args=args) for args in (("post", "complete/"), ("delete", "parts/"))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    is_complete = state_of(upload) == UploadState.COMPLETED
    assert answers["parts/"] == (410 if is_complete else 204)
    # The server that stands for S3 answers 500 where S3 says that the upload is gone.
    assert answers["complete/"] in ((204,) if is_complete else (410, 503))
    assert Transcode.objects.count() == int(is_complete)
    multipart.give_up_ended()
    assert list(bucket.keys("")) == ([upload.key] if is_complete else [])


@pytest.mark.one_database
@pytest.mark.parametrize(
    ("length", "wished", "size"),
    [
        (0, 16 * MIB, 16 * MIB),
        (10**9, MIB, 5 * MIB),
        (160_000 * MIB + 1, 16 * MIB, 17 * MIB),
        (5 * 10**12, 1, 477 * MIB),
    ],
)
def test_parts_are_as_large_as_ten_thousand_of_them_need(length, wished, size):
    assert multipart.part_bytes_for(length, wished) == size
    assert math.ceil(length / size) <= 10_000


@pytest.mark.one_database
def test_containers_are_known_by_their_first_bytes():
    packets = (b"\x47" + bytes(187)) * 2
    timed = b"time" + packets[:188] + b"time\x47"
    for head in (film()[:400], b"\x1a\x45\xdf\xa3webm", b"RIFF\0\0\0\0AVI LIST", packets, timed):
        assert containers.is_media(head)
    strange = (
        b"RIFF\0\0\0\0WAVEfmt ",
        b"YUV4MPEG2 W64",
        b"\x06\x0e\x2b\x34\x02\x05\x01\x01",
        b"PK\x03\x04",
        bytes(400),
    )
    for head in (b"", b"<html>", b"\x89PNG\r\n\x1a\n", b"%PDF-1.7", *strange):
        assert not containers.is_media(head)


def test_addresses_with_secrets_are_not_logged(bucket, caplog):
    upload = make_upload()
    ask("post", upload, "complete/")
    ask("get", upload, "s3/params")
    assert upload.secret not in caplog.text


def test_an_upload_is_over_for_services_too(bucket):
    upload = make_upload(state=UploadState.ENDED)
    with pytest.raises(UploadOver):
        multipart.complete(upload)
