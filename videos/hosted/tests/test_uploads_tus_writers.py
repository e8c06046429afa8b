"""Who may write an upload, when more than one connection wants to, and what stays of a body that ends early."""

import contextlib
import hashlib
import http.client
import io
import os
import resource
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection
from tusclient.client import TusClient

from videos.hosted.models import Transcode, Upload, UploadState
from videos.hosted.seams.store import StoreUnavailable
from videos.hosted.services.uploading import growing, tus
from videos.hosted.services.uploading.uploads import end_upload
from videos.hosted.tests.uploads_tus import beside, idle_host, make_upload, on_disk
from videos.services.errors import UploadOver
from videos.tests.factories import bearer, make_user

KIB = 1024
LENGTH = 600 * KIB
PATIENCE_S = 20


@pytest.fixture
def hosted(settings, tmp_path):
    return idle_host(settings, tmp_path)


def body_of(letter: str, length: int = LENGTH) -> bytes:
    return letter.encode() * length


class Body:
    """Bytes that come in pieces; before each piece `between` is called with how many came so far."""

    def __init__(self, body: bytes, between=lambda came: None, lost_at: int | None = None) -> None:
        self._body, self._between, self._lost_at, self._came = body, between, lost_at, 0

    def read(self, size: int) -> bytes:
        self._between(self._came)
        if self._lost_at is not None and self._came >= self._lost_at:
            raise ConnectionResetError("The connection is gone.")
        piece = self._body[self._came : self._came + min(size, 100 * KIB)]
        self._came += len(piece)
        return piece


def append(upload: Upload, stream: Body, **values) -> Upload:
    """As a request of its own would do it."""
    fresh = Upload.objects.select_related("video").get(pk=upload.pk)
    return tus.append(fresh, tus.Chunk(**({"offset": fresh.offset, "stream": stream} | values)))


def sha1(body: bytes) -> tus.Checksum:
    return tus.Checksum(algorithm="sha1", digest=hashlib.sha1(body).digest())


@pytest.mark.django_db(transaction=True)
def test_a_later_writer_goes_on_at_once_and_the_earlier_one_writes_nothing_more(hosted):
    upload = make_upload(length=LENGTH)
    is_stuck, goes_on = threading.Event(), threading.Event()

    def hang(came: int) -> None:
        if came == 200 * KIB:
            is_stuck.set()
            assert goes_on.wait(PATIENCE_S)

    def earlier() -> str:
        with contextlib.closing(connection), pytest.raises(tus.OffsetConflict) as refusal:
            append(upload, Body(body_of("a"), hang))
        return refusal.value.offset

    with ThreadPoolExecutor(1) as pool:
        stuck = pool.submit(earlier)
        assert is_stuck.wait(PATIENCE_S)
        assert append(upload, Body(body_of("b", 300 * KIB))).offset == 300 * KIB
        goes_on.set()
        assert stuck.result(PATIENCE_S) == 300 * KIB
    done = append(upload, Body(body_of("c", 300 * KIB)))
    assert done.state == UploadState.COMPLETED
    assert on_disk(hosted, upload) == body_of("b", 300 * KIB) + body_of("c", 300 * KIB)


@pytest.mark.django_db(transaction=True)
def test_of_many_writers_at_once_one_writes_it_all(hosted):
    upload = make_upload(length=LENGTH)
    barrier = threading.Barrier(4)

    def write(letter: str) -> str:
        with contextlib.closing(connection):
            barrier.wait(PATIENCE_S)
            try:
                return append(upload, Body(body_of(letter)), offset=0).state
            except tus.OffsetConflict:
                return "conflict"

    with ThreadPoolExecutor(4) as pool:
        outcomes = list(pool.map(write, "abcd"))
    assert sorted(outcomes) == [UploadState.COMPLETED, "conflict", "conflict", "conflict"]
    winner = "abcd"[outcomes.index(UploadState.COMPLETED)]
    assert on_disk(hosted, upload) == body_of(winner)
    assert Transcode.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_a_writer_whose_upload_is_ended_meanwhile_stops_and_leaves_nothing(hosted):
    upload = make_upload(length=LENGTH)

    def end(came: int) -> None:
        if came == 200 * KIB:
            assert end_upload(upload)

    with pytest.raises(UploadOver):
        append(upload, Body(body_of("a"), end))
    assert beside(hosted, upload) == []
    assert Upload.objects.get().offset == 0


@pytest.mark.django_db
def test_what_came_of_a_body_that_breaks_off_is_kept(hosted):
    upload = make_upload(length=LENGTH)
    assert append(upload, Body(body_of("a"), lost_at=200 * KIB), size=LENGTH).offset == 200 * KIB
    assert append(upload, Body(body_of("b", 100 * KIB)), size=LENGTH - 200 * KIB).offset == 300 * KIB
    with pytest.raises(tus.ChecksumMismatch):
        append(upload, Body(body_of("c", 300 * KIB), lost_at=200 * KIB), checksum=sha1(body_of("c", 300 * KIB)))
    assert Upload.objects.get().offset == 300 * KIB
    append(upload, Body(body_of("d", 300 * KIB)))
    assert on_disk(hosted, upload) == body_of("a", 200 * KIB) + body_of("b", 100 * KIB) + body_of("d", 300 * KIB)


@pytest.mark.django_db
def test_a_writer_that_is_overtaken_after_its_last_byte_moves_nothing(hosted):
    upload = make_upload(length=LENGTH)

    def overtake(came: int) -> None:
        if came == LENGTH:
            append(upload, Body(body_of("b", 100 * KIB)))

    with pytest.raises(tus.OffsetConflict) as refusal:
        append(upload, Body(body_of("a"), overtake))
    assert refusal.value.offset == Upload.objects.get().offset == 100 * KIB
    assert on_disk(hosted, upload) == body_of("b", 100 * KIB)


@pytest.mark.django_db
def test_a_body_without_a_length_that_does_not_end_in_time_is_not_taken_for_whole(hosted, monkeypatch):
    monkeypatch.setattr(tus, "MOVE_BYTES", 200 * KIB)
    upload = make_upload(length=LENGTH)
    with pytest.raises(tus.BodyTooLong):
        append(upload, Body(body_of("a", LENGTH + 1)))
    assert (Upload.objects.get().state, Upload.objects.get().offset) == (UploadState.OPEN, 400 * KIB)
    assert append(upload, Body(body_of("b", 200 * KIB))).state == UploadState.COMPLETED
    assert on_disk(hosted, upload) == body_of("a", 400 * KIB) + body_of("b", 200 * KIB)


@pytest.mark.django_db
@pytest.mark.parametrize(("checksum", "seen"), [(None, [0, 200, 400, 600]), (sha1(body_of("a")), [0])])
def test_the_offset_follows_a_long_body_unless_that_is_to_be_verified(hosted, monkeypatch, checksum, seen):
    monkeypatch.setattr(tus, "MOVE_BYTES", 200 * KIB)
    upload = make_upload(length=700 * KIB)
    offsets = []
    body = Body(body_of("a"), lambda came: offsets.append(Upload.objects.get().offset // KIB))
    assert append(upload, body, checksum=checksum).offset == LENGTH
    assert sorted(set(offsets)) == seen


def test_a_full_disk_is_told_and_what_was_written_before_it_counts(tmp_path):
    path = tmp_path / "source"
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    with growing.GrowingFile(path, lambda: (1, 0)) as file:
        file.write(body_of("a", 100 * KIB))
        resource.setrlimit(resource.RLIMIT_FSIZE, (150 * KIB, before[1]))
        try:
            with pytest.raises(StoreUnavailable):
                file.write(body_of("b", 100 * KIB))
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, before)
        assert file.position == 100 * KIB
    with growing.GrowingFile(path, lambda: (2, 100 * KIB)):
        assert path.read_bytes() == body_of("a", 100 * KIB)


def begin_patch(server, upload: Upload, *, offset: int, sent: bytes, length: int) -> http.client.HTTPConnection:
    """A PATCH of which only the beginning is sent."""
    connection = http.client.HTTPConnection(server.thread.host, server.thread.port, timeout=PATIENCE_S)
    connection.putrequest("PATCH", tus.address(upload))
    connection.putheader("Tus-Resumable", "1.0.0")
    connection.putheader("Upload-Offset", str(offset))
    connection.putheader("Content-Type", "application/offset+octet-stream")
    connection.putheader("Content-Length", str(length))
    connection.endheaders(sent)
    return connection


def wait_for(condition) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def test_the_usual_client_uploads_resumes_and_is_locked_out_by_no_dead_connection(hosted, live_server):
    film = os.urandom(LENGTH)
    token = bearer(make_user(is_staff=True, is_superuser=True))
    client = TusClient(f"{live_server.url}/api/videos/uploads/", headers={"Authorization": f"Bearer {token}"})
    named = {"filename": "film.mp4", "title": "Größer Zoo"}
    sending = client.uploader(file_stream=io.BytesIO(film), chunk_size=200 * KIB, metadata=named, upload_checksum=True)
    sending.upload_chunk()
    upload = Upload.objects.select_related("video").get()
    assert (sending.url, upload.video.title) == (live_server.url + tus.address(upload), named["title"])

    rest = LENGTH - 200 * KIB
    broken = begin_patch(live_server, upload, offset=200 * KIB, sent=b"", length=rest)
    broken.sock.sendall(film[200 * KIB : 300 * KIB])
    broken.close()
    wait_for(lambda: Upload.objects.get().offset == 300 * KIB)

    hung = begin_patch(live_server, upload, offset=300 * KIB, sent=b"x" * KIB, length=LENGTH - 300 * KIB)
    wait_for(lambda: Upload.objects.get().writer == 3)
    resumed = client.uploader(file_stream=io.BytesIO(film), chunk_size=250 * KIB, url=sending.url)
    assert resumed.offset == 300 * KIB
    resumed.upload()
    upload.refresh_from_db()
    assert upload.state == UploadState.COMPLETED
    hung.send(b"x" * (LENGTH - 301 * KIB))
    answer = hung.getresponse()
    assert (answer.status, answer.headers["Upload-Offset"]) == (409, str(LENGTH))
    hung.close()
    assert on_disk(hosted, upload) == film
