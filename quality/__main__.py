"""`python -m quality [checks|tests|all]`. The test runner's closing line comes last."""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from quality.postgres import running_postgres

BASE_DIR = Path(__file__).resolve().parent.parent
PYTHON = sys.executable
PYTEST = [PYTHON, "-m", "pytest", "-q", "-n4", "--dist=worksteal"]


@dataclass(frozen=True)
class Check:
    name: str
    command: list[str]
    environment: dict[str, str] = field(default_factory=dict)
    shows_output: bool = False


def _manage(*arguments: str) -> list[str]:
    return [PYTHON, "manage.py", *arguments]


PRODUCTION = {
    "DEBUG": "0",
    "SECRET_KEY": "only-for-this-check-Zk3v9QmX7rT2wLs8Yb5NcD4fGh6JpKe1-0aUiOqWxRtEy",
    "ALLOWED_HOSTS": "school.example",
    "FRONTEND_URL": "https://school.example",
}
CHECKS = [
    Check("style", [PYTHON, "-m", "ruff", "check", "--quiet", "."]),
    Check("format", [PYTHON, "-m", "ruff", "format", "--check", "--quiet", "."]),
    Check("types", [PYTHON, "-m", "mypy", "--no-error-summary"]),
    Check("layers", [str(Path(PYTHON).parent / "lint-imports"), "--no-cache"]),
    Check("migrations", _manage("makemigrations", "--check", "--dry-run")),
    Check("deployment", _manage("check", "--deploy", "--fail-level=WARNING"), PRODUCTION),
    Check("schema", _manage("spectacular", "--validate", "--fail-on-warn", "--file", os.devnull)),
    Check("wheel", [PYTHON, "-m", "quality.wheel"], shows_output=True),
    Check("licences", [PYTHON, "-m", "quality.licences"], shows_output=True),
    Check("known holes", [PYTHON, "-m", "quality.audit"], shows_output=True),
]


def main(what: str) -> int:
    if what not in ("checks", "tests", "all"):
        print("Say one of: checks, tests, all", file=sys.stderr)
        return 2
    with tempfile.TemporaryDirectory(prefix="eleven-tutors-check-") as state:
        environment = _clean_environment(Path(state))
        if what != "tests" and not _run_checks(environment):
            return 1
        return 0 if what == "checks" else _run_tests(environment)


def _clean_environment(state: Path) -> dict[str, str]:
    hosts = ("VIDEO_", "VDOCIPHER_", "CLOUDFLARE_", "BUNNY_")
    ours = (*hosts, "STRIPE_", "R2_", "EMAIL_", "REDIS_", "CELERY_", "SENTRY_", "DJANGO_")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    for name in ("DEBUG", "SECRET_KEY", "ALLOWED_HOSTS", "FRONTEND_URL", "DATABASE_URL"):
        kept.pop(name, None)
    return kept | {"READ_DOTENV": "0", "VAR_DIR": str(state)}


def _run_checks(environment: dict[str, str]) -> bool:
    with ThreadPoolExecutor(max_workers=2) as pool:
        return all(list(pool.map(lambda check: _passes(check, environment), CHECKS)))


def _passes(check: Check, environment: dict[str, str]) -> bool:
    began = time.monotonic()
    done = subprocess.run(
        check.command,
        env=environment | {"DEBUG": "1"} | check.environment,
        cwd=BASE_DIR,
        capture_output=True,
        text=True,
        check=False,
    )
    took = time.monotonic() - began
    output = (done.stdout + done.stderr).strip()
    if done.returncode:
        print(f"FAILED  {check.name} ({took:.0f} s)\n{output}\n", flush=True)
        return False
    print(f"ok      {check.name} ({took:.0f} s)" + (f": {output}" if check.shows_output else ""), flush=True)
    return True


def _run_tests(environment: dict[str, str]) -> int:
    if not (shutil.which("chromium") and shutil.which("chromedriver")):
        print("\n*** No Chromium with chromedriver on the PATH: the browser tests are SKIPPED (in CI they fail). ***\n")
    print("\nTests on SQLite", flush=True)
    on_sqlite = subprocess.run(PYTEST, env=environment, cwd=BASE_DIR, check=False).returncode
    with running_postgres(os.environ.get("DATABASE_URL", ""), may_forget=True) as url:
        print("\nTests on PostgreSQL", flush=True)
        # The pages talk to the API alone, so one run of the browser is enough.
        command = [*PYTEST, "-m", "not browser and not live and not one_database"]
        on_postgres = subprocess.run(
            command, env=environment | {"DATABASE_URL": url}, cwd=BASE_DIR, check=False
        ).returncode
    if on_sqlite:
        print("The tests on SQLite FAILED (above).", flush=True)
        print(f"{0 if on_postgres else 1} passed, 1 failed", flush=True)
    return on_sqlite or on_postgres


if __name__ == "__main__":
    sys.exit(main(sys.argv[1] if len(sys.argv) > 1 else "all"))
