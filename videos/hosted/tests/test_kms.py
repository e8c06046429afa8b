"""AWS KMS over real HTTP, as moto speaks it."""

import base64
import logging
import socket
import threading
from dataclasses import replace
from functools import cache
from uuid import UUID

import boto3
import pytest

from videos.hosted.key_stores.kms import KmsKeyStore
from videos.hosted.models import ContentKey
from videos.hosted.seams.keys import KeyStoreUnavailable, KeyUnreadable
from videos.hosted.services.content_keys import keys
from videos.hosted.services.content_keys.plain_keys import plain_keys
from videos.hosted.tests.buckets import s3_url
from videos.hosted.tests.making import KEY, KID, make_hosted_video
from videos.hosted.tests.strangers import Answer, stranger

SECRET = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
REGION = "eu-central-1"
CONTEXT = {"app": "videos", "asset": UUID(int=1).hex, "kid": KID.hex, "v": "1"}
BACKEND = "videos.hosted.key_stores.kms.KmsKeyStore"


@cache
def aws():
    """The vendor's own client, to look with."""
    return boto3.client(
        "kms", region_name=REGION, endpoint_url=s3_url(), aws_access_key_id="AKIAEXAMPLE", aws_secret_access_key=SECRET
    )


@cache
def kms_key(name="first") -> str:
    """The ARN of a key that exists."""
    return aws().create_key(Description=name)["KeyMetadata"]["Arn"]


def make_options(**overrides):
    """The OPTIONS of a KMS key store."""
    given = {"key_id": kms_key(), "region": REGION, "endpoint_url": s3_url(), "access_key_id": "AKIAEXAMPLE"}
    return given | {"secret_access_key": SECRET} | overrides


def make_store(**overrides):
    return KmsKeyStore(**make_options(**overrides))


def test_a_key_is_made_by_kms_and_opens_in_its_own_row_alone():
    store = make_store()
    made = store.generate(CONTEXT)
    assert len(made.plain) == 16
    assert made.wrapped.wrapped_by == store.primary == store.key_id
    assert store.holds(made.wrapped.wrapped_by)
    assert store.unwrap(made.wrapped.blob, CONTEXT) == made.plain
    sealed = base64.b64decode(made.wrapped.blob.removeprefix("kms1."))
    assert aws().decrypt(CiphertextBlob=sealed, EncryptionContext=CONTEXT)["Plaintext"] == made.plain
    with pytest.raises(KeyUnreadable, match="InvalidCiphertextException"):
        store.unwrap(made.wrapped.blob, CONTEXT | {"v": "2"})
    store.probe()


@pytest.mark.parametrize("blob", ["", "kms1.", "kms1.€", "kms1.QUJD", "v1.kek-1.AAAA"])
def test_what_is_no_wrapped_key_does_not_open(blob):
    with pytest.raises(KeyUnreadable):
        make_store().unwrap(blob, CONTEXT)


def test_a_key_moves_to_another_kms_key_without_leaving_kms():
    former = make_store()
    store = replace(former, key_id=kms_key("second"))
    made = former.generate(CONTEXT)
    moved = store.rewrap(made.wrapped.blob, CONTEXT)
    assert moved.wrapped_by == store.primary != former.primary
    assert store.unwrap(moved.blob, CONTEXT) == made.plain
    assert store.unwrap(store.wrap(KEY, CONTEXT).blob, CONTEXT) == KEY


def test_an_alias_is_told_by_the_key_behind_it():
    options = make_options()
    aws().create_alias(AliasName="alias/videos", TargetKeyId=options["key_id"])
    store = KmsKeyStore(**options | {"key_id": "alias/videos"})
    assert store.primary == store.generate(CONTEXT).wrapped.wrapped_by == options["key_id"]


def nowhere() -> str:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{probe.getsockname()[1]}"


def test_kms_that_cannot_be_reached_or_refuses_is_told_without_secrets():
    refusals = []
    for overrides in ({"endpoint_url": nowhere()}, {"key_id": "alias/none"}):
        with pytest.raises(KeyStoreUnavailable) as refused:
            make_store(**overrides).generate(CONTEXT)
        refusals.append(str(refused.value))
    assert refusals == [
        "AWS KMS could not be asked for generate_data_key: EndpointConnectionError.",
        "AWS KMS refused generate_data_key: NotFoundException.",
    ]
    assert SECRET not in repr(make_store())


def test_kms_that_does_not_answer_is_given_up_soon():
    answered = threading.Event()

    def silent(method, path):
        answered.wait(5)
        return Answer(status=204)

    with stranger(silent) as url:
        with pytest.raises(KeyStoreUnavailable, match="ReadTimeoutError"):
            make_store(endpoint_url=url, read_timeout_s=0.05).generate(CONTEXT)
        answered.set()


@pytest.mark.parametrize(
    ("overrides", "problem"),
    [
        ({"region": ""}, "region of the KMS key store is empty"),
        ({"key_id": ""}, "key_id of the KMS key store is empty"),
        ({"secret_access_key": ""}, "belong together"),
        ({"region": "us-east-1"}, "is not in the region us-east-1"),
    ],
)
def test_a_wrong_configuration_is_told_without_asking(overrides, problem):
    told = make_store(**overrides).problems()
    assert any(problem in text for text in told), told
    assert not make_store().problems()


def test_no_log_at_debug_holds_a_key(caplog):
    store = make_store()
    with caplog.at_level(logging.DEBUG):
        made = store.generate(CONTEXT)
        store.unwrap(made.wrapped.blob, CONTEXT)
        store.wrap(made.plain, CONTEXT)
    assert any(record.name.startswith("botocore") for record in caplog.records)
    forms = (made.plain.hex(), base64.b64encode(made.plain).decode(), repr(made.plain)[2:-1])
    assert not [record for record in caplog.records for form in forms if form in record.getMessage()]


def test_all_threads_share_one_client():
    store = make_store()
    clients = []
    threads = [threading.Thread(target=lambda: clients.append(store._client)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({id(client) for client in clients}) == 1


@pytest.mark.django_db
def test_an_installation_moves_from_a_local_key_to_kms(hosted, settings):
    ours, _ = make_hosted_video()
    before = keys.create_key(video=ours)
    plain = keys.material_of(before).key
    options = settings.VIDEO_PROVIDERS["hosted"]["OPTIONS"]
    options["former_key_stores"] = [options["key_store"]]
    options["key_store"] = {"BACKEND": BACKEND, "OPTIONS": make_options()}
    after = keys.create_key(video=ours)
    assert after.wrapped.startswith("kms1.")
    plain_keys.forget("")
    assert keys.material_of(ContentKey.objects.get(pk=before.pk)).key == plain
    assert len(keys.material_of(ContentKey.objects.get(pk=after.pk)).key) == 16
