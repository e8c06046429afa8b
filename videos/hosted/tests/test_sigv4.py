"""Our own signatures, against those of the vendor's client."""

import time
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qsl, urlsplit

import pytest

from videos.hosted.deliveries.sigv4 import Presigner
from videos.hosted.stores.bucket import BucketStore
from videos.hosted.tests.buckets import ACCESS_KEY, SECRET_KEY

NOW = datetime(2026, 11, 21, 23, 59, 58, 400_000, tzinfo=UTC)
R2 = {"endpoint_url": "https://acc.r2.cloudflarestorage.com", "region": "auto"}
PLACES = {
    "aws": {"region": "eu-west-1"},
    "aws, first region": {"region": "us-east-1"},
    "aws, in China": {"region": "cn-north-1"},
    "aws, by the machine's role": {"region": "af-south-1", "session_token": "IQoJb3JpZ2luX2VjE//////////wEa+x=="},
    "r2": R2 | {"addressing_style": "path"},
    "r2, virtual": R2,
    "r2, below a prefix": R2 | {"addressing_style": "path", "key_prefix": "hosted/öü /"},
    "a port": {"endpoint_url": "http://127.0.0.1:9000", "region": "us-east-1", "addressing_style": "path"},
}
KEYS = (
    "a",
    "0f/p/1a/v720.mp4",
    "0f/p/1a/v720/00001.ts",
    "ä ö/日本.mp4",
    "a+b&c=d?e#f%20~-_.",
    "(x)!*';:@,$[]\"<>\\^`{|}",
)
CALLS = {
    "get_object": ("GET", {}, {}),
    "head_object": ("HEAD", {}, {}),
    "list_parts": ("GET", {"UploadId": "2~a+b/c=="}, {"uploadId": "2~a+b/c=="}),
    "upload_part": ("PUT", {"UploadId": "x/y", "PartNumber": 17}, {"uploadId": "x/y", "partNumber": "17"}),
}


def parts_of(url):
    split = urlsplit(url)
    return split.scheme, split.netloc, split.path, sorted(parse_qsl(split.query, strict_parsing=True))


@pytest.mark.parametrize("place", PLACES)
def test_an_address_is_the_one_that_the_vendors_client_signs(place, monkeypatch):
    monkeypatch.setattr("botocore.auth.get_current_datetime", lambda: NOW.replace(tzinfo=None))
    store = BucketStore(**{"bucket": "films", "access_key": ACCESS_KEY, "secret_key": SECRET_KEY, **PLACES[place]})
    for call, (method, params, query) in CALLS.items():
        sign = Presigner(store.access(), method=method, now=NOW, expires_at=NOW + timedelta(minutes=5))
        for key in KEYS:
            named = {"Bucket": "films", "Key": store.key_prefix + key, **params}
            theirs = store._client.generate_presigned_url(call, Params=named, ExpiresIn=300, HttpMethod=method)
            assert parts_of(sign(key, query)) == parts_of(theirs), (call, key)


def test_the_type_that_an_answer_is_to_have_is_signed_too(monkeypatch):
    monkeypatch.setattr("botocore.auth.get_current_datetime", lambda: NOW.replace(tzinfo=None))
    store = BucketStore(bucket="films", access_key=ACCESS_KEY, secret_key=SECRET_KEY, region="eu-west-1")
    ours = Presigner(store.access(), now=NOW, expires_at=NOW + timedelta(minutes=5))(
        "sprite.vtt", {"response-content-type": "text/vtt"}
    )
    named = {"Bucket": "films", "Key": "sprite.vtt", "ResponseContentType": "text/vtt"}
    assert parts_of(ours) == parts_of(store._client.generate_presigned_url("get_object", Params=named, ExpiresIn=300))


@pytest.mark.parametrize(
    ("left", "valid_s"), [(0.2, 1), (-5, 1), (299.1, 300), (8 * 24 * 3600, 7 * 24 * 3600)], ids=str
)
def test_an_address_is_good_until_its_time_for_a_second_at_least_and_a_week_at_most(left, valid_s):
    store = BucketStore(bucket="films", access_key=ACCESS_KEY, secret_key=SECRET_KEY, region="eu-west-1")
    url = Presigner(store.access(), now=NOW, expires_at=NOW + timedelta(seconds=left))("a")
    query = dict(parse_qsl(urlsplit(url).query))
    assert (query["X-Amz-Expires"], query["X-Amz-Date"]) == (str(valid_s), "20261121T235958Z")


def test_signing_costs_little():
    """15 µs each where nothing else runs; five times that here."""
    store = BucketStore(bucket="films", access_key=ACCESS_KEY, secret_key=SECRET_KEY, region="eu-west-1")
    sign = Presigner(store.access(), now=NOW, expires_at=NOW + timedelta(minutes=5))
    best = min(_seconds(lambda: [sign(f"0f/p/1a/v720/{n:05}.ts") for n in range(200)]) for _ in range(5))
    assert best / 200 < 75e-6


def _seconds(work) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started
