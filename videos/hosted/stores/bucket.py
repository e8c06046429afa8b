"""A bucket of Amazon S3, Cloudflare R2 or what speaks like them. Needs the extra `s3` (boto3)."""

import io
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import islice
from pathlib import Path
from threading import Lock
from typing import IO, Any, NamedTuple, cast
from urllib.parse import urlsplit
from uuid import uuid4

import boto3
from boto3.exceptions import Boto3Error
from boto3.s3.transfer import TransferConfig
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError

from videos.hosted.seams.bucket import BucketAccess, MultipartGone, StoredPart
from videos.hosted.seams.store import FileMissing, StoreUnavailable

_MISSING = {"NoSuchKey", "404", "NotFound"}
_DELETED_AT_ONCE = 1000
_MAKING = Lock()


@dataclass(frozen=True, kw_only=True)
class BucketStore:
    """Files in one bucket, below `key_prefix` where one is given (it ends with a slash).

    Without keys those of the machine's role are used. `addressing_style` is `virtual` for S3 and `path` for R2, whose
    `region` is `auto`. Files larger than `part_bytes` are put in parts of that size. Times in seconds.
    """

    bucket: str
    region: str
    endpoint_url: str = ""
    access_key: str = ""
    secret_key: str = field(default="", repr=False)
    session_token: str = field(default="", repr=False)
    addressing_style: str = "virtual"
    key_prefix: str = ""
    part_bytes: int = 64 * 1024**2
    connect_timeout_s: float = 5
    read_timeout_s: float = 60
    tries: int = 3

    def put_file(self, key: str, path: Path, *, content_type: str = "application/octet-stream") -> None:
        with _translated(key):
            self._client.upload_file(
                str(path), self.bucket, self._full(key), {"ContentType": content_type}, Config=self._transfer()
            )

    def fetch(self, key: str, path: Path) -> None:
        with _translated(key):
            self._client.download_file(self.bucket, self._full(key), str(path), Config=self._transfer())

    def local_path(self, key: str) -> Path | None:
        return None

    def open_range(self, key: str, first: int, length: int) -> IO[bytes]:
        if length <= 0:
            return io.BytesIO()
        with _translated(key):
            try:
                found = self._client.get_object(**self._named(key), Range=f"bytes={first}-{first + length - 1}")
            except ClientError as error:
                if _code(error) == "InvalidRange":  # nothing lies behind the end of a file
                    return io.BytesIO()
                raise
        return cast(IO[bytes], _Body(key, found["Body"]))

    def size_of(self, key: str) -> int | None:
        try:
            with _translated(key):
                return int(self._client.head_object(**self._named(key))["ContentLength"])
        except FileMissing:
            return None

    def keys(self, prefix: str) -> Iterator[str]:
        pages = self._client.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix=self._full(prefix))
        for page in _pages(prefix, pages):
            for found in page.get("Contents", ()):
                yield found["Key"].removeprefix(self.key_prefix)

    def delete_all(self, prefix: str) -> int:
        deleted = 0
        keys = self.keys(prefix)
        while batch := list(islice(keys, _DELETED_AT_ONCE)):
            self._delete(batch)
            deleted += len(batch)
        return deleted

    def probe(self) -> None:
        key = f".probe-{uuid4().hex}"
        with _translated(key):
            self._client.put_object(**self._named(key), Body=b"probe")
            self._client.head_object(**self._named(key))
            self._client.delete_object(**self._named(key))

    def access(self) -> BucketAccess:
        """What addresses are signed with; raises StoreUnavailable where there are no credentials."""
        origin, path = _address(self)
        with _translated("credentials"):
            credentials = _parts(self).session.get_credentials()
            if credentials is None:
                raise NoCredentialsError
            found = credentials.get_frozen_credentials()
        return BucketAccess(
            origin=origin,
            path=path,
            region=self.region,
            access_key=found.access_key,
            secret_key=found.secret_key,
            session_token=found.token or "",
        )

    def begin_multipart(self, key: str, *, content_type: str) -> str:
        with _translated(key):
            begun = self._client.create_multipart_upload(**self._named(key), ContentType=content_type)
        return str(begun["UploadId"])

    def multipart_parts(self, key: str, multipart_id: str) -> list[StoredPart]:
        pages = self._client.get_paginator("list_parts").paginate(**self._named(key), UploadId=multipart_id)
        return [
            StoredPart(number=part["PartNumber"], etag=part["ETag"], size_bytes=part["Size"])
            for page in _pages(key, pages)
            for part in page.get("Parts", ())
        ]

    def complete_multipart(self, key: str, multipart_id: str, parts: Sequence[StoredPart]) -> None:
        # An error in an answer of status 200 is raised by botocore as one of status 500.
        named = [{"PartNumber": part.number, "ETag": part.etag} for part in parts]
        with _translated(key):
            self._client.complete_multipart_upload(
                **self._named(key), UploadId=multipart_id, MultipartUpload={"Parts": named}
            )

    def abort_multipart(self, key: str, multipart_id: str) -> None:
        try:
            with _translated(key):
                self._client.abort_multipart_upload(**self._named(key), UploadId=multipart_id)
        except MultipartGone:
            return

    def open_multiparts(self, prefix: str) -> Iterator[tuple[str, str]]:
        pages = self._client.get_paginator("list_multipart_uploads")
        for page in _pages(prefix, pages.paginate(Bucket=self.bucket, Prefix=self._full(prefix))):
            for found in page.get("Uploads", ()):
                yield found["Key"].removeprefix(self.key_prefix), found["UploadId"]

    @property
    def _client(self) -> Any:
        return _parts(self).client

    def _full(self, key: str) -> str:
        return self.key_prefix + key

    def _named(self, key: str) -> dict[str, str]:
        return {"Bucket": self.bucket, "Key": self._full(key)}

    def _transfer(self) -> TransferConfig:
        # R2 wants all parts but the last of one size, which these are.
        return TransferConfig(multipart_threshold=self.part_bytes, multipart_chunksize=self.part_bytes)

    def _delete(self, keys: Sequence[str]) -> None:
        named = [{"Key": self._full(key)} for key in keys]
        with _translated(keys[0]):
            try:
                answer = self._client.delete_objects(Bucket=self.bucket, Delete={"Objects": named, "Quiet": True})
            except ClientError as error:
                if not _is_not_understood(error):
                    raise
                answer = {}
                for key in keys:
                    self._client.delete_object(**self._named(key))
        if left := answer.get("Errors"):
            raise StoreUnavailable(f"{len(left)} files could not be deleted: {left[0].get('Code')}")


class _Body(io.RawIOBase):
    """What an answer still sends, with its failures in our words."""

    def __init__(self, key: str, body: Any) -> None:
        self._key, self._body = key, body

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1, /) -> bytes:
        with _translated(self._key):
            return bytes(self._body.read(None if size < 0 else size))

    def close(self) -> None:
        self._body.close()
        super().close()


class _Parts(NamedTuple):
    session: Any
    client: Any


def _parts(store: BucketStore) -> _Parts:
    """The client of a store: clients serve all threads and cost much to make; making one is not safe for threads."""
    with _MAKING:
        return _made(store)


@lru_cache(maxsize=16)
def _made(store: BucketStore) -> _Parts:
    session = boto3.Session(
        aws_access_key_id=store.access_key or None,
        aws_secret_access_key=store.secret_key or None,
        aws_session_token=store.session_token or None,
        region_name=store.region,
    )
    # R2 refuses the default checksums, and both S3's regional hosts and R2 refuse the default signatures:
    # https://developers.cloudflare.com/r2/examples/aws/boto3/
    config = Config(
        signature_version="s3v4",
        s3={"addressing_style": store.addressing_style},
        request_checksum_calculation="when_required",
        response_checksum_validation="when_required",
        connect_timeout=store.connect_timeout_s,
        read_timeout=store.read_timeout_s,
        retries={"mode": "standard", "total_max_attempts": store.tries},
        max_pool_connections=20,
    )
    return _Parts(session, session.client("s3", endpoint_url=store.endpoint_url or None, config=config))


@lru_cache(maxsize=16)
def _address(store: BucketStore) -> tuple[str, str]:
    """Origin and path of the bucket, as the vendor's own client makes them of region and style."""
    with _translated("address"):
        wanted = {"Bucket": store.bucket, "Key": f"{store.key_prefix}x"}
        url = urlsplit(store._client.generate_presigned_url("get_object", Params=wanted))
    return f"{url.scheme}://{url.netloc}", url.path.removesuffix("x")


@contextmanager
def _translated(key: str) -> Iterator[None]:
    """Failures of the bucket as FileMissing, MultipartGone or StoreUnavailable, without what the vendor's say."""
    try:
        yield
    except ClientError as error:
        if _code(error) in _MISSING:
            raise FileMissing(key) from None
        if _code(error) == "NoSuchUpload":
            raise MultipartGone(key) from None
        raise StoreUnavailable(f"{key}: the bucket refused {error.operation_name} ({_code(error)}).") from None
    except (BotoCoreError, Boto3Error) as error:
        # The error of an upload hides what caused it.
        cause = error.__context__ if isinstance(error.__context__, ClientError) else None
        said = _code(cause) if cause else type(error).__name__
        raise StoreUnavailable(f"{key}: the bucket did not do it ({said}).") from None
    except OSError as error:
        raise StoreUnavailable(f"{key}: {error.strerror}") from error


def _pages(key: str, pages: Any) -> Iterator[Any]:
    rest = iter(pages)
    while True:
        with _translated(key):
            page = next(rest, None)
        if page is None:
            return
        yield page


def _code(error: ClientError) -> str:
    return str(error.response.get("Error", {}).get("Code", ""))


def _is_not_understood(error: ClientError) -> bool:
    """Some that speak like S3 know no deletion of many at once, or none with the checksum that boto3 sends."""
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    return status in (400, 411, 501)
