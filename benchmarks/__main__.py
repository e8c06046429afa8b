"""`make bench`: prints a table of requests per second and of ratios to the calibration view. Needs wrk.

`python -m benchmarks heartbeat` measures the named paths alone, `python -m benchmarks payments` the deliveries of
payments, `python -m benchmarks tus` files that come through this server, `python -m benchmarks licences` the
licence server, `python -m benchmarks encode` an encoding beside a bare ffmpeg (without wrk).
"""

import os
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

import requests

from benchmarks import encode, licences, payments, running, tus
from benchmarks.load import Call, Result, wrk
from benchmarks.slow_host import slow_vdocipher
from quality.postgres import running_postgres

SECONDS = 6
HOST_LATENCY_S = 0.2
TARGETS = {
    "course list, 20 cards": 0.15,
    "course list, 304": 0.5,
    "course detail, 200 lessons": 0.06,
    "my orders, 20": 0.15,
    # Before the grants, which end the sessions that these heartbeats report on.
    "heartbeat": 0.30,
    "playback grant": 0.20,
    "playback grant, Cloudflare's signature": 0.15,
    "webhook, verified and stored": 0.20,
}


def main() -> int:
    if not sys.argv[1:] or "encode" in sys.argv[1:]:
        encode.measure()
    if sys.argv[1:] == ["encode"]:
        return 0
    if not shutil.which("wrk"):
        print("wrk is not on the PATH (Debian: apt-get install wrk).", file=sys.stderr)
        return 1
    with (
        running_postgres(os.environ.get("DATABASE_URL", "")) as database_url,
        tempfile.TemporaryDirectory(prefix="eleven-tutors-bench-") as state,
        slow_vdocipher(HOST_LATENCY_S) as host_url,
        running.stand_ins(Path(state)) as sandbox_url,
    ):
        environment = running.environment(database_url, state, host_url) | running.with_payments(sandbox_url)
        environment |= tus.with_uploads(Path(state))
        seeded = running.seeded(environment)
        calls = {name: [Call(**call) for call in group] for name, group in seeded.items()}
        with running.server(environment, Path(state) / "server.log", workers=1) as base_url:
            yardstick = _measure(base_url, calls, sys.argv[1:])
            if not sys.argv[1:] or "payments" in sys.argv[1:]:
                payments.measure(base_url, environment, yardstick=yardstick, seconds=SECONDS)
            if not sys.argv[1:] or "tus" in sys.argv[1:]:
                tus.measure(base_url, environment, Path(state))
        if not sys.argv[1:] or "licences" in sys.argv[1:]:
            licences.measure(environment, Path(state), seconds=SECONDS)
        if sys.argv[1:]:
            return 0
        print(f"\nOTP with a host that takes {HOST_LATENCY_S * 1000:.0f} ms\n")
        print("| workers | in flight | requests/s | p50 ms | p90 ms | own overhead p90 ms | errors |")
        print("|---|---|---|---|---|---|---|")
        for workers in (1, 2):
            with running.server(environment, Path(state) / "server.log", workers=workers) as base_url:
                _measure_otp(base_url, calls["otp"], workers)
    return 0


def _measure(base_url: str, calls: dict[str, list[Call]], names: list[str]) -> float:
    """Print the table; gives the rate of the calibration view."""

    def run(group: list[Call], connections: int = 16) -> Result:
        return wrk(base_url, group, connections=connections, seconds=SECONDS)

    run(calls["calibration"])
    yardstick = run(calls["calibration"])
    if yardstick.bad_status or yardstick.broken:
        raise RuntimeError(f"The calibration view failed {yardstick.bad_status + yardstick.broken} times.")
    print(f"calibration view: {yardstick.rate:.0f} requests/s, p90 {yardstick.p90_ms:.1f} ms\n")
    print("| path | requests/s | ratio | wanted | p50 ms | p90 ms | errors |\n|---|---|---|---|---|---|---|")
    calls["course list, 304"] = [Call("GET", "/api/courses/courses/", etag=_etag(base_url))]
    calls["heartbeat"] = _heartbeats(base_url, calls["playback grant"])
    for name, wanted in TARGETS.items():
        if names and name not in names:
            continue
        result = run(calls[name])
        ratio = result.rate / yardstick.rate
        cells = (f"{result.rate:.0f}", f"{ratio:.2f}", f"{wanted:.2f}", f"{result.p50_ms:.1f}", f"{result.p90_ms:.1f}")
        print(f"| {name} | {' | '.join(cells)} | {result.bad_status + result.broken} |", flush=True)
    return yardstick.rate


def _measure_otp(base_url: str, calls: list[Call], workers: int) -> None:
    wrk(base_url, calls, connections=50, seconds=3)
    for in_flight in (20, 200):
        result = wrk(base_url, calls, connections=in_flight, seconds=SECONDS)
        overhead = result.p90_ms - HOST_LATENCY_S * 1000
        cells = (f"{result.rate:.0f}", f"{result.p50_ms:.0f}", f"{result.p90_ms:.0f}", f"{overhead:.0f}")
        print(f"| {workers} | {in_flight} | {' | '.join(cells)} | {result.bad_status + result.broken} |", flush=True)


def _etag(base_url: str) -> str:
    return requests.get(f"{base_url}/api/courses/courses/", timeout=10).headers.get("ETag", "")


def _heartbeats(base_url: str, grants: list[Call]) -> list[Call]:
    """One session per student, then the heartbeats of all in turn: 2 s played and a jump between any two."""
    sessions = []
    for grant in grants:
        answer = requests.post(
            base_url + grant.path, json=grant.body, headers={"Authorization": f"Bearer {grant.token}"}, timeout=10
        )
        answer.raise_for_status()
        sessions.append(answer.json()["session"])
    return [_heartbeat(session, seq) for seq in range(1, 40) for session in sessions]


def _heartbeat(session: dict[str, Any], seq: int) -> Call:
    position = seq * 10.0
    report = {"seq": seq, "position": position, "played": [[position - 2, position]], "qoe": {"stall_count": seq}}
    return Call("POST", session["heartbeat_url"], body={"token": session["token"]} | report)


if __name__ == "__main__":
    sys.exit(main())
