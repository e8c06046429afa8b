"""Sending a file by each kind of ticket, over real HTTP."""

import io
import itertools
import os
import threading
import time
import tracemalloc

import pytest
from django.db import connections
from django.utils import timezone

from videos.providers.exceptions import MalformedResponse, ProviderUnavailable
from videos.providers.registry import providers
from videos.providers.types import TusTicket, UploadRequest
from videos.services import transfers
from videos.tests.factories import make_user, make_video
from videos.tests.providers.stranger import answer, stranger

MIB = 1024 * 1024
HEAD = b"\x00\x00\x00\x18ftypmp42"
PATIENCE = 20


@pytest.fixture
def by_tus(sandbox, settings):
    settings.VIDEO_PROVIDERS["cloudflare"]["OPTIONS"] |= {"form_max_bytes": 1000, "tus_chunk_bytes": 5 * MIB}
    settings.VIDEO_ROUTES = [{"use": ["cloudflare"]}]
    return sandbox


def body(size: int) -> io.BytesIO:
    return io.BytesIO(HEAD + os.urandom(size - len(HEAD)))


def patches(sandbox) -> list[int]:
    return [call["status"] for call in sandbox.calls("cloudflare") if call["method"] == "PATCH"]


def send(size: int, file) -> None:
    request = UploadRequest(title="Limits", filename="limits.mp4", size_bytes=size, content_type="video/mp4")
    ticket = providers["cloudflare"].create_upload(request)
    assert ticket.kind == "tus"
    transfers.send(
        ticket, alias="cloudflare", file=file, size_bytes=size, filename="limits.mp4", content_type="video/mp4"
    )


def test_a_file_goes_in_chunks(by_tus):
    send(11 * MIB, body(11 * MIB))
    assert patches(by_tus) == [204, 204, 204]


def test_a_chunk_that_is_lost_is_sent_again_from_where_the_host_stands(by_tus):
    class FailsAtTheSecondChunk(io.BytesIO):
        is_armed = True

        def seek(self, offset: int, whence: int = 0, /) -> int:
            if self.is_armed and offset == 5 * MIB:
                self.is_armed = False
                by_tus.fault(service="cloudflare", path="/cloudflare/tus", times=1, status=503)
            return super().seek(offset, whence)

    send(11 * MIB, FailsAtTheSecondChunk(body(11 * MIB).getvalue()))
    assert patches(by_tus) == [204, 503, 204, 204]


@pytest.mark.django_db
def test_memory_stays_flat_whatever_the_size(by_tus):
    class Endless:
        def read(self, size: int, /) -> bytes:
            return b"\0" * size

    owner = make_user(is_staff=True)
    video = make_video(owner=owner, asset=False)
    tracemalloc.start()
    transfers.send_file(
        video=video, actor=owner, stream=Endless(), size_bytes=60 * MIB, filename="a.mp4", content_type="video/mp4"
    )
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 20 * MIB


@pytest.mark.django_db(transaction=True)
def test_no_database_connection_is_held_while_a_slow_body_comes_in_and_while_the_host_takes_it(by_tus):
    ours = connections["default"]
    held: list[bool] = []

    class Slow(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            held.append(ours.connection is not None)
            return super().read(size)

    def look_while_the_host_takes_it() -> None:
        deadline = time.monotonic() + 10
        while not patches(by_tus) and time.monotonic() < deadline:
            time.sleep(0.01)
        held.append(ours.connection is not None)

    owner = make_user(is_staff=True)
    video = make_video(owner=owner, asset=False)
    by_tus.fault(service="cloudflare", path="/cloudflare/tus", delay_ms=500)
    looker = threading.Thread(target=look_while_the_host_takes_it)
    looker.start()
    size = 100_000
    transfers.send_file(
        video=video, actor=owner, stream=Slow(body(size).getvalue()), size_bytes=size, filename="a", content_type=""
    )
    looker.join()
    assert held == [False, False, False]


@pytest.mark.parametrize(
    ("told", "error"),
    [
        (["10", "0"], ProviderUnavailable),
        (["2000"], MalformedResponse),
        (["9" * 5000], MalformedResponse),
        (["-1"], MalformedResponse),
    ],
)
def test_a_host_whose_offsets_make_no_sense_ends_the_upload(told, error):
    offsets = itertools.cycle(told)

    def tell(host, connection):
        if host.connections < PATIENCE:
            answer(connection, b"", headers=f"Upload-Offset: {next(offsets)}\r\n")

    with stranger(tell) as host:
        ticket = TusTicket(host_id="a", upload_url=host.url, headers={}, chunk_size=1000, expires_at=timezone.now())
        with pytest.raises(error):
            transfers.send(
                ticket, alias="a", file=body(1000), size_bytes=1000, filename="limits.mp4", content_type="video/mp4"
            )
    assert host.connections < PATIENCE
