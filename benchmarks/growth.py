"""`make bench-growth`: what reading and watching cost at 100,000 and at 10,000,000 sessions, on PostgreSQL.

Both databases are filled first (some minutes, about 10 GB), then measured in turns, so that other load on the machine
meets both alike. `python -m benchmarks.growth 1000000` takes another number for the large one.
"""

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

import psycopg2

from benchmarks import running
from quality.postgres import running_postgres

SMALL, LARGE = 100_000, 10_000_000
WANTED = 1.5
ROUNDS, REPEATS = 20, 10
STUDENTS = 200


def main() -> int:
    large = int(sys.argv[1]) if len(sys.argv) > 1 else LARGE
    with (
        running_postgres(os.environ.get("DATABASE_URL", "")) as url,
        tempfile.TemporaryDirectory(prefix="eleven-tutors-growth-") as state,
        _database(url, "growth_small") as small_url,
        _database(url, "growth_large") as large_url,
    ):
        for size, database_url in ((SMALL, small_url), (large, large_url)):
            began = time.perf_counter()
            if _run(["fill", str(size)], database_url, state).wait():
                return 1
            print(f"{size:>10,} sessions filled in {time.perf_counter() - began:.0f} s", flush=True)
        return _report(large, _measure([small_url, large_url], state))


@contextmanager
def _database(server_url: str, name: str) -> Iterator[str]:
    """The URL of a database of that name on the server, which goes afterwards."""
    connection = psycopg2.connect(server_url)
    connection.autocommit = True
    cursor = connection.cursor()
    cursor.execute(f"DROP DATABASE IF EXISTS {name}")
    cursor.execute(f"CREATE DATABASE {name}")
    try:
        yield urlsplit(server_url)._replace(path=f"/{name}").geturl()
    finally:
        cursor.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
        connection.close()


def _run(arguments: list[str], database_url: str, state: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-m", "benchmarks.growth_site", *arguments],
        env=running.environment(database_url, state, "http://127.0.0.1:1/nobody-listens-here"),
        cwd=running.BASE_DIR,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def _measure(urls: list[str], state: str) -> list[dict[str, list[float]]]:
    """Milliseconds by path, for each database; one round of each after the other."""
    sites = [_run(["measure", str(REPEATS), str(STUDENTS)], url, state) for url in urls]
    taken: list[dict[str, list[float]]] = [defaultdict(list) for _ in sites]
    try:
        for number in range(ROUNDS + 1):
            for site, times in zip(sites, taken, strict=True):
                for path, milliseconds in _ask(site).items():
                    if number:  # the first is for warming up
                        times[path] += milliseconds
    finally:
        for site in sites:
            site.kill()
            site.wait()
    return taken


def _ask(site: "subprocess.Popen[str]") -> dict[str, list[float]]:
    assert site.stdin
    assert site.stdout
    site.stdin.write("round\n")
    site.stdin.flush()
    line = site.stdout.readline()
    if not line:
        raise RuntimeError("A measured process ended; its error stands above.")
    answer: dict[str, list[float]] = json.loads(line)
    return answer


def _report(large: int, taken: list[dict[str, list[float]]]) -> int:
    print(f"\n| path | ms at {SMALL:,} (p50 · p90) | ms at {large:,} (p50 · p90) | ratio of p50 | wanted |")
    print("|---|---|---|---|---|")
    is_met = True
    for path, before in taken[0].items():
        after = taken[1][path]
        ratio = statistics.median(after) / statistics.median(before)
        is_met &= ratio <= WANTED or path.startswith("(")
        print(f"| {path} | {_cell(before)} | {_cell(after)} | {ratio:.2f} | {WANTED if path[0] != '(' else ''} |")
    return 0 if is_met else 1


def _cell(times: list[float]) -> str:
    return f"{statistics.median(times):.1f} · {statistics.quantiles(times, n=10)[-1]:.1f}"


if __name__ == "__main__":
    sys.exit(main())
