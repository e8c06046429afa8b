"""Media on a bucket, against a real HTTP server that speaks S3."""

from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import boto3
import pytest
import requests
from django.core.files.base import ContentFile
from django.core.files.storage import storages
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone
from moto.server import ThreadedMotoServer
from rest_framework.test import APIClient

from courses.tests.factories import make_course
from courses.tests.pictures import picture
from eleven_tutors.storage import MediaBucket, bucket_options

BUCKET = "eleven-tutors-media"


@pytest.fixture(scope="module")
def s3_url():
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


def options(endpoint_url, **overrides):
    return bucket_options(
        **{
            "bucket_name": BUCKET,
            "access_key": "AKIAEXAMPLE",
            "secret_key": "secret",
            "endpoint_url": endpoint_url,
            "region_name": "auto",
            "addressing_style": "path",
            "location": "media",
            "file_overwrite": False,
            "querystring_auth": True,
            "querystring_expire": 3600,
        }
        | overrides
    )


@pytest.fixture
def bucket(s3_url) -> MediaBucket:
    requests.post(f"{s3_url}/moto-api/reset", timeout=10)
    storage = MediaBucket(**options(s3_url))
    boto3.client(
        "s3", endpoint_url=s3_url, region_name="us-east-1", aws_access_key_id="x", aws_secret_access_key="y"
    ).create_bucket(Bucket=BUCKET)
    return storage


def query_of(url) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}


def test_a_stored_file_is_read_through_its_signed_address(bucket):
    name = bucket.save("images/a b.png", ContentFile(b"picture"))
    answer = requests.get(bucket.url(name), timeout=10)
    assert (answer.status_code, answer.content) == (200, b"picture")


def test_without_a_signature_the_file_is_refused(bucket):
    name = bucket.save("images/x.png", ContentFile(b"picture"))
    assert requests.get(bucket.url(name).partition("?")[0], timeout=10).status_code == 403


def test_the_type_that_a_browser_sent_is_not_believed(bucket):
    content = SimpleUploadedFile("x.png", b"<script>", content_type="text/html")
    name = bucket.save("images/x.png", content)
    assert requests.get(bucket.url(name), timeout=10).headers["Content-Type"] == "image/png"


def test_the_address_is_signed_by_version_4_for_an_hour(bucket):
    query = query_of(bucket.url("images/x.png"))
    assert query["X-Amz-Algorithm"] == "AWS4-HMAC-SHA256"
    assert query["X-Amz-Expires"] == "3600"
    assert "/auto/s3/aws4_request" in query["X-Amz-Credential"]
    assert "AWSAccessKeyId" not in query


def test_the_signature_is_the_one_that_the_vendors_sdk_makes(bucket, monkeypatch):
    ours = bucket.url("images/x y.png")
    signed_at = query_of(ours)["X-Amz-Date"]
    moment = timezone.datetime.strptime(signed_at, "%Y%m%dT%H%M%SZ")
    monkeypatch.setattr("botocore.auth.get_current_datetime", lambda: moment)
    theirs = bucket.connection.meta.client.generate_presigned_url(
        "get_object", Params={"Bucket": BUCKET, "Key": "media/images/x y.png"}, ExpiresIn=3600
    )
    assert urlsplit(ours).path == urlsplit(theirs).path
    assert query_of(ours) == query_of(theirs)


def test_the_address_stays_the_same_for_half_an_hour(bucket):
    now = timezone.now()
    signed_at = timezone.datetime.strptime(query_of(bucket.url("x"))["X-Amz-Date"] + "+0000", "%Y%m%dT%H%M%SZ%z")
    assert timedelta(0) <= now - signed_at <= timedelta(minutes=30, seconds=1)
    assert (signed_at.minute % 30, signed_at.second) == (0, 0)


def test_an_upload_carries_neither_checksums_nor_chunked_encoding(bucket):
    sent = []
    client = bucket.connection.meta.client
    client.meta.events.register("before-send.s3.PutObject", lambda request, **_: sent.append(dict(request.headers)))
    bucket.save("images/x.png", ContentFile(b"picture"))
    headers = {name.lower(): str(value).lower() for name, value in sent[0].items()}
    assert not [name for name in headers if name.startswith("x-amz-checksum") or name == "x-amz-trailer"]
    assert "aws-chunked" not in headers.get("content-encoding", "")
    assert headers["content-length"] == "7"
    assert "x-amz-acl" not in headers


def test_two_uploads_of_one_name_do_not_overwrite_each_other(bucket):
    first, second = (bucket.save("images/x.png", ContentFile(content)) for content in (b"one", b"two"))
    assert first != second
    assert requests.get(bucket.url(first), timeout=10).content == b"one"


@pytest.mark.parametrize(
    ("style", "host"), [("path", "account.r2.example"), ("virtual", f"{BUCKET}.account.r2.example")]
)
def test_both_ways_of_addressing_a_bucket_are_signed(style, host):
    storage = MediaBucket(**options("https://account.r2.example", addressing_style=style))
    url = storage.url("images/x.png")
    assert urlsplit(url).hostname == host
    assert query_of(url)["X-Amz-SignedHeaders"] == "host"


@pytest.mark.django_db
def test_a_thumbnail_on_the_bucket_is_found_from_its_lasting_address(bucket, settings, s3_url):
    backend = {"BACKEND": "eleven_tutors.storage.MediaBucket", "OPTIONS": options(s3_url)}
    settings.STORAGES = settings.STORAGES | {"default": backend}
    course = make_course(thumbnail=picture())
    assert isinstance(storages["default"], MediaBucket)
    first, second = (APIClient().get(course.thumbnail_path) for _ in range(2))
    assert first.status_code == 302
    assert first["Location"].startswith(f"{s3_url}/{BUCKET}/media/images/course_thumbnails/")
    assert first["Location"] == second["Location"]
    shown = requests.get(first["Location"], timeout=10)
    assert shown.content.startswith(b"\x89PNG")
    assert shown.headers["Content-Type"] == "image/png"
    assert APIClient().get("/media/" + course.thumbnail.name).status_code == 404
