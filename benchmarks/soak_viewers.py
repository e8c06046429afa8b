"""`make soak-viewers`: a thousand students watch for ten minutes; nothing fails, and what they saw is kept exactly.

Each sends a heartbeat every 10 s, jumps now and then, and starts another viewing every few minutes. At the end the
rows are held against what the students know they watched.
"""

import argparse
import heapq
import http.client
import json
import os
import random
import statistics
import sys
import tempfile
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from benchmarks import running
from quality.postgres import running_postgres

BEAT_S = 10.0
DURATION_S = 3600
JUMP_SHARE = 0.1
NEW_START_SHARE = 0.03
GENERATOR_THREADS = 32
P95_WANTED_MS = 150.0


@dataclass
class Student:
    """One simulated student and what it has watched, in whole seconds of the video."""

    start: dict[str, Any]
    position: int = 0
    seq: int = 0
    session: dict[str, Any] | None = None
    seen: set[int] = field(default_factory=set)


@dataclass
class Tally:
    """What the students met, safe to write from several threads."""

    latencies_ms: dict[str, list[float]] = field(default_factory=lambda: {"grant": [], "heartbeat": []})
    failures: list[str] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def note(self, kind: str, started: float, status: int, body: bytes, *, wanted: int = 200) -> bool:
        with self.lock:
            self.latencies_ms[kind].append((time.monotonic() - started) * 1000)
            if status != wanted:
                self.failures.append(f"{kind}: {status} {body[:200]!r}")
        return status == wanted


class Connection:
    """One keep-alive connection to the server, opened anew when it was closed."""

    def __init__(self, base_url: str) -> None:
        self._netloc = urlsplit(base_url).netloc
        self._http: http.client.HTTPConnection | None = None

    def post(self, path: str, body: dict[str, Any], token: str = "") -> tuple[int, bytes]:
        headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {token}"} if token else {})
        if self._http is None:
            self._http = http.client.HTTPConnection(self._netloc, timeout=30)
        try:
            self._http.request("POST", path, json.dumps(body), headers)
            answer = self._http.getresponse()
            return answer.status, answer.read()
        except (OSError, http.client.HTTPException) as error:
            self._http.close()
            self._http = None
            return 0, repr(error).encode()


class Crowd:
    """The students in the order in which they are due, worked off by a few threads."""

    def __init__(self, base_url: str, students: list[Student], seconds: float) -> None:
        self.base_url = base_url
        self.students = students
        self.tally = Tally()
        self._lock = threading.Lock()
        begin = time.monotonic()
        self._until = begin + seconds
        self._due = [(begin + random.uniform(0, BEAT_S), number) for number in range(len(students))]
        heapq.heapify(self._due)

    def watch(self) -> None:
        threads = [threading.Thread(target=self._work, daemon=True) for _ in range(GENERATOR_THREADS)]
        for thread in threads:
            thread.start()
        while any(thread.is_alive() for thread in threads):
            left = max(0, self._until - time.monotonic())
            print(f"\r{left:4.0f} s left, {len(self.tally.failures)} failures ", end="", file=sys.stderr, flush=True)
            time.sleep(1)
        print(file=sys.stderr)

    def _work(self) -> None:
        connection = Connection(self.base_url)
        while (number := self._next()) is not None:
            self._act(self.students[number], connection)
            with self._lock:
                heapq.heappush(self._due, (time.monotonic() + BEAT_S, number))

    def _next(self) -> int | None:
        while time.monotonic() < self._until:
            with self._lock:
                if self._due and self._due[0][0] <= time.monotonic():
                    return heapq.heappop(self._due)[1]
            time.sleep(0.005)
        return None

    def _act(self, student: Student, connection: Connection) -> None:
        if student.session is None or random.random() < NEW_START_SHARE:
            self._start(student, connection)
            return
        begin, end = student.position, min(student.position + int(BEAT_S), DURATION_S)
        student.seq += 1
        body = {"token": student.session["token"], "seq": student.seq, "position": end, "played": [[begin, end]]}
        started = time.monotonic()
        if self.tally.note("heartbeat", started, *connection.post(student.session["heartbeat_url"], body)):
            student.seen.update(range(begin, end))
        jumps = end >= DURATION_S or random.random() < JUMP_SHARE
        student.position = random.randrange(0, DURATION_S - 60) if jumps else end

    def _start(self, student: Student, connection: Connection) -> None:
        started = time.monotonic()
        status, body = connection.post(student.start["path"], student.start["body"], student.start["token"])
        if self.tally.note("grant", started, status, body):
            student.session, student.seq = json.loads(body)["session"], 0


def main() -> int:
    parser = argparse.ArgumentParser(prog="make soak-viewers", description=__doc__)
    parser.add_argument("--students", type=int, default=1000)
    parser.add_argument("--seconds", type=int, default=600)
    options = parser.parse_args()
    with (
        running_postgres(os.environ.get("DATABASE_URL", "")) as database_url,
        tempfile.TemporaryDirectory(prefix="eleven-tutors-soak-") as state,
    ):
        variables = running.environment(database_url, state, "http://127.0.0.1:1")
        starts = running.seeded(variables, students=options.students)["playback grant"]
        with running.server(variables, Path(state) / "server.log", workers=2) as base_url:
            crowd = Crowd(base_url, [Student(start=start) for start in starts], options.seconds)
            crowd.watch()
        lost = _lost(variables, crowd.students)
    return _report(crowd.tally, lost)


def _lost(variables: dict[str, str], students: list[Student]) -> int:
    """How many students' rows differ from what they watched."""
    os.environ.update(variables)
    import django  # noqa: PLC0415 (settings first)

    django.setup()
    from videos.models import VideoProgress  # noqa: PLC0415

    rows = VideoProgress.objects.values_list("viewer__user__username", "played")
    kept = {name: {s for a, b in played for s in range(a // 1000, b // 1000)} for name, played in rows}
    return sum(kept.get(f"student{number}", set()) != student.seen for number, student in enumerate(students))


def _report(tally: Tally, lost: int) -> int:
    print("| call | number | p50 ms | p95 ms | max ms |\n|---|---|---|---|---|")
    slowest = 0.0
    for kind, values in tally.latencies_ms.items():
        cuts = statistics.quantiles(values, n=100)
        slowest = max(slowest, cuts[94])
        print(f"| {kind} | {len(values)} | {cuts[49]:.0f} | {cuts[94]:.0f} | {max(values):.0f} |")
    print(f"\n{len(tally.failures)} failures, {lost} students whose progress is not what they watched")
    print("\n".join(tally.failures[:10]))
    return int(bool(tally.failures or lost) or slowest >= P95_WANTED_MS)


if __name__ == "__main__":
    sys.exit(main())
