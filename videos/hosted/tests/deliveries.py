"""Our host with each store and delivery that go together, and a player's way to the bytes of each."""

from functools import cache
from pathlib import Path
from urllib.parse import unquote, urljoin

import requests

from videos.hosted.hosts import host
from videos.hosted.tests.buckets import bucket_options
from videos.hosted.tests.conftest import hosted_entry

COMBINATIONS = ("local-django", "local-x_accel", "bucket-django", "bucket-presigned")
_BACKENDS = {
    "django": "videos.hosted.deliveries.django.DjangoDelivery",
    "x_accel": "videos.hosted.deliveries.x_accel.XAccelDelivery",
    "presigned": "videos.hosted.deliveries.presigned.PresignedDelivery",
}


@cache
def shared_bucket():
    """One bucket for all who bring keys of their own."""
    return bucket_options()


def configure(settings, root, combination):
    """The alias `hosted` with this store and delivery; gives its parts."""
    store, _, delivery = combination.partition("-")
    options = {"delivery": {"BACKEND": _BACKENDS[delivery]}}
    if store == "bucket":
        options["store"] = {"BACKEND": "videos.hosted.stores.bucket.BucketStore", "OPTIONS": dict(shared_bucket())}
    settings.VIDEO_PROVIDERS = {"hosted": hosted_entry(root, **options)}
    settings.VIDEO_ROUTES = [{"use": ["hosted"]}]
    return host("hosted")


def fetch(url, wanted="", *, site, root):
    """The bytes at this address, as a player gets them; where we name a file, what nginx would send of it."""
    answer = requests.get(urljoin(site, url), headers={"Range": wanted} if wanted else {}, timeout=10)
    assert answer.status_code in (200, 206), answer.text
    redirected = answer.headers.get("X-Accel-Redirect")
    if redirected is None:
        return answer.content
    assert answer.content == b""
    content = Path(root, "store", unquote(redirected).removeprefix("/protected-videos/")).read_bytes()
    first, _, last = wanted.removeprefix("bytes=").partition("-")
    return content[int(first or 0) : int(last) + 1 if last else None]
