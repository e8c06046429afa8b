"""Files sent to our own host outlive `kill -9`: granian is a process of its own, the database is a file."""

import hashlib
import http.client
import io
import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import requests
from django.db import connection
from tusclient.client import TusClient

from eleven_tutors.tests.served import Server
from eleven_tutors.tests.test_background import PATIENCE_S
from videos.hosted.models import Transcode, Upload, UploadState
from videos.hosted.services.uploading import tus
from videos.hosted.services.uploading.uploads import open_upload
from videos.providers.types import UploadRequest

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.one_database]

MIB = 1024 * 1024
HEADERS = {"Tus-Resumable": "1.0.0", "Content-Type": "application/offset+octet-stream"}


@pytest.fixture
def store(tmp_path) -> Path:
    return tmp_path / "store"


@pytest.fixture
def server(running_sandbox, store, tmp_path):
    server = Server(tmp_path, running_sandbox, "no hooks come here")
    server.environment["VIDEO_STORE_DIR"] = str(store)
    server.start()
    yield server
    server.stop()


def wait_for(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def begin_patch(server: Server, upload: Upload, *, offset: int, sent: bytes, length: int) -> http.client.HTTPConnection:
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=PATIENCE_S)
    connection.putrequest("PATCH", tus.address(upload))
    for name, value in (HEADERS | {"Upload-Offset": str(offset), "Content-Length": str(length)}).items():
        connection.putheader(name, value)
    connection.endheaders(sent)
    return connection


def test_a_server_killed_while_it_writes_goes_on_where_it_surely_was(server, store):
    film = os.urandom(6 * MIB)
    request = UploadRequest(title="A film", filename="film.mp4", size_bytes=len(film), content_type="video/mp4")
    upload = open_upload(alias="hosted", request=request)
    path, url = store / upload.key, server.url + tus.address(upload)

    def offset() -> int:
        return Upload.objects.get().offset

    def chunked():
        yield film[: MIB // 2]
        yield film[MIB // 2 : MIB]

    answer = requests.patch(url, data=chunked(), headers=HEADERS | {"Upload-Offset": "0"}, timeout=PATIENCE_S)
    assert (answer.status_code, answer.headers["Upload-Offset"]) == (204, str(MIB))

    begin_patch(server, upload, offset=MIB, sent=film[MIB : 2 * MIB], length=5 * MIB).close()
    wait_for(lambda: offset() == 2 * MIB)

    wrong = begin_patch(server, upload, offset=2 * MIB, sent=b"x" * 3 * MIB, length=4 * MIB)
    wait_for(lambda: path.stat().st_size > 4 * MIB)
    server.kill()
    wrong.close()
    assert offset() == 2 * MIB
    server.start()

    sending = TusClient(url).uploader(file_stream=io.BytesIO(film), chunk_size=3 * MIB, url=url)
    assert sending.offset == 2 * MIB
    sending.upload()
    upload.refresh_from_db()
    assert (upload.state, Transcode.objects.get().video_id) == (UploadState.COMPLETED, upload.video_id)
    assert hashlib.sha256(path.read_bytes()).digest() == hashlib.sha256(film).digest()
    assert [found.name for found in path.parent.iterdir()] == ["source"]
    connection.close()
