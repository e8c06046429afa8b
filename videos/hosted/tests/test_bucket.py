"""A bucket as a store, over real HTTP."""

import threading

import pytest

from videos.hosted.seams.bucket import BucketLike, MultipartGone
from videos.hosted.seams.store import FileMissing, StoreUnavailable
from videos.hosted.stores.bucket import BucketStore
from videos.hosted.stores.local import LocalStore
from videos.hosted.tests.buckets import SECRET_KEY, bucket_options, make_bucket, s3, s3_url
from videos.hosted.tests.strangers import Answer, stranger

MIB = 1024 * 1024


def put(store, tmp_path, **files):
    for name, content in files.items():
        path = tmp_path / "put"
        path.write_bytes(content)
        store.put_file(name.replace("_", "/"), path, content_type="video/mp4")


def test_a_file_comes_back_as_it_was_put_whole_and_in_ranges(tmp_path):
    store = make_bucket()
    put(store, tmp_path, a_film=bytes(range(256)))
    store.fetch("a/film", tmp_path / "got")
    assert (tmp_path / "got").read_bytes() == bytes(range(256))
    with store.open_range("a/film", 10, 5) as part:
        assert part.read() == bytes(range(10, 15))
    with store.open_range("a/film", 250, 100) as rest:
        assert (rest.read(4), rest.read(100), rest.read()) == (bytes(range(250, 254)), b"\xfe\xff", b"")
    assert store.open_range("a/film", 256, 10).read() == b""
    assert store.size_of("a/film") == 256
    assert store.local_path("a/film") is None
    assert isinstance(store, BucketLike)
    assert not isinstance(LocalStore(root="/"), BucketLike)


def test_all_lies_below_the_prefix_with_the_type_that_was_said(tmp_path):
    store = make_bucket(key_prefix="hosted/v1/")
    put(store, tmp_path, a_film=b"film")
    head = s3().head_object(Bucket=store.bucket, Key="hosted/v1/a/film")
    assert head["ContentType"] == "video/mp4"


def test_a_file_that_is_not_there_is_missing_and_has_no_size(tmp_path):
    store = make_bucket()
    assert store.size_of("none") is None
    with pytest.raises(FileMissing):
        store.fetch("none", tmp_path / "got")
    with pytest.raises(FileMissing):
        store.open_range("none", 0, 1)
    assert not (tmp_path / "got").exists()


def test_a_large_file_goes_in_equal_parts_and_plain_bodies(tmp_path):
    store = make_bucket(part_bytes=5 * MIB)
    sent = []
    events = store._client.meta.events
    events.register("before-send.s3", lambda request, **_: sent.append((request.method, dict(request.headers))))
    put(store, tmp_path, big=bytes(11 * MIB))
    assert store.size_of("big") == 11 * MIB
    lengths = [int(headers["Content-Length"]) for method, headers in sent if method == "PUT"]
    assert sorted(lengths) == [MIB, 5 * MIB, 5 * MIB]
    names = {name.lower() for _, headers in sent for name in headers}
    assert not {name for name in names if "checksum-crc" in name or name in ("x-amz-trailer", "content-encoding")}


def test_everything_below_a_prefix_is_listed_and_deleted_and_nothing_else(monkeypatch):
    monkeypatch.setattr("videos.hosted.stores.bucket._DELETED_AT_ONCE", 4)
    store = make_bucket()
    for number in range(9):
        s3().put_object(Bucket=store.bucket, Key=f"hosted/a/{number}", Body=b"")
    s3().put_object(Bucket=store.bucket, Key="hosted/ab", Body=b"")
    s3().put_object(Bucket=store.bucket, Key="a/outside", Body=b"")
    assert len(set(store.keys("a/"))) == 9
    assert store.delete_all("a/") == 9
    assert list(store.keys("")) == ["ab"]
    assert store.delete_all("a/") == 0
    assert s3().list_objects_v2(Bucket=store.bucket)["KeyCount"] == 2


def test_a_probe_leaves_nothing_and_finds_a_bucket_that_is_not_there():
    store = make_bucket()
    store.probe()
    assert list(store.keys("")) == []
    with pytest.raises(StoreUnavailable, match="NoSuchBucket"):
        make_bucket(bucket="other").probe()


def test_a_bucket_that_cannot_be_reached_is_unavailable_without_saying_secrets(tmp_path):
    store = BucketStore(**bucket_options(endpoint_url="http://127.0.0.1:9", tries=1))
    (tmp_path / "film").write_bytes(b"film")
    calls = [
        lambda: store.put_file("a", tmp_path / "film"),
        lambda: store.fetch("a", tmp_path / "got"),
        lambda: store.open_range("a", 0, 1),
        lambda: store.size_of("a"),
        lambda: list(store.keys("a")),
        lambda: store.delete_all("a"),
        lambda: store.begin_multipart("a", content_type="video/mp4"),
        store.probe,
    ]
    for call in calls:
        with pytest.raises(StoreUnavailable) as caught:
            call()
        assert SECRET_KEY not in repr(caught.value) + repr(caught.value.__cause__)
    assert SECRET_KEY not in repr(store)


def test_a_body_that_breaks_off_is_no_shorter_file():
    head = "HTTP/1.1 206 Partial Content\r\nContent-Length: 100\r\nContent-Range: bytes 0-99/100\r\n\r\n"
    with stranger(lambda method, path: Answer(raw=head.encode() + b"x" * 40)) as url:
        store = BucketStore(**bucket_options(endpoint_url=url, tries=1))
        with store.open_range("a", 0, 100) as part, pytest.raises(StoreUnavailable):
            part.read()


def test_a_bucket_that_knows_no_deletion_of_many_has_them_deleted_one_by_one():
    listed = b"".join(b"<Contents><Key>hosted/%s</Key></Contents>" % name for name in (b"a", b"b"))
    listing = b"<ListBucketResult>%s</ListBucketResult>" % listed
    seen = []

    def answer(method, path):
        seen.append((method, path.partition("?")[0]))
        if method == "GET":
            return Answer(body=listing)
        return Answer(status=204) if method == "DELETE" else Answer(status=501, body=error("NotImplemented"))

    with stranger(answer) as url:
        store = BucketStore(**bucket_options(endpoint_url=url, tries=1, bucket="b"))
        assert store.delete_all("") == 2
    assert [path for method, path in seen if method == "DELETE"] == ["/b/hosted/a", "/b/hosted/b"]


def error(code):
    return f"<?xml version='1.0'?><Error><Code>{code}</Code><Message>no</Message></Error>".encode()


def test_files_that_could_not_be_deleted_are_told():
    listing = b"<ListBucketResult><Contents><Key>hosted/a</Key></Contents></ListBucketResult>"
    left = b"<DeleteResult><Error><Key>hosted/a</Key><Code>AccessDenied</Code></Error></DeleteResult>"
    with stranger(lambda method, path: Answer(body=listing if method == "GET" else left)) as url:
        store = BucketStore(**bucket_options(endpoint_url=url, tries=1))
        with pytest.raises(StoreUnavailable, match="AccessDenied"):
            store.delete_all("")


def test_an_upload_in_parts_can_be_listed_completed_and_aborted():
    store = make_bucket()
    begun = store.begin_multipart("film", content_type="video/mp4")
    named = {"Bucket": store.bucket, "Key": "hosted/film", "UploadId": begun}
    s3().upload_part(**named, PartNumber=2, Body=b"end")
    s3().upload_part(**named, PartNumber=1, Body=bytes(5 * MIB))
    parts = store.multipart_parts("film", begun)
    assert [(part.number, part.size_bytes) for part in parts] == [(1, 5 * MIB), (2, 3)]
    assert list(store.open_multiparts("fi")) == [("film", begun)]
    store.complete_multipart("film", begun, parts)
    assert store.size_of("film") == 5 * MIB + 3
    assert list(store.open_multiparts("")) == []
    with pytest.raises(MultipartGone):
        store.multipart_parts("film", begun)
    other = store.begin_multipart("other", content_type="video/mp4")
    store.abort_multipart("other", other)
    store.abort_multipart("other", other)
    assert list(store.open_multiparts("")) == []


def test_a_completion_answered_with_an_error_of_status_200_has_failed():
    with stranger(lambda method, path: Answer(body=error("InternalError"))) as url:
        store = BucketStore(**bucket_options(endpoint_url=url, tries=1))
        with pytest.raises(StoreUnavailable, match="InternalError"):
            store.complete_multipart("film", "1", [])


def test_all_threads_share_one_client():
    options = bucket_options()
    barrier, clients = threading.Barrier(6), []

    def ask():
        barrier.wait()
        clients.append(BucketStore(**options)._client)

    threads = [threading.Thread(target=ask) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({id(client) for client in clients}) == 1


def test_addresses_are_of_the_region_or_of_the_endpoint():
    aws = BucketStore(bucket="films", region="eu-west-1", access_key="AKIA", secret_key="s", key_prefix="p/")
    assert (aws.access().origin, aws.access().path) == ("https://films.s3.eu-west-1.amazonaws.com", "/p/")
    r2 = BucketStore(**bucket_options(endpoint_url="https://acc.r2.cloudflarestorage.com", bucket="films"))
    assert (r2.access().origin, r2.access().path) == ("https://acc.r2.cloudflarestorage.com", "/films/hosted/")
    assert s3_url() not in r2.access().origin


def test_without_credentials_nothing_is_signed(monkeypatch, tmp_path):
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    with pytest.raises(StoreUnavailable, match="NoCredentialsError"):
        BucketStore(bucket="films", region="eu-west-3").access()
