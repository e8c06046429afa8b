"""`make run`: set everything up, start every process, stay in the foreground, stop them all."""

import fcntl
import json
import signal
import socket
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import FrameType

import requests

from embedded import tools
from embedded.environment import CLOUDFLARE, Plan, make_plan
from embedded.processes import ProcessFailed, Service, run_to_end, stop_all

BASE_DIR = Path(__file__).resolve().parent.parent
PYTHON = sys.executable
SERVER_THREADS = "48"
START_TIMEOUT_S = 60
ACCOUNTS = ("student@demo.test", "instructor@demo.test", "admin@demo.test")
UPLOADS = "go to our own host, are encrypted and encoded on this machine"
PASSWORD = "demo-11tutors"  # noqa: S105 (the demo's, created with DEBUG on alone)


class CannotStart(Exception):
    """Why `make run` gave up, in words for the person at the terminal."""


class _Stop(Exception):
    pass


def main() -> int:
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _stop)
    services: list[Service] = []
    try:
        plan = make_plan(BASE_DIR)
        with _only_one(plan.var_dir):
            _start(plan, services)
            _announce(plan)
            _watch(services)
    except _Stop:
        _say("Stopping …")
    except (CannotStart, ProcessFailed) as error:
        print(f"\n11Tutors could not start. {error}", file=sys.stderr)
        return 1
    finally:
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_IGN)
        stop_all(services)
    _say("Stopped.")
    return 0


def _start(plan: Plan, services: list[Service]) -> None:
    for name, port in (("PORT", plan.port), ("SANDBOX_PORT", plan.sandbox_port)):
        _require_free(name, port)
    environment = dict(plan.environment)
    if plan.stand_ins:
        _say("Starting the sandbox …")
        sandbox = _start_sandbox(plan)
        services.append(sandbox)
        environment |= _wait_for_sandbox(plan, sandbox)
    _say("Preparing the database …")
    run_to_end([PYTHON, "manage.py", "migrate", "--no-input", "-v", "0"], environment)
    if environment["DEBUG"].lower() in ("1", "true", "yes", "on"):
        _say("Filling in the demo data …")
        run_to_end([PYTHON, "manage.py", "seed_demo"], environment)
    else:
        run_to_end([PYTHON, "manage.py", "collectstatic", "--no-input", "-v", "0"], environment)
    _say("Starting worker, beat and server …")
    celery = ("-m", "celery", "-A", "eleven_tutors")
    quiet = ("--without-gossip", "--without-mingle", "--without-heartbeat")
    worker = (*celery, "worker", "--pool=threads", "-lINFO", *quiet)
    services.append(_service("worker", plan, environment, *worker, "-Qdefault", "--concurrency=2", "-nworker@%h"))
    transcoder = ("-Qtranscode", "--concurrency=1", "--prefetch-multiplier=1", "-ntranscoder@%h")
    services.append(_service("transcoder", plan, environment, *worker, *transcoder))
    services.append(_service("beat", plan, environment, *celery, "beat", "-lWARNING", "--pidfile="))
    server = _service("server", plan, environment, "-m", "granian", *_server_arguments(plan))
    services.append(server)
    _wait_until_ready(plan, server)


def _service(name: str, plan: Plan, environment: dict[str, str], *arguments: str) -> Service:
    service = Service(name, [PYTHON, *arguments], environment, plan.var_dir / "log" / f"{name}.log")
    service.start()
    return service


def _start_sandbox(plan: Plan) -> Service:
    token = plan.environment.get("VDOCIPHER_WEBHOOK_SECRET", "")
    environment = plan.environment | {
        "SANDBOX_STRIPE_WEBHOOK_URL": f"{plan.url}api/payments/stripe/webhook/",
        "SANDBOX_VDOCIPHER_WEBHOOK_URL": f"{plan.url}api/videos/webhooks/vdocipher/?token={token}",
    }
    if CLOUDFLARE in plan.stand_ins:
        environment |= {
            "SANDBOX_CLOUDFLARE_WEBHOOK_URL": f"{plan.url}api/videos/webhooks/cloudflare/",
            "SANDBOX_CLOUDFLARE_WEBHOOK_SECRET": environment["CLOUDFLARE_STREAM_WEBHOOK_SECRET"],
            "SANDBOX_CLOUDFLARE_SIGNING_KEY": environment["CLOUDFLARE_STREAM_SIGNING_KEY"],
        }
    arguments = (f"--port={plan.sandbox_port}", f"--state-dir={plan.var_dir / 'sandbox'}")
    return _service("sandbox", plan, environment, "-m", "sandbox", *arguments)


def _server_arguments(plan: Plan) -> tuple[str, ...]:
    return (
        "--interface=wsgi",
        "--host=127.0.0.1",
        f"--port={plan.port}",
        "--workers=1",
        f"--blocking-threads={SERVER_THREADS}",
        "--respawn-failed-workers",
        "--log-level=warning",
        "eleven_tutors.wsgi:application",
    )


def _wait_for_sandbox(plan: Plan, sandbox: Service) -> dict[str, str]:
    state_file = plan.var_dir / "sandbox" / "sandbox.json"
    _wait(sandbox, lambda: requests.get(f"{plan.sandbox_url}/mail/messages.json", timeout=2).ok and state_file.exists())
    if "mail" in plan.stand_ins:
        return {"EMAIL_PORT": str(json.loads(state_file.read_text())["smtp_port"])}
    return {}


def _wait_until_ready(plan: Plan, server: Service) -> None:
    _wait(server, lambda: requests.get(f"{plan.url}api/health/ready/", timeout=5).ok)


def _wait(service: Service, is_up: Callable[[], bool]) -> None:
    deadline = time.monotonic() + START_TIMEOUT_S
    while time.monotonic() < deadline:
        if service.process is not None and service.process.poll() is not None:
            break
        try:
            if is_up():
                return
        except requests.RequestException:
            pass
        time.sleep(0.2)
    raise CannotStart(f"The {service.name} did not come up. The end of {service.log_path}:\n{service.tail()}")


def _require_free(name: str, port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            raise CannotStart(f"Port {port} is taken. Choose another: make run {name}={port + 10}") from None


class _only_one:
    """One `make run` per state folder: two would share a database and a sandbox that know different ports."""

    def __init__(self, var_dir: Path) -> None:
        var_dir.mkdir(parents=True, exist_ok=True)
        self._file = (var_dir / "run.lock").open("w")

    def __enter__(self) -> None:
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise CannotStart("It is running already from this folder (var/run.lock is held).") from None

    def __exit__(self, *exception: object) -> None:
        self._file.close()


def _announce(plan: Plan) -> None:
    _say(f"\n11Tutors is running at {plan.url}")
    if plan.environment["DEBUG"].lower() in ("1", "true", "yes", "on"):
        _say(f"  Accounts   {', '.join(ACCOUNTS)} (password {PASSWORD})")
    _say(f"  Admin      {plan.url}admin/        API {plan.url}api/docs/")
    if "mail" in plan.stand_ins:
        _say(f"  Inbox      {plan.sandbox_url}/mail")
    if plan.stand_ins:
        _say(f"  Stand-ins  {', '.join(plan.stand_ins)}: {plan.sandbox_url}/")
    _say(f"  Uploads    {UPLOADS if tools.are_there() else tools.WITHOUT}")
    _say(f"  Real       {', '.join(plan.real) or 'none: no key of an outside service is set'}")
    _say(f"  Logs       {plan.var_dir / 'log'}        Stop with Ctrl-C")


def _watch(services: list[Service]) -> None:
    while True:
        for service in services:
            line = service.keep_alive()
            if line:
                _say(line)
        time.sleep(0.5)


def _say(line: str) -> None:
    print(line, flush=True)


def _stop(number: int, frame: FrameType | None) -> None:
    raise _Stop


if __name__ == "__main__":
    sys.exit(main())
