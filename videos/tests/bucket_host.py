from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, ClassVar
from uuid import uuid4

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError
from django.utils import timezone

from videos.providers.base import VideoProvider
from videos.providers.exceptions import AssetNotFound
from videos.providers.types import AssetInfo, FilePlayback, PlaybackRequest, PutTicket, Status, UploadRequest

BACKEND = "videos.tests.bucket_host.BucketHost"
LIFETIME = timedelta(hours=1)


@dataclass(frozen=True, kw_only=True)
class BucketHost(VideoProvider):
    """A bucket as a host: a file is put there by one signed address and played by another."""

    endpoint_url: str
    bucket: str = "films"
    secret_key: str = field(default="secret", repr=False)

    grants_locally: ClassVar[bool] = True
    supports_upload: ClassVar[bool] = True
    supports_delete: ClassVar[bool] = True

    def get_asset(self, host_id: str) -> AssetInfo:
        try:
            head = self._client.head_object(Bucket=self.bucket, Key=host_id)
        except ClientError as error:
            raise AssetNotFound("No such file.") from error
        status = Status.READY if head["ContentLength"] else Status.WAITING
        return AssetInfo(host_id=host_id, status=status, size_bytes=head["ContentLength"], raw={"etag": head["ETag"]})

    def get_playback(self, request: PlaybackRequest) -> FilePlayback:
        url = self._signed("get_object", request.host_id, request.ttl_s)
        return FilePlayback(url=url, expires_at=timezone.now() + timedelta(seconds=request.ttl_s))

    def create_upload(self, request: UploadRequest) -> PutTicket:
        key = uuid4().hex
        self._client.put_object(Bucket=self.bucket, Key=key, Body=b"")
        url = self._signed("put_object", key, LIFETIME.total_seconds(), ContentType="video/mp4")
        return PutTicket(
            host_id=key, url=url, headers={"Content-Type": "video/mp4"}, expires_at=timezone.now() + LIFETIME
        )

    def delete(self, host_id: str) -> None:
        self._client.delete_object(Bucket=self.bucket, Key=host_id)

    @property
    def _client(self) -> Any:
        return boto3.client(
            "s3",
            endpoint_url=self.endpoint_url,
            region_name="us-east-1",
            aws_access_key_id="AKIAEXAMPLE",
            aws_secret_access_key=self.secret_key,
            config=Config(signature_version="s3v4", s3={"addressing_style": "path"}),
        )

    def _signed(self, method: str, key: str, seconds: float, **params: str) -> str:
        wanted = {"Bucket": self.bucket, "Key": key, **params}
        url: str = self._client.generate_presigned_url(method, Params=wanted, ExpiresIn=int(seconds))
        return url
