"""A content key's whole life, at DEBUG: it shows in the answer to its player, and nowhere else."""

import base64
import io
import json
import logging
import traceback

import pytest
from django.apps import apps
from django.core.management import call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext

from videos.hosted.hosts import host
from videos.hosted.licences.clearkey import ClearKey
from videos.hosted.models import HostedVideo, Package, PackageState, Scheme
from videos.hosted.seams.keys import KeyUnreadable
from videos.hosted.services.content_keys import keys
from videos.hosted.services.content_keys.plain_keys import plain_keys
from videos.hosted.services.licence_server import licence_limits
from videos.hosted.tests.conftest import KEK
from videos.hosted.tests.licence_requests import ask, client, make_player
from videos.hosted.tests.making import make_hosted_video

pytestmark = pytest.mark.django_db


def forms_of(secret: bytes) -> list[bytes]:
    """The secret as it might be written down; base64 without its last letters, which differ in what follows it."""
    told = [secret, secret.hex().encode(), secret.hex().upper().encode(), repr(secret)[2:-1].encode()]
    told += [encode(secret).rstrip(b"=")[:-1] for encode in (base64.b64encode, base64.urlsafe_b64encode)]
    return [*told, json.dumps(list(secret)).encode(), str(int.from_bytes(secret)).encode()]


def is_in(seen: bytes, secret: bytes) -> bool:
    return any(form in seen for form in forms_of(secret))


def as_bytes(value) -> bytes:
    return bytes(value) if isinstance(value, bytes | memoryview) else str(value).encode()


def all_columns():
    """Every value of every row of `videos` and `videos_hosted`."""
    for model in [*apps.get_app_config("videos").get_models(), *apps.get_app_config("videos_hosted").get_models()]:
        for row in model.objects.values():
            for name, value in row.items():
                yield f"{model.__name__}.{name}", as_bytes(value)


def errors_about(key) -> list[str]:
    """What a person reads, trace included, when this key does not open."""
    told = []
    for damaged in (key.wrapped[:-4] + "AAAA", key.wrapped.replace("kek-1", "kek-9"), "v9" + key.wrapped[2:]):
        broken = Package(video=key.video, key=type(key)(video=key.video, kid=key.kid, version=key.version, iv=key.iv))
        broken.key.wrapped, broken.key.wrapped_by, broken.scheme = damaged, "kek-1", Scheme.CBCS
        with pytest.raises(KeyUnreadable) as refused:
            keys.encryption_of(broken)
        told += ["".join(traceback.format_exception(refused.value)), repr(refused.value)]
    return told


def test_a_content_key_shows_in_the_answer_to_its_player_alone(hosted, caplog):
    licence_limits.refusal_quota.reset()
    seen = []
    with caplog.at_level(logging.DEBUG), CaptureQueriesContext(connection) as queries:
        ours, _ = make_hosted_video()
        key = keys.create_key(video=ours)
        package = Package.objects.create(video=ours, key=key, scheme=Scheme.CBCS, state=PackageState.PUBLISHED)
        HostedVideo.objects.filter(pk=ours.pk).update(package=package)
        plain_keys.forget("")
        encryption = keys.encryption_of(package)
        material = keys.material_of(key)
        player = make_player(package=package)
        token = player.token()
        answer = ask(token, kids=[key.kid])
        refused = [ask(token, kids=[key.kid]), ask("garbage"), client.get(player.playlist_key_url())]
        store = host("hosted").get_key_store()
        challenge = ClearKey().read(json.dumps({"kids": ["oKGio6SlRqeoqaqrrK2urw"]}).encode(), "")
        licence = ClearKey().answer(challenge, {challenge.kids[0]: material}, valid_s=1)
        seen += [repr(made) for made in (key, key.__dict__, encryption, material, package, challenge, licence)]
        seen += [repr(made) for made in (store.generate(key.context), host("hosted"), store, plain_keys, player.drm())]
        seen += errors_about(key)
        written = io.StringIO()
        call_command("rewrap_content_keys", stdout=written)
        seen.append(written.getvalue())
    secret = material.key
    assert is_in(answer.content, secret)
    assert is_in(licence.body, secret)
    seen += [record.getMessage() + repr(record.args) for record in caplog.records]
    seen += [query["sql"] for query in queries.captured_queries]
    seen += [response.content.decode() + repr(response.headers) for response in refused]
    found = [text for text in seen if is_in(text.encode(), secret) or KEK in text]
    assert not found
    assert not [name for name, value in all_columns() if is_in(value, secret) or KEK.encode() in value]
    assert len(seen) > 40


def test_the_search_finds_a_key_that_is_written_down(hosted):
    secret = bytes(range(200, 216))
    ours, _ = make_hosted_video()
    for text in ("hex " + secret.hex(), repr(secret), "x" + base64.b64encode(secret).decode()):
        HostedVideo.objects.filter(pk=ours.pk).update(title=text)
        assert [name for name, value in all_columns() if is_in(value, secret)] == ["HostedVideo.title"]
