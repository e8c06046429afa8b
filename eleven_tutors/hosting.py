"""What the settings of our own video host are made of."""

import base64
import hashlib
from collections.abc import Mapping
from typing import Any

from django.core.exceptions import ImproperlyConfigured

BUCKETS = {
    "s3": {"bucket": "AWS_S3_BUCKET", "region": "AWS_REGION"},
    "r2": {
        "bucket": "R2_BUCKET_NAME",
        "endpoint_url": "R2_ENDPOINT_URL",
        "access_key": "R2_ACCESS_KEY_ID",
        "secret_key": "R2_SECRET_ACCESS_KEY",
    },
}
"""The variables that each kind of bucket cannot do without, by the option they fill."""

KMS = {"key_id": "AWS_KMS_KEY_ID", "region": "AWS_REGION"}
"""The same for AWS KMS."""

DELIVERIES = {
    "django": "videos.hosted.deliveries.django.DjangoDelivery",
    "x-accel": "videos.hosted.deliveries.x_accel.XAccelDelivery",
    "presigned": "videos.hosted.deliveries.presigned.PresignedDelivery",
}


def development_keys(secret_key: str) -> dict[str, str]:
    """A key-encryption key that follows from SECRET_KEY: for development alone, a check says so."""
    return {"development": base64.b64encode(hashlib.sha256(f"videos/{secret_key}".encode()).digest()).decode()}


def video_store(kind: str, *, folder: str, buckets: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """The `store` of our host: `local`, or the `s3` or `r2` of `buckets`; raises ImproperlyConfigured."""
    if kind == "local":
        return {"BACKEND": "videos.hosted.stores.local.LocalStore", "OPTIONS": {"root": folder}}
    if kind not in BUCKETS:
        raise ImproperlyConfigured(f"VIDEO_STORE is {kind!r}; it can be local, s3 or r2.")
    options = dict(buckets[kind])
    missing = [variable for option, variable in BUCKETS[kind].items() if not options.get(option)]
    if bool(options.get("access_key")) != bool(options.get("secret_key")) and kind == "s3":
        missing.append("AWS_SECRET_ACCESS_KEY" if options.get("access_key") else "AWS_ACCESS_KEY_ID")
    if missing:
        raise ImproperlyConfigured(f"VIDEO_STORE is {kind}: {', '.join(missing)} must be set too.")
    return {"BACKEND": "videos.hosted.stores.bucket.BucketStore", "OPTIONS": options}


def video_delivery(name: str, *, store: str) -> dict[str, Any]:
    """The `delivery` of our host; unnamed it is the one that fits the store. Raises ImproperlyConfigured."""
    name = name or ("django" if store == "local" else "presigned")
    if name not in DELIVERIES:
        raise ImproperlyConfigured(f"VIDEO_DELIVERY is {name!r}; it can be {', '.join(DELIVERIES)}.")
    return {"BACKEND": DELIVERIES[name]}


def video_key_stores(name: str, *, keys: Mapping[str, str], kms: Mapping[str, Any]) -> dict[str, Any]:
    """`key_store` and `former_key_stores` of our host: `local` by `keys`, or `kms`; unnamed it is KMS where it is set.

    The other one, where it is set too, still opens what it wrapped. Raises ImproperlyConfigured.
    """
    parts = {
        "local": {"BACKEND": "videos.hosted.key_stores.local.LocalKeyStore", "OPTIONS": {"keys": keys}},
        "kms": {"BACKEND": "videos.hosted.key_stores.kms.KmsKeyStore", "OPTIONS": dict(kms)},
    }
    name = name or ("kms" if kms["key_id"] else "local")
    if name not in parts:
        raise ImproperlyConfigured(f"VIDEO_KEY_STORE is {name!r}; it can be local or kms.")
    missing = [variable for option, variable in KMS.items() if not kms[option]]
    if name == "kms" and missing:
        raise ImproperlyConfigured(f"The key store is kms: {', '.join(missing)} must be set too.")
    is_there = {"local": bool(keys), "kms": bool(kms["key_id"])}
    former = [part for kind, part in parts.items() if kind != name and is_there[kind]]
    return {"key_store": parts[name], "former_key_stores": former}
