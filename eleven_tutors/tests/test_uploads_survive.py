"""Uploads outlive `kill -9`: granian, the worker and the hosts' stand-ins are processes and servers that talk HTTP, and
the database is a file."""

import signal
import socket
import time
from datetime import timedelta
from pathlib import Path

import pytest
import requests
from django.core.management import call_command
from django.utils import timezone

from conftest import CLOUDFLARE_WEBHOOK_SECRET
from eleven_tutors.tests.served import Server, TusPage
from eleven_tutors.tests.test_background import celery_worker, run_in_a_web_process
from mailing.models import OutgoingMail
from mailing.services import sweep
from sandbox.cloudflare import stand_in
from videos import signals
from videos.models import Asset, AssetStatus, Video, WebhookEvent
from videos.providers import failures
from videos.tests.factories import bearer, host_video, make_user, make_video
from videos.tests.providers import test_bunny as bunny

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.one_database]

SAMPLE = (Path(stand_in.__file__).parent / "static" / "sample.mp4").read_bytes()
MIB = 1024 * 1024
PATIENCE_S = 30
TICKETS_ARE_LONG_DEAD = timedelta(days=30)


def padded(size: int) -> bytes:
    """A film of this many bytes: an MP4 box that players skip makes up the rest."""
    rest = size - len(SAMPLE)
    return SAMPLE + rest.to_bytes(4, "big") + b"free" + bytes(rest - 8)


LARGE = padded(12 * MIB)


@pytest.fixture(scope="module")
def kept_server(running_sandbox, django_db_setup, tmp_path_factory):
    server = Server(tmp_path_factory.mktemp("server"), running_sandbox, CLOUDFLARE_WEBHOOK_SECRET)
    yield server
    server.stop()


@pytest.fixture
def server(kept_server, sandbox):
    """The server that the test before left, or a new one where that was killed."""
    kept_server.start()
    return kept_server


@pytest.fixture
def owner(sandbox):
    return make_user(is_staff=True, is_superuser=True, email="ada@example.test")


@pytest.fixture
def playing(sandbox, owner):
    """A video whose copy at Cloudflare plays."""
    host_id = sandbox.cloudflare.add_video()
    return make_video(owner=owner, asset={"provider": "cloudflare", "host_id": host_id, "protection": "open"})


def file_address(video: Video) -> str:
    return f"/api/videos/{video.pk}/file/?filename=limits.mp4"


def send(server: Server, video: Video, owner, body=SAMPLE) -> requests.Response:
    return server.post(file_address(video), bearer(owner), data=body, headers={"Content-Type": "video/mp4"})


def plays(server: Server, video: Video, owner) -> bool:
    answer = server.post(f"/api/videos/{video.pk}/playback/", bearer(owner), json={"device_id": "a-device-of-hers"})
    return answer.status_code in (200, 201)


def until(condition, what: str, server: Server) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline, f"{what}\n{server.log_path.read_text()[-3000:]}"
        time.sleep(0.05)


def poll() -> None:
    """One run of the poll at a time when all that waits is due."""
    Asset.objects.filter(next_poll_at__isnull=False).update(next_poll_at=timezone.now())
    call_command("poll_videos", verbosity=0)


def polled_until(server: Server, status: str, **which) -> Asset:
    def is_so() -> bool:
        poll()
        return Asset.objects.filter(status=status, **which).exists()

    until(is_so, f"no copy is {status}", server)
    return Asset.objects.get(status=status, **which)


def reap_what_never_came() -> None:
    Asset.objects.exclude(upload_expires_at=None).update(upload_expires_at=timezone.now() - TICKETS_ARE_LONG_DEAD)
    call_command("reap_uploads", verbosity=0)
    poll()


def asked(sandbox, service: str, part: str) -> list[dict]:
    return [call for call in sandbox.calls(service) if part in call["path"]]


def test_a_body_that_is_cut_off_reaches_no_host_and_leaves_the_copy_that_plays(server, sandbox, owner, playing):
    connection = server.begin(file_address(playing), bearer(owner), LARGE[: 5 * MIB], length=len(LARGE))
    connection.sock.shutdown(socket.SHUT_WR)
    status, error = connection.answer()
    assert (status, error["errors"][0]["code"]) == (400, "body_incomplete")
    assert sandbox.calls("cloudflare") == []
    assert playing.assets.get().is_current
    assert plays(server, playing, owner)
    assert list(server.temporary.iterdir()) == []


def test_a_whole_body_is_ready_in_the_end_and_one_without_a_length_is_refused(server, sandbox, owner, playing):
    assert send(server, playing, owner, LARGE).status_code == 201
    assert send(server, playing, owner, iter([SAMPLE])).status_code == 411
    assert playing.assets.get(is_current=True).source_name == ""
    new = polled_until(server, AssetStatus.READY, source_name="limits.mp4")
    assert (new.is_current, new.size_bytes, playing.assets.count()) == (True, len(LARGE), 2)
    assert plays(server, playing, owner)
    assert list(server.temporary.iterdir()) == []


def test_others_write_while_a_slow_body_comes_in(server, sandbox, owner, playing):
    connection = server.begin(file_address(playing), bearer(owner), SAMPLE[:1000], length=len(SAMPLE))
    began = time.monotonic()
    for _ in range(10):
        Video.objects.filter(pk=playing.pk).update(title="Written meanwhile")
        time.sleep(0.05)
    assert time.monotonic() - began < 5
    connection.send(SAMPLE[1000:])
    assert connection.answer()[0] == 201


def test_a_server_killed_while_it_receives_leaves_nothing_behind(server, sandbox, owner, playing):
    connection = server.begin(file_address(playing), bearer(owner), LARGE[: 5 * MIB], length=len(LARGE))
    time.sleep(0.3)
    server.kill()
    assert connection.was_never_answered()
    server.start()
    assert playing.assets.count() == 1
    assert sandbox.calls("cloudflare") == []
    assert list(server.temporary.iterdir()) == []
    assert plays(server, playing, owner)
    assert send(server, playing, owner).status_code == 201
    polled_until(server, AssetStatus.READY, source_name="limits.mp4")


def test_a_server_killed_while_it_sends_to_the_host_leaves_copies_that_are_cleared_away(
    server, sandbox, owner, playing
):
    first = make_video(owner=owner, asset=False)
    sandbox.fault(service="cloudflare", path="/cloudflare/upload", times=2, delay_ms=1500)
    connections = [
        server.begin(file_address(video), bearer(owner), LARGE, length=len(LARGE)) for video in (playing, first)
    ]
    until(lambda: len(asked(sandbox, "cloudflare", "/cloudflare/upload")) == 2, "nothing was sent", server)
    server.kill()
    assert all(connection.was_never_answered() for connection in connections)
    until(lambda: all(call["status"] for call in sandbox.calls("cloudflare")), "the host waits", server)
    server.start()
    assert plays(server, playing, owner)
    poll()
    halves = list(Asset.objects.filter(source_name="limits.mp4"))
    assert {half.status for half in halves} == {AssetStatus.WAITING}
    reap_what_never_came()
    replacement, only = playing.assets.get(source_name="limits.mp4"), first.assets.get()
    assert (replacement.status, replacement.is_next) == (AssetStatus.DELETED, False)
    assert (only.status, only.failure_code) == (AssetStatus.FAILED, failures.NEVER_UPLOADED)
    assert only.failure_reason
    assert not Asset.objects.exclude(next_poll_at=None).exists()
    known = {video["uid"] for video in sandbox.cloudflare.library.oldest_first()}
    assert known == {playing.assets.get(is_current=True).host_id}
    for video in (playing, first):
        assert send(server, video, owner).status_code == 201
        polled_until(server, AssetStatus.READY, video=video, source_name="limits.mp4")


def test_a_server_killed_after_the_host_took_the_file_has_it_ready_by_the_poll(server, sandbox, owner):
    playing = host_video(sandbox, owner=owner, protection="drm")
    sandbox.fault(service="vdocipher", path="/vdocipher/upload", drip=True)
    connection = server.begin(file_address(playing), bearer(owner), SAMPLE, length=len(SAMPLE))
    until(lambda: any(call["status"] for call in asked(sandbox, "vdocipher", "/upload/")), "nothing sent", server)
    server.kill()
    assert connection.was_never_answered()
    server.start()
    assert plays(server, playing, owner)
    new = polled_until(server, AssetStatus.READY, source_name="limits.mp4")
    assert new.is_current
    assert plays(server, playing, owner)


def test_a_server_killed_before_it_has_the_ticket_leaves_no_row(server, sandbox, owner, playing):
    sandbox.fault(service="cloudflare", path="/cloudflare/client", drip=True)
    connection = server.begin(file_address(playing), bearer(owner), SAMPLE, length=len(SAMPLE))
    until(lambda: len(sandbox.cloudflare.library.oldest_first()) == 2, "the host was not asked", server)
    server.kill()
    assert connection.was_never_answered()
    server.start()
    assert playing.assets.count() == 1
    assert plays(server, playing, owner)
    assert send(server, playing, owner).status_code == 201
    polled_until(server, AssetStatus.READY, source_name="limits.mp4")


@pytest.fixture
def heard():
    """The names of the videos that were announced as ready in this process."""
    titles: list[str] = []

    def note(*, video: Video, **sent) -> None:
        titles.append(video.title)

    signals.video_ready.connect(note)
    yield titles
    signals.video_ready.disconnect(note)


def finished_at_the_host(sandbox, owner, *, send_hook: bool) -> Asset:
    """A copy that is processing for all we know, while the host has just made it ready."""
    host_id = sandbox.cloudflare.add_video(state="inprogress")
    copy = {"provider": "cloudflare", "host_id": host_id, "status": AssetStatus.PROCESSING}
    asset = make_video(title="Limits", owner=owner, asset=copy).assets.get()
    sandbox.cloudflare.set_state(host_id, "ready", send_hook=send_hook)
    return asset


def test_a_worker_killed_while_it_handles_a_hook_is_made_up_for_by_the_poll(server, sandbox, owner, heard, tmp_path):
    sandbox.context.webhooks.cloudflare_url = f"{server.url}/api/videos/webhooks/cloudflare/"
    sandbox.fault(service="cloudflare", path="/cloudflare/client", delay_ms=20_000)
    with celery_worker(server.environment, tmp_path / "worker.log") as worker:
        asset = finished_at_the_host(sandbox, owner, send_hook=True)
        until(lambda: asked(sandbox, "cloudflare", asset.host_id), "the worker does not ask", server)
        worker.kill()
        assert worker.wait(10) == -signal.SIGKILL
    assert WebhookEvent.objects.get().handled_at is None
    polled_until(server, AssetStatus.READY, pk=asset.pk)
    poll()
    assert WebhookEvent.objects.get().handled_at is not None
    assert heard == ["Limits"]
    assert [mail["subject"] for mail in sandbox.messages()] == ["Your video is ready: Limits"]
    assert not Asset.objects.exclude(next_poll_at=None).exists()


def test_a_process_killed_while_it_announces_leads_to_a_second_signal_and_one_mail(server, sandbox, owner, heard):
    asset = finished_at_the_host(sandbox, owner, send_hook=False)
    code = (
        "import os; from videos import signals; from videos.services.assets import refresh_asset; "
        "signals.video_ready.connect(lambda **sent: os.kill(os.getpid(), 9), weak=False); "
        f"refresh_asset({asset.pk})"
    )
    assert run_in_a_web_process(code, server.environment).returncode == -signal.SIGKILL
    asset.refresh_from_db()
    assert (asset.status, asset.announced_status, OutgoingMail.objects.count()) == (AssetStatus.READY, "", 1)
    poll()
    poll()
    sweep()
    assert heard == ["Limits"]
    assert len(sandbox.messages()) == OutgoingMail.objects.count() == 1
    asset.refresh_from_db()
    assert (asset.announced_status, asset.next_poll_at) == (AssetStatus.READY, None)


def test_a_browser_goes_on_uploading_while_the_server_is_dead(server, sandbox, settings, owner):
    settings.VIDEO_PROVIDERS["bunny"] = {
        "BACKEND": "videos.providers.bunny.BunnyStreamProvider",
        "OPTIONS": bunny.options(sandbox),
    }
    wish = {"title": "Limits", "filename": "limits.mp4", "size": len(LARGE), "provider": "bunny"}
    answer = server.post("/api/videos/", bearer(owner), json=wish)
    assert answer.status_code == 201, answer.text
    page = TusPage(answer.json()["upload"], LARGE)
    page.send(5 * MIB)
    server.kill()
    page.send(5 * MIB)
    page.send(len(LARGE))
    server.start()
    asset = polled_until(server, AssetStatus.READY, source_name="limits.mp4")
    assert plays(server, asset.video, owner)


def test_captions_that_are_cut_off_are_not_taken_for_whole(server, sandbox, owner, playing):
    cues = [f"00:0{second}.000 --> 00:0{second + 1}.000\nWords\n\n".encode() for second in range(3)]
    whole, half = b"WEBVTT\n\n" + b"".join(cues), b"WEBVTT\n\n" + cues[0]
    path = f"/api/videos/{playing.pk}/captions/en/"
    request = server.begin(path, bearer(owner), half, length=len(whole), method="PUT", content_type="text/vtt")
    request.sock.shutdown(socket.SHUT_WR)
    status, error = request.answer()
    assert (status, error["errors"][0]["code"]) == (400, "body_incomplete")
    assert not playing.captions.exists()
