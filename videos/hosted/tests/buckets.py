"""Buckets as tests need them: on a real HTTP server that speaks S3."""

from functools import cache
from itertools import count

import boto3
from botocore.config import Config
from moto.server import ThreadedMotoServer

from videos.hosted.stores.bucket import BucketStore

ACCESS_KEY = "AKIAIOSFODNN7EXAMPLE"
SECRET_KEY = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
_numbers = count(1)


@cache
def s3_url() -> str:
    """Its threads end with the process."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    return f"http://{host}:{port}"


@cache
def s3():
    """The vendor's own client, to look into buckets with."""
    return boto3.client(
        "s3",
        endpoint_url=s3_url(),
        region_name="us-east-1",
        aws_access_key_id=ACCESS_KEY,
        aws_secret_access_key=SECRET_KEY,
        config=Config(signature_version="s3v4", s3={"addressing_style": "path"}),
    )


def bucket_options(**overrides):
    """The OPTIONS of a `BucketStore` with a new, empty bucket."""
    name = f"films-{next(_numbers)}"
    s3().create_bucket(Bucket=name)
    return {
        "bucket": name,
        "region": "auto",
        "endpoint_url": s3_url(),
        "access_key": ACCESS_KEY,
        "secret_key": SECRET_KEY,
        "addressing_style": "path",
        "key_prefix": "hosted/",
    } | overrides


def make_bucket(**overrides) -> BucketStore:
    return BucketStore(**bucket_options(**overrides))
