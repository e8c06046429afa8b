"""Where our own video host keeps its files, and who sends them, by the environment."""

import os
import runpy

import pytest
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.utils.module_loading import import_string

SECRET = "wJalrXUtnFEMI"
AWS = {"AWS_S3_BUCKET": "films", "AWS_REGION": "eu-west-1"}
KEYS = {"AWS_ACCESS_KEY_ID": "AKIA", "AWS_SECRET_ACCESS_KEY": SECRET}
R2 = {
    "VIDEO_STORE": "r2",
    "R2_BUCKET_NAME": "media",
    "R2_ENDPOINT_URL": "https://acc.r2.cloudflarestorage.com",
    "R2_ACCESS_KEY_ID": "id",
    "R2_SECRET_ACCESS_KEY": SECRET,
}


@pytest.fixture
def parts(monkeypatch, tmp_path):
    """`parts(NAME="value")`: store and delivery of our host in such an environment, built."""

    def read(**environment: str):
        kept = {"PATH": os.environ["PATH"], "READ_DOTENV": "0", "DEBUG": "1", "VAR_DIR": str(tmp_path)}
        monkeypatch.setattr(os, "environ", kept | environment)
        found = runpy.run_path(str(settings.BASE_DIR / "eleven_tutors" / "settings.py"))
        options = found["VIDEO_PROVIDERS"]["hosted"]["OPTIONS"]
        return [
            import_string(options[part]["BACKEND"])(**options[part].get("OPTIONS", {}))
            for part in ("store", "delivery")
        ]

    return read


def test_nothing_set_is_a_folder_served_by_this_server(parts, tmp_path):
    store, delivery = parts()
    assert (store.root, type(delivery).__name__) == (str(tmp_path / "videos"), "DjangoDelivery")


@pytest.mark.parametrize(
    "environment",
    [AWS | KEYS, {"S3_BUCKET_NAME": "films", "S3_REGION": "eu-west-1"} | KEYS],
    ids=["names", "older names"],
)
def test_a_bucket_of_s3_is_used_once_it_is_named(parts, environment):
    store, delivery = parts(**environment)
    assert (store.access().origin, store.access().path) == ("https://films.s3.eu-west-1.amazonaws.com", "/videos/")
    assert (store.secret_key, type(delivery).__name__) == (SECRET, "PresignedDelivery")
    assert delivery.problems(store) == ()


def test_a_bucket_without_keys_takes_those_of_the_machines_role(parts):
    store, _ = parts(**AWS)
    assert (store.access_key, store.secret_key) == ("", "")


def test_a_bucket_of_r2_and_another_delivery_can_be_chosen(parts):
    store, delivery = parts(**R2, VIDEO_DELIVERY="django", VIDEO_BUCKET_PREFIX="")
    assert (store.access().origin, store.access().path) == ("https://acc.r2.cloudflarestorage.com", "/media/")
    assert (store.region, type(delivery).__name__) == ("auto", "DjangoDelivery")


def test_local_is_chosen_beside_a_bucket_that_is_there_for_something_else(parts):
    assert type(parts(**AWS, VIDEO_STORE="local")[0]).__name__ == "LocalStore"
    assert type(parts(**R2 | {"VIDEO_STORE": "local"})[0]).__name__ == "LocalStore"


@pytest.mark.parametrize(
    ("environment", "named"),
    [
        ({"AWS_S3_BUCKET": "films"}, ["AWS_REGION"]),
        ({"VIDEO_STORE": "s3"}, ["AWS_S3_BUCKET", "AWS_REGION"]),
        (AWS | {"AWS_ACCESS_KEY_ID": "AKIA"}, ["AWS_SECRET_ACCESS_KEY"]),
        (AWS | {"AWS_SECRET_ACCESS_KEY": SECRET}, ["AWS_ACCESS_KEY_ID"]),
        (R2 | {"R2_SECRET_ACCESS_KEY": "", "R2_BUCKET_NAME": ""}, ["R2_BUCKET_NAME", "R2_SECRET_ACCESS_KEY"]),
        ({"VIDEO_STORE": "ftp"}, ["VIDEO_STORE", "ftp", "s3"]),
        ({"VIDEO_DELIVERY": "pigeon"}, ["VIDEO_DELIVERY", "pigeon", "x-accel"]),
    ],
)
def test_half_a_bucket_is_refused_and_the_missing_half_named(parts, environment, named):
    with pytest.raises(ImproperlyConfigured) as caught:
        parts(**environment)
    assert [word for word in named if word not in str(caught.value)] == []
    assert SECRET not in str(caught.value)
