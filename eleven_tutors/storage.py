"""Media on a bucket of Cloudflare R2 or Amazon S3, private and signed."""

from datetime import UTC, datetime
from mimetypes import guess_type
from typing import Any

from botocore.auth import S3SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import Credentials
from django.utils import timezone
from storages.backends.s3 import S3Storage

_SIGNED_PER_S = 1800


def bucket_options(
    *,
    bucket_name: str,
    access_key: str,
    secret_key: str,
    endpoint_url: str | None,
    region_name: str,
    addressing_style: str,
    location: str,
    **options: Any,
) -> dict[str, Any]:
    """The OPTIONS of a storage on R2 or S3 that works with boto3 of 1.36 and later.

    R2 refuses boto3's default checksums and signature version 2, and django-storages ignores its own options for both
    next to `client_config`: https://developers.cloudflare.com/r2/examples/aws/boto3/
    """
    return {
        "bucket_name": bucket_name,
        "access_key": access_key,
        "secret_key": secret_key,
        "endpoint_url": endpoint_url,
        "region_name": region_name,
        "location": location,
        "default_acl": None,
        "client_config": Config(
            signature_version="s3v4",
            s3={"addressing_style": addressing_style},
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
        ),
    } | options


class MediaBucket(S3Storage):
    """A private bucket whose presigned addresses stay the same for half an hour, so that caches can keep them.

    An address is signed as of the last full half hour: with `querystring_expire` of an hour it works for at least half
    an hour after it was given out.
    """

    def get_object_parameters(self, name: str) -> dict[str, str]:
        """Store a type that follows from the name, which is ours; the one that a browser sent is not believed."""
        return {"ContentType": guess_type(name)[0] or "application/octet-stream", **super().get_object_parameters(name)}

    def url(
        self,
        name: str,
        parameters: dict[str, str] | None = None,
        expire: int | None = None,
        http_method: str | None = None,
    ) -> str:
        signed_now: str = super().url(name, parameters, expire, http_method)
        if parameters or http_method or not self.querystring_auth or self.custom_domain:
            return signed_now
        signer = _SignerOfHalfHour(
            Credentials(self.access_key, self.secret_key, self.security_token),
            "s3",
            self.region_name,
            expires=expire or self.querystring_expire,
        )
        request = AWSRequest(method="GET", url=signed_now.partition("?")[0])
        signer.add_auth(request)
        return str(request.url)


class _SignerOfHalfHour(S3SigV4QueryAuth):
    def add_auth(self, request: AWSRequest) -> None:
        """Sign as botocore does, but as of the last full half hour."""
        seconds = int(timezone.now().timestamp())
        signed_at = datetime.fromtimestamp(seconds - seconds % _SIGNED_PER_S, UTC)
        request.context["timestamp"] = signed_at.strftime("%Y%m%dT%H%M%SZ")
        self._modify_request_before_signing(request)
        text = self.string_to_sign(request, self.canonical_request(request))
        self._inject_signature_to_request(request, self.signature(text, request))
