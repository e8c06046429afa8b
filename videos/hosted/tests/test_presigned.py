"""Media straight from the bucket, by addresses for one viewing."""

import shutil
from datetime import timedelta
from urllib.parse import parse_qsl, urlsplit
from uuid import uuid4

import pytest
import requests
from django.utils import timezone

from videos.hosted.deliveries.presigned import PresignedDelivery
from videos.hosted.seams.delivery import MediaTicket
from videos.hosted.stores.bucket import BucketStore
from videos.hosted.stores.local import LocalStore
from videos.hosted.tests.buckets import make_bucket
from videos.hosted.tests.clips import clip


def ticket(**overrides):
    values = {
        "package_id": uuid4(),
        "prefix": "0f/p/1a/",
        "session_id": uuid4(),
        "token": "token",
        "expires_at": timezone.now() + timedelta(minutes=5),
    }
    return MediaTicket(**values | overrides)


def test_a_player_reads_ranges_of_a_rendition_by_its_address_and_nothing_else(tmp_path):
    store = make_bucket()
    film = clip().read_bytes()
    store.put_file("0f/p/1a/v180.mp4", shutil.copy(clip(), tmp_path / "film"), content_type="video/mp4")
    url = PresignedDelivery().signer(store, ticket())("v180.mp4")
    part = requests.get(url, headers={"Range": "bytes=100-199"}, timeout=10)
    assert (part.status_code, part.content) == (206, film[100:200])
    assert part.headers["Content-Type"] == "video/mp4"
    assert requests.get(url.partition("?")[0], timeout=10).status_code == 403
    assert url.startswith(PresignedDelivery().origins(store)[0] + "/")


def test_addresses_end_with_the_ticket_and_name_no_viewing():
    now, wanted = timezone.now(), ticket()
    url = PresignedDelivery().signer(make_bucket(), wanted)("v180.mp4")
    query = dict(parse_qsl(urlsplit(url).query))
    assert 295 < int(query["X-Amz-Expires"]) <= 301
    assert query["X-Amz-Date"] >= now.strftime("%Y%m%dT%H%M%SZ")
    assert not any(word in url for word in ("token=", str(wanted.session_id)))


def test_an_answer_can_be_given_its_type(tmp_path):
    store = make_bucket()
    (tmp_path / "vtt").write_bytes(b"WEBVTT\n")
    store.put_file("0f/p/1a/sprite.vtt", tmp_path / "vtt")
    sign = PresignedDelivery(says_types=True).signer(store, ticket())
    assert requests.get(sign("sprite.vtt"), timeout=10).headers["Content-Type"] == "text/vtt"
    assert "response-content-type" not in sign("v180/noname")


def test_it_needs_a_bucket():
    delivery = PresignedDelivery()
    aws = BucketStore(bucket="films", region="eu-west-1", access_key="AKIA", secret_key="s")
    assert delivery.problems(aws) == ()
    assert delivery.origins(aws) == ("https://films.s3.eu-west-1.amazonaws.com",)
    assert "needs a bucket" in delivery.problems(LocalStore(root="/"))[0]
    assert delivery.origins(LocalStore(root="/")) == ()


@pytest.mark.parametrize("name", ["through_us", "sends_bytes"])
def test_nothing_of_it_goes_through_us(name):
    assert getattr(PresignedDelivery(), name) is False
