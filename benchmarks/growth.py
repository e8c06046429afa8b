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
from dataclasses import dataclass
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
        database(url, "growth_small") as small_url,
        database(url, "growth_large") as large_url,
    ):
        site = Site("benchmarks.growth_site", running.environment("", state, "http://127.0.0.1:1/nobody-listens-here"))
        for size, database_url in ((SMALL, small_url), (large, large_url)):
            site.fill(size, database_url, "sessions")
        taken = site.measure([small_url, large_url], [str(REPEATS), str(STUDENTS)], rounds=ROUNDS)
        return report((SMALL, large), taken, wanted=WANTED)


@contextmanager
def database(server_url: str, name: str) -> Iterator[str]:
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


@dataclass(frozen=True)
class Site:
    """What fills and measures one database in a process of its own: a module, and the environment it runs in."""

    module: str
    environment: dict[str, str]

    def fill(self, size: int, database_url: str, what: str) -> None:
        """Raises RuntimeError when it fails; its error is on the screen then."""
        began = time.perf_counter()
        if self.run(["fill", str(size)], database_url):
            raise RuntimeError(f"{size:,} {what} could not be filled in.")
        print(f"{size:>10,} {what} filled in {time.perf_counter() - began:.0f} s", flush=True)

    def measure(self, urls: list[str], arguments: list[str], *, rounds: int) -> list[dict[str, list[float]]]:
        """Milliseconds by path, for each database; one round of each after the other."""
        processes = [self._start(["measure", *arguments], url) for url in urls]
        taken: list[dict[str, list[float]]] = [defaultdict(list) for _ in processes]
        try:
            for number in range(rounds + 1):
                for process, times in zip(processes, taken, strict=True):
                    for path, milliseconds in _ask(process).items():
                        if number:  # the first is for warming up
                            times[path] += milliseconds
        finally:
            for process in processes:
                process.kill()
                process.wait()
        return taken

    def run(self, arguments: list[str], database_url: str) -> int:
        """What the process ends with; it says what it has to say on the screen."""
        process = self._start(arguments, database_url)
        print(process.communicate()[0], end="", flush=True)
        return process.returncode

    def _start(self, arguments: list[str], database_url: str) -> "subprocess.Popen[str]":
        return subprocess.Popen(
            [sys.executable, "-m", self.module, *arguments],
            env=self.environment | {"DATABASE_URL": database_url},
            cwd=running.BASE_DIR,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )


def _ask(process: "subprocess.Popen[str]") -> dict[str, list[float]]:
    assert process.stdin
    assert process.stdout
    process.stdin.write("round\n")
    process.stdin.flush()
    line = process.stdout.readline()
    if not line:
        raise RuntimeError("A measured process ended; its error stands above.")
    answer: dict[str, list[float]] = json.loads(line)
    return answer


def report(sizes: tuple[int, int], taken: list[dict[str, list[float]]], *, wanted: float) -> int:
    """Print the table; 1 when a path grew more than wanted, those in brackets left out."""
    small, large = sizes
    print(f"\n| path | ms at {small:,} (p50 · p90) | ms at {large:,} (p50 · p90) | ratio of p50 | wanted |")
    print("|---|---|---|---|---|")
    is_met = True
    for path, before in taken[0].items():
        after = taken[1][path]
        ratio = statistics.median(after) / statistics.median(before)
        is_met &= ratio <= wanted or path.startswith("(")
        print(f"| {path} | {_cell(before)} | {_cell(after)} | {ratio:.2f} | {wanted if path[0] != '(' else ''} |")
    return 0 if is_met else 1


def _cell(times: list[float]) -> str:
    return f"{statistics.median(times):.1f} · {statistics.quantiles(times, n=10)[-1]:.1f}"


if __name__ == "__main__":
    sys.exit(main())
