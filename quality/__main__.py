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
PYTEST = [PYTHON, "-m", "pytest", "-q", "--dist=worksteal"]
ON_SQLITE = [*PYTEST, "-n4"]
# The pages talk to the API alone, so one run of the browser is enough.
ON_POSTGRES = [*PYTEST, "-n2", "-m", "not browser and not live and not one_database"]


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
# The longest first. "known holes" waits for a network, so that it costs none of the processor's time.
CHECKS = [
    Check("known holes", [PYTHON, "-m", "quality.audit"], shows_output=True),
    Check("types", [PYTHON, "-m", "mypy", "--no-error-summary"]),
    Check("collection", [PYTHON, "-m", "pytest", "--collect-only", "-qq"]),
    Check("schema", _manage("spectacular", "--validate", "--fail-on-warn", "--file", os.devnull)),
    Check("deployment", _manage("check", "--deploy", "--fail-level=WARNING"), PRODUCTION),
    Check("migrations", _manage("makemigrations", "--check", "--dry-run")),
    Check("wheel", [PYTHON, "-m", "quality.wheel"], shows_output=True),
    Check("style", [PYTHON, "-m", "ruff", "check", "--quiet", "."]),
    Check("format", [PYTHON, "-m", "ruff", "format", "--check", "--quiet", "."]),
    Check("layers", [str(Path(PYTHON).parent / "lint-imports"), "--no-cache"]),
    Check("licences", [PYTHON, "-m", "quality.licences"], shows_output=True),
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
    # Some images forbid Python to keep what it compiled: every test process would compile everything anew.
    unwanted = ("DEBUG", "SECRET_KEY", "ALLOWED_HOSTS", "FRONTEND_URL", "DATABASE_URL", "PYTHONDONTWRITEBYTECODE")
    for name in unwanted:
        kept.pop(name, None)
    return kept | {"READ_DOTENV": "0", "VAR_DIR": str(state)}


def _run_checks(environment: dict[str, str]) -> bool:
    with ThreadPoolExecutor(max_workers=3) as pool:
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
    """Both databases at once, since browsers and brokers are waited for more than worked for; SQLite's run is shown."""
    if not (shutil.which("chromium") and shutil.which("chromedriver")):
        print("\n*** No Chromium with chromedriver on the PATH: the browser tests are SKIPPED (in CI they fail). ***\n")
    with (
        running_postgres(os.environ.get("DATABASE_URL", ""), may_forget=True) as url,
        tempfile.TemporaryFile() as output,
        subprocess.Popen(
            ON_POSTGRES, env=environment | {"DATABASE_URL": url}, cwd=BASE_DIR, stdout=output, stderr=subprocess.STDOUT
        ) as beside,
    ):
        print("\nTests on SQLite (those on PostgreSQL run beside them)", flush=True)
        on_sqlite = subprocess.run(ON_SQLITE, env=environment, cwd=BASE_DIR, check=False).returncode
        on_postgres = beside.wait()
        print("\nTests on PostgreSQL", flush=True)
        output.seek(0)
        shutil.copyfileobj(output, sys.stdout.buffer)
        sys.stdout.flush()
    if on_sqlite:
        print("The tests on SQLite FAILED (above).", flush=True)
        print(f"{0 if on_postgres else 1} passed, 1 failed", flush=True)
    return on_sqlite or on_postgres


if __name__ == "__main__":
    sys.exit(main(sys.argv[1] if len(sys.argv) > 1 else "all"))
