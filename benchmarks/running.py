"""The project as it is measured: seeded on PostgreSQL, served by granian."""

import base64
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import requests
from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.algorithms import RSAAlgorithm

from embedded.run import SERVER_THREADS

BASE_DIR = Path(__file__).resolve().parent.parent
SANDBOX_KEY = "sk_test_sandbox_benchmark"
WEBHOOK_SECRET = "whsec_sandbox_benchmark"


def environment(database_url: str, state: str, host_url: str) -> dict[str, str]:
    """What the measured processes get in their environment; `state` is their folder, `host_url` VdoCipher's."""
    return os.environ | {
        "DJANGO_SETTINGS_MODULE": "benchmarks.settings",
        "DATABASE_URL": database_url,
        "VAR_DIR": state,
        "READ_DOTENV": "0",
        "DEBUG": "0",
        "SECRET_KEY": "benchmark" * 8,
        "ALLOWED_HOSTS": "127.0.0.1",
        "SECURE_SSL_REDIRECT": "0",
        "CELERY_BROKER_URL": "memory://",
        "VIDEO_SERVICE_SECRET_KEY": "vdo_sandbox_benchmark",
        "VDOCIPHER_API_URL": host_url,
        "LOG_LEVEL": "ERROR",
        "BENCHMARK_SIGNING_KEY": _signing_key(),
    }


def _signing_key() -> str:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    jwk = RSAAlgorithm.to_jwk(key, as_dict=True) | {"kid": "benchmark", "alg": "RS256", "use": "sig"}
    return base64.b64encode(json.dumps(jwk).encode()).decode()


def seeded(variables: dict[str, str], *, students: int = 400) -> dict[str, Any]:
    """Fill the database and give the calls that the load is made of, by name."""
    command = [sys.executable, "-m", "benchmarks.seed", str(students)]
    done = subprocess.run(command, env=variables, cwd=BASE_DIR, stdout=subprocess.PIPE, check=True)
    calls: dict[str, Any] = json.loads(done.stdout)
    return calls


def with_payments(sandbox_url: str) -> dict[str, str]:
    """What the measured processes get besides, to be paid at the stand-in for Stripe."""
    return {
        "STRIPE_SECRET_KEY": SANDBOX_KEY,
        "STRIPE_WEBHOOK_SECRET": WEBHOOK_SECRET,
        "STRIPE_API_BASE": f"{sandbox_url}/stripe",
        "STRIPE_SUPPRESS_NOTICES": "true",
        "PAYMENTS_ENV": "benchmark",
    }


@contextmanager
def stand_ins(folder: Path) -> Iterator[str]:
    """The address of stand-ins in a process of their own."""
    port, state = free_port(), folder / "sandbox"
    command = [sys.executable, "-m", "sandbox", f"--port={port}", f"--state-dir={state}"]
    variables = os.environ | {"SANDBOX_STRIPE_SECRET_KEY": SANDBOX_KEY}
    with (folder / "sandbox.log").open("wb") as log:
        process = subprocess.Popen(command, env=variables, cwd=BASE_DIR, stdout=log, stderr=log)
    try:
        for _ in range(100):
            if (state / "sandbox.json").exists():
                break
            time.sleep(0.1)
        else:
            raise RuntimeError(f"The stand-ins did not come up:\n{(folder / 'sandbox.log').read_text()[-3000:]}")
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(15)


@contextmanager
def server(environment: dict[str, str], log_path: Path, *, workers: int) -> Iterator[str]:
    port = free_port()
    command = [
        sys.executable,
        "-m",
        "granian",
        "--interface=wsgi",
        "--host=127.0.0.1",
        f"--port={port}",
        f"--workers={workers}",
    ]
    command += [f"--blocking-threads={SERVER_THREADS}", "--log-level=warning", "eleven_tutors.wsgi:application"]
    with log_path.open("wb") as log:
        server = subprocess.Popen(command, env=environment, cwd=BASE_DIR, stdout=log, stderr=log)
    base_url = f"http://127.0.0.1:{port}"
    try:
        for _ in range(100):
            try:
                requests.get(f"{base_url}/calibration/", timeout=2).raise_for_status()
                break
            except requests.RequestException:
                time.sleep(0.2)
        else:
            raise RuntimeError(f"The server did not come up:\n{log_path.read_text()[-3000:]}")
        yield base_url
    finally:
        server.terminate()
        server.wait(15)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
