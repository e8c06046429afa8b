"""Another project that has this app and none of its neighbours: the wheel, what it declares to need, and nothing else.

The project runs in a process of its own, without this repository on its path, and is spoken to over HTTP alone.
"""

import os
import re
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
import requests

from quality.wheel import install_wheel, link_requirements
from sandbox.config import SandboxConfig
from sandbox.server import Sandbox
from sandbox.vdocipher.player import SAMPLE

HOST_PROJECT = Path(__file__).parent / "host_project"
PASSWORD = "a password of the magazine"
HOOK = "/clips/webhooks/vdocipher/?token=a-hook-token-of-the-magazine"


class Magazine:
    """The host project: its commands, and its running server once `serve` was called."""

    def __init__(self, folder: Path, sandbox: Sandbox) -> None:
        self.folder, self.sandbox = folder, sandbox
        install_wheel(folder / "installed")
        link_requirements(folder / "installed")
        shutil.copytree(HOST_PROJECT, folder / "host_project", ignore=shutil.ignore_patterns("__pycache__"))
        self.environment = {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": f"{folder}:{folder / 'installed'}",
            "STATE_DIR": str(folder),
            "SANDBOX_URL": sandbox.url,
        }
        self.server: subprocess.Popen | None = None
        self.url = ""

    def python(self, *arguments: str) -> list[str]:
        return [sys.executable, "-S", "-W", "error", *arguments]

    def manage(self, *arguments: str) -> str:
        command = self.python("-m", "host_project.manage", *arguments)
        done = subprocess.run(
            command, env=self.environment, cwd=self.folder, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, f"{arguments}\n{done.stdout}{done.stderr}"
        return done.stdout

    def serve(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as probe:
            port = probe.getsockname()[1]
        self.url = f"http://127.0.0.1:{port}"
        command = self.python("-m", "host_project.manage", "runserver", "--noreload", f"127.0.0.1:{port}")
        with (self.folder / "server.log").open("wb") as log:
            self.server = subprocess.Popen(command, env=self.environment, cwd=self.folder, stdout=log, stderr=log)
        _wait_for(lambda: self._answers(), "the server's start")
        self.sandbox.context.webhooks.vdocipher_url = self.url + HOOK

    def log(self) -> str:
        return (self.folder / "server.log").read_text()

    def stop(self) -> None:
        if self.server is not None:
            self.server.terminate()
            self.server.wait(10)

    def client(self, name: str) -> requests.Session:
        """A browser's session of that person, signed in with a password."""
        client = requests.Session()
        page = client.get(f"{self.url}/log-in/login/", timeout=10)
        form = {"username": f"{name}@magazine.test", "password": PASSWORD, "csrfmiddlewaretoken": _csrf(page.text)}
        answer = client.post(f"{self.url}/log-in/login/?next=/articles/zoo/", data=form, timeout=10)
        assert answer.url.endswith("/articles/zoo/"), answer.text
        client.headers["X-CSRFToken"] = client.cookies["csrftoken"]
        return client

    def _answers(self) -> bool:
        try:
            return requests.get(f"{self.url}/log-in/login/", timeout=5).ok
        except requests.ConnectionError:
            assert self.server.poll() is None, self.log()
            return False


@pytest.fixture(scope="module")
def magazine(tmp_path_factory):
    with Sandbox(SandboxConfig(vdocipher_encode_s=0.3)) as sandbox:
        project = Magazine(tmp_path_factory.mktemp("magazine"), sandbox)
        try:
            project.manage("migrate", "--verbosity=0")
            project.manage("publish", PASSWORD)
            project.serve()
            yield project
        finally:
            project.stop()


def _csrf(page: str) -> str:
    return re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', page).group(1)


def _wait_for(condition, what: str, timeout_s: float = 30):
    until = time.monotonic() + timeout_s
    while not (found := condition()):
        assert time.monotonic() < until, f"{what} did not come within {timeout_s} s"
        time.sleep(0.05)
    return found


def _ok(answer: requests.Response, status: int = 200):
    assert answer.status_code == status, f"{answer.status_code} {answer.text[:1000]}"
    return answer.json() if answer.content else None


def _upload(magazine: Magazine, author: requests.Session) -> str:
    """Create a video, put it into the article and send its file to the host; gives its id."""
    data = {"title": "Otters", "filename": "otters.webm", "size": SAMPLE.stat().st_size, "content_type": "video/webm"}
    created = _ok(author.post(f"{magazine.url}/clips/", json=data, timeout=10), 201)
    video_id, ticket = created["video"]["id"], created["upload"]
    assert created["video"]["status"] == "waiting"
    _ok(author.post(f"{magazine.url}/articles/zoo/videos/{video_id}/", timeout=10), 204)
    form = [(name, (None, value)) for name, value in ticket["fields"].items()]
    with SAMPLE.open("rb") as file:
        sent = requests.post(ticket["url"], files=[*form, (ticket["file_field"], ("otters.webm", file))], timeout=10)
    assert sent.status_code == 201, sent.text
    return video_id


@pytest.fixture(scope="module")
def video_id(magazine):
    """A video that went all the way: uploaded to the host, which told the magazine by its hook that it is ready."""
    author = magazine.client("author")
    video_id = _upload(magazine, author)
    status = f"{magazine.url}/clips/{video_id}/status/"
    _wait_for(lambda: _ok(author.get(status, timeout=10))["status"] == "ready", "the host's hook", 10)
    return video_id


@pytest.mark.parametrize("stranger", ["users", "courses", "payments", "eleven_tutors", "celery", "unfold", "sandbox"])
def test_its_process_knows_nothing_of_our_project(magazine, stranger):
    script = f"import importlib.util, sys; sys.exit(importlib.util.find_spec({stranger!r}) is not None)"
    done = subprocess.run(magazine.python("-c", script), env=magazine.environment, cwd=magazine.folder, check=False)
    assert done.returncode == 0


def test_its_settings_and_migrations_are_in_order(magazine):
    magazine.manage("check", "--fail-level=WARNING")
    magazine.manage("makemigrations", "--check", "--dry-run")


def test_every_command_of_the_app_runs_without_a_task_queue(magazine):
    names = re.findall(r"(?m)^    (\w+)$", magazine.manage("help").partition("[videos]")[2].partition("\n\n")[0])
    assert "poll_videos" in names
    for name in names:
        magazine.manage(name)


def test_an_uploaded_video_is_ready_once_the_host_s_hook_came(magazine, video_id):
    article = _ok(requests.get(f"{magazine.url}/articles/zoo/", timeout=10))
    assert article["can_be_watched"]
    assert article["videos"] == [video_id]


def test_who_may_watch_is_decided_by_the_article(magazine, video_id):
    playback = f"{magazine.url}/clips/{video_id}/playback/"
    refused = magazine.client("stranger").post(playback, json={"device_id": "laptop-of-a-reader"}, timeout=10)
    assert _ok(refused, 403)["errors"][0]["code"] == "not_a_reader"
    nobody = requests.post(playback, json={"device_id": "laptop-of-a-reader"}, timeout=10)
    assert nobody.status_code in (401, 403)
    grant = _ok(magazine.client("reader").post(playback, json={"device_id": "laptop-of-a-reader"}, timeout=10))
    player = requests.get(grant["vdocipher"]["embed_url"], timeout=10)
    assert player.status_code == 200
    assert "reader@magazine.test" in player.text


def test_the_limit_of_streams_is_the_article_s(magazine, video_id):
    playback = f"{magazine.url}/clips/{video_id}/playback/"
    reader = magazine.client("reader")
    grant = _ok(reader.post(playback, json={"device_id": "laptop-of-a-reader"}, timeout=10))
    full = _ok(reader.post(playback, json={"device_id": "phone-of-a-reader"}, timeout=10), 409)
    assert full["errors"][0]["code"] == "too_many_streams"
    end = f"{magazine.url}/clips/sessions/{grant['session']['id']}/end/"
    _ok(requests.post(end, json={"token": grant["session"]["token"]}, timeout=10), 204)
    _ok(reader.post(playback, json={"device_id": "phone-of-a-reader"}, timeout=10))


def _let_a_minute_pass(magazine: Magazine) -> None:
    """Nobody can have watched more than there was time for, and figures wait for viewings to settle."""
    magazine.manage(
        "shell",
        "-c",
        "from datetime import timedelta; from django.utils import timezone; from videos.models import PlaybackSession;"
        "ago = timezone.now() - timedelta(minutes=1);"
        "PlaybackSession.objects.update(created_at=ago);"
        "PlaybackSession.objects.exclude(rollup_due_at=None).update(rollup_due_at=ago)",
    )


def test_what_is_watched_becomes_progress_and_figures(magazine, video_id):
    clips = f"{magazine.url}/clips"
    reader, author = magazine.client("reader"), magazine.client("author")
    grant = _ok(reader.post(f"{clips}/{video_id}/playback/", json={"device_id": "phone-of-a-reader"}, timeout=10))
    _let_a_minute_pass(magazine)

    def beat(seq, played):
        report = {"token": grant["session"]["token"], "seq": seq, "position": played[-1][1], "played": played}
        return _ok(requests.post(magazine.url + grant["session"]["heartbeat_url"], json=report, timeout=10))

    assert not beat(0, [[0, 20]])["completed"]
    assert beat(1, [[20, 46]])["completed"]
    progress = _ok(reader.get(f"{clips}/{video_id}/progress/", timeout=10))
    assert (progress["position"], progress["completed"], progress["missing"]) == (46, True, [[46, 48]])
    assert _ok(requests.get(f"{magazine.url}/articles/zoo/", timeout=10))["watched_by"] == 1
    _let_a_minute_pass(magazine)
    magazine.manage("roll_up_figures")
    figures = _ok(author.get(f"{clips}/{video_id}/statistics/", timeout=10))
    assert (figures["total_views"], figures["unique_viewers"], figures["completion_rate"]) == (1, 1, 100)
    assert figures["total_watch_time"] == 46
    assert reader.get(f"{clips}/{video_id}/statistics/", timeout=10).status_code == 403


def test_captions_travel_with_the_grant(magazine, video_id):
    captions = f"{magazine.url}/clips/{video_id}/captions/en/"
    text = "WEBVTT\n\n00:00.000 --> 00:02.000\nOtters!\n"
    sent = magazine.client("author").put(captions, data=text.encode(), headers={"Content-Type": "text/vtt"}, timeout=10)
    assert sent.status_code in (200, 201), sent.text
    playback = f"{magazine.url}/clips/{video_id}/playback/"
    grant = _ok(magazine.client("reader").post(playback, json={"device_id": "phone-of-a-reader"}, timeout=10))
    [track] = grant["captions"]
    assert track["language"] == "en"
    assert (
        "Otters!"
        in requests.get(track["url"] if "://" in track["url"] else magazine.url + track["url"], timeout=10).text
    )


def test_every_list_and_page_of_figures_opens(magazine, video_id):
    clips = f"{magazine.url}/clips"
    author, reader = magazine.client("author"), magazine.client("reader")
    paths = ["", "status/", "captions/", "statistics/", "views/"]
    for path in ["/", "/metrics/", *(f"/{video_id}/{path}" for path in paths)]:
        assert author.get(clips + path, timeout=10).status_code == 200, path
    for path in ("/progress/", "/sessions/", f"/{video_id}/progress/"):
        assert reader.get(clips + path, timeout=10).status_code == 200, path
    assert [row["id"] for row in _ok(author.get(f"{clips}/", timeout=10))["results"]] == [video_id]


def test_a_reader_ends_a_viewing_on_another_device(magazine, video_id):
    clips = f"{magazine.url}/clips"
    reader = magazine.client("reader")
    _ok(reader.post(f"{clips}/{video_id}/playback/", json={"device_id": "phone-of-a-reader"}, timeout=10))
    running = _ok(reader.get(f"{clips}/sessions/", timeout=10))["results"]
    end = f"{clips}/sessions/{running[0]['id']}/end/"
    assert magazine.client("stranger").post(end, json={}, timeout=10).status_code == 403
    _ok(reader.post(end, json={}, timeout=10), 204)
    assert _ok(reader.get(f"{clips}/sessions/", timeout=10))["results"] == running[1:]


def test_a_deleted_video_is_gone_here_and_at_its_host(magazine, video_id):
    clips, author = f"{magazine.url}/clips", magazine.client("author")
    other_id = _upload(magazine, author)
    host_id = _ok(author.get(f"{clips}/{other_id}/", timeout=10))["video_service_id"]
    _ok(author.delete(f"{clips}/{other_id}/", timeout=10), 204)
    playback = magazine.client("reader").post(
        f"{clips}/{other_id}/playback/", json={"device_id": "phone-of-a-reader"}, timeout=10
    )
    assert playback.status_code in (404, 409)
    key = {"Authorization": "Apisecret vdo_sandbox_11tutors"}
    at_host = requests.get(f"{magazine.sandbox.vdocipher_api_url}/videos/{host_id}", headers=key, timeout=10)
    assert at_host.status_code == 404


def test_the_plain_admin_shows_every_list_of_the_app(magazine, video_id):
    author = magazine.client("author")
    index = author.get(f"{magazine.url}/admin/", timeout=10)
    lists = set(re.findall(r'href="(/admin/videos/\w+/)"', index.text))
    assert "/admin/videos/video/" in lists
    for path in lists:
        assert author.get(magazine.url + path, timeout=10).status_code == 200, path
    assert "Otters" in author.get(f"{magazine.url}/admin/videos/video/", timeout=10).text
    assert author.get(f"{magazine.url}/admin/videos/video/{video_id}/change/", timeout=10).status_code == 200


def test_captions_are_added_in_the_plain_admin(magazine, video_id):
    author, address = magazine.client("author"), f"{magazine.url}/admin/videos/video/{video_id}/change/"
    page = author.get(address, timeout=10).text
    kept = dict(re.findall(r'name="(captions-(?:\w+_FORMS|\d+-id|\d+-video))" value="([^"]+)"', page))
    number = int(kept["captions-INITIAL_FORMS"])
    form = kept | {
        "csrfmiddlewaretoken": author.cookies["csrftoken"],
        "title": "Otters",
        "access_level": "entitled",
        "assets-TOTAL_FORMS": "0",
        "assets-INITIAL_FORMS": "0",
        "captions-TOTAL_FORMS": str(number + 1),
        f"captions-{number}-language": "de",
    }
    file = {f"captions-{number}-file": ("otters.vtt", "WEBVTT\n\n00:00.000 --> 00:02.000\nOtter!\n", "text/vtt")}
    answer = author.post(address, data=form, files=file, timeout=10)
    assert answer.url.endswith("/admin/videos/video/"), answer.text
    assert "Deutsch" in author.get(address, timeout=10).text
