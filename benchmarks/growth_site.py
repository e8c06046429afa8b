"""One database of the growth measurement: `fill <sessions>`, or `measure`, which times a round for each line it reads.

Sessions: every viewer watches videos twice each, half of it and a bit again, evenly over 400 days.
"""

import json
import random
import sys
import time
from array import array
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from typing import Any
from uuid import UUID, uuid4

import django

VIDEOS, VIEWERS, DAYS = 2_000, 200_000, 400
LENGTH_S = 600
CHUNK = 500_000
_VIDEO_ID = "('00000000-0000-4000-8000-' || lpad(to_hex({}), 12, '0'))::uuid"
_PAIR_VIEWER, _PAIR_VIDEO = f"mod(pair, {VIEWERS})", f"mod(pair + pair / {VIEWERS} * 41, {VIDEOS})"

SESSIONS = f"""
INSERT INTO videos_playbacksession (public_id, viewer_id, video_id, asset_id, device_id, door, state, end_reason,
    is_counted, max_streams, created_at, expires_at, played_at, ended_at, last_seq, position_s, progress_id, played,
    seen_seqs, watched_ms, covered_ms, startup_ms, stall_count, stall_ms, error_count, rolled_up, ip, user_agent)
SELECT ('00000000-0000-4000-9000-' || lpad(to_hex(n), 12, '0'))::uuid, 1 + {_PAIR_VIEWER},
       {_VIDEO_ID.format(_PAIR_VIDEO)}, 1 + {_PAIR_VIDEO}, 'device', 'playback', 'ended', 'viewer', true, 3,
       began, began + interval '5 minutes', began, began + interval '8 minutes', 48, 300, 1 + pair,
       '[[0,300000,1],[400000,460000,2]]', '[[0,48]]', 420000, 360000, 400 + mod(n, 900), mod(n, 2), mod(n, 2) * 800, 0,
       '{{"counts":{{"views":1,"watched_ms":420000}},"asset":1,"runs":[[0,300,1],[400,460,2]]}}',
       ('10.' || mod(n, 250) || '.' || mod(n / 250, 250) || '.7')::inet, 'Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0'
  FROM (SELECT n, n / 2 AS pair, now() - interval '1 day' * {DAYS} * (1 - n / %(size)s::float) AS began
          FROM generate_series(%(first)s, %(last)s) n) numbers
"""
PROGRESS = f"""
INSERT INTO videos_videoprogress (viewer_id, video_id, played, covered_ms, duration_ms, position_s, is_counted, version,
    first_played_at, last_played_at, is_viewer_tallied, is_completion_tallied)
SELECT 1 + {_PAIR_VIEWER}, {_VIDEO_ID.format(_PAIR_VIDEO)}, '[[0,300000],[400000,460000]]', 360000,
       {LENGTH_S * 1000}, 300, true, 96, now(), now(), true, false
  FROM (SELECT generate_series(%(first)s / 2, %(last)s / 2) AS pair) numbers
"""
_SUMS = """
count(*) AS views, count(*) / 2 AS viewers, 0 AS completions, sum(watched_ms) AS watched_ms,
count(*) * 600 AS coverage_permille_sum, count(*) AS coverage_count, 0 AS cta_clicks, 0 AS likes, 0 AS shares,
sum(startup_ms) AS startup_ms_sum, count(*) AS startup_count, sum(stall_ms) AS stall_ms_sum,
sum(stall_count) AS stall_count, 0 AS error_count
"""
FIGURES = f"""
INSERT INTO videos_videofigures (video_id, updated_at, {{counters}})
SELECT video_id, now(), {_SUMS} FROM videos_playbacksession GROUP BY video_id
"""
FIGURE_DAYS = f"""
INSERT INTO videos_videoday (video_id, day, {{counters}})
SELECT video_id, (created_at AT TIME ZONE 'UTC')::date, {_SUMS} FROM videos_playbacksession GROUP BY 1, 2
"""


def main() -> None:
    django.setup()
    if sys.argv[1] == "fill":
        fill(int(sys.argv[2]))
    else:
        measure(repeats=int(sys.argv[2]), students=int(sys.argv[3]))


def fill(size: int) -> None:
    from django.core.management import call_command  # noqa: PLC0415 (settings first)
    from django.db import connection  # noqa: PLC0415

    from videos.services.figures import COUNTERS  # noqa: PLC0415

    call_command("migrate", verbosity=0)
    _make_videos()
    counters = ", ".join(COUNTERS)
    with connection.cursor() as cursor:
        # Rows that refer to each other are made in one go: foreign keys need no check, indexes are built at the end.
        cursor.execute("SET session_replication_role = replica; SET synchronous_commit = off")
        cursor.execute("SET maintenance_work_mem = '1GB'; SET work_mem = '256MB'")
        cursor.execute(
            "INSERT INTO videos_viewer (id, device_key, created_at) SELECT n, 'd' || n, now() FROM "
            f"generate_series(1, {VIEWERS}) n"
        )
        cursor.execute(f"SELECT setval(pg_get_serial_sequence('videos_viewer', 'id'), {VIEWERS})")
        indexes = _drop_indexes(cursor)
        for first in range(0, size, CHUNK):
            numbers = {"first": first, "last": min(first + CHUNK, size) - 1, "size": size}
            cursor.execute(SESSIONS, numbers)
            cursor.execute(PROGRESS, numbers)
        for definition in indexes:
            cursor.execute(definition)
        cursor.execute(FIGURES.format(counters=counters))
        cursor.execute(FIGURE_DAYS.format(counters=counters))
        cursor.execute("VACUUM ANALYZE")


def _drop_indexes(cursor: Any) -> list[str]:
    """Drop the indexes that only make reading fast; gives the statements that bring them back."""
    cursor.execute(
        "SELECT indexrelid::regclass::text, pg_get_indexdef(indexrelid) FROM pg_index WHERE NOT indisunique AND "
        "indrelid IN ('videos_playbacksession'::regclass, 'videos_videoprogress'::regclass)"
    )
    indexes = cursor.fetchall()
    for name, _ in indexes:
        cursor.execute(f"DROP INDEX {name}")
    return [definition for _, definition in indexes]


def _make_videos() -> None:
    from videos.models import Asset, AssetRetention, Protection, Video  # noqa: PLC0415

    ids = [UUID(f"00000000-0000-4000-8000-{number:012x}") for number in range(VIDEOS)]
    Video.objects.bulk_create(Video(id=pk, title=f"Video {pk.hex[-4:]}", access_level="public") for pk in ids)
    values = {"provider": "local", "status": "ready", "protection": Protection.OPEN, "duration_s": LENGTH_S}
    assets = [
        Asset(id=number + 1, video_id=pk, host_id=pk.hex, next_poll_at=None, **values) for number, pk in enumerate(ids)
    ]
    Asset.objects.bulk_create(assets)
    counts = array("I", range(LENGTH_S)).tobytes()
    AssetRetention.objects.bulk_create(AssetRetention(asset=asset, counts=counts) for asset in assets)


def measure(*, repeats: int, students: int) -> None:
    """For every line read, write one line of JSON: milliseconds of each repetition, by path."""
    from videos.services.rollup import BATCH  # noqa: PLC0415

    paths = list(_paths(students))
    chance = random.Random(1)
    for _ in sys.stdin:
        _make_due(chance, BATCH * repeats)
        taken = {name: [_timed(call, chance) for _ in range(repeats)] for name, call in paths}
        print(json.dumps(taken), flush=True)


def _timed(call: Callable[[random.Random], Any], chance: random.Random) -> float:
    began = time.perf_counter()
    call(chance)
    return (time.perf_counter() - began) * 1000


def _paths(students: int) -> Iterator[tuple[str, Callable[[random.Random], Any]]]:
    """The paths in the order of the table; a name in brackets is for comparison alone."""
    from django.core.cache import cache  # noqa: PLC0415
    from django.test import Client  # noqa: PLC0415

    from courses.models import University  # noqa: PLC0415
    from videos.services.rollup import BATCH, roll_up  # noqa: PLC0415

    University.objects.get_or_create(name="Benchmark", slug="benchmark")
    staff, watchers = _people(students)
    client = Client(SERVER_NAME="127.0.0.1")
    sessions: list[dict[str, Any]] = []
    device = {"device_id": str(uuid4())}
    a_year_ago = date.today() - timedelta(days=365)

    def get(path: str, token: str = staff) -> None:
        _must(client.get(path, headers={"Authorization": f"Bearer {token}"}))

    def video(chance: random.Random) -> str:
        return f"/api/videos/{UUID(f'00000000-0000-4000-8000-{chance.randrange(VIDEOS):012x}')}"

    def metrics(chance: random.Random) -> None:
        cache.clear()
        get("/api/videos/metrics/")

    def grant(chance: random.Random) -> None:
        headers = {"Authorization": f"Bearer {chance.choice(watchers)}"}
        answer = client.post(f"{video(chance)}/playback/", device, content_type="application/json", headers=headers)
        sessions.append(_must(answer).json()["session"] | {"seq": 0})

    def heartbeat(chance: random.Random) -> None:
        session = sessions[-1]
        session["seq"] += 1
        at = session["seq"] * 0.1
        body = {"token": session["token"], "seq": session["seq"], "position": at, "played": [[at - 0.1, at]]}
        _must(client.post(session["heartbeat_url"], body, content_type="application/json"))

    def roll_up_one_batch(chance: random.Random) -> None:
        assert roll_up(limit=BATCH) == BATCH

    yield "(calibration view)", lambda chance: get("/calibration/")
    yield "statistics", lambda chance: get(f"{video(chance)}/statistics/")
    yield "statistics since a year ago", lambda chance: get(f"{video(chance)}/statistics/?since={a_year_ago}")
    yield "views, first page of 50", lambda chance: get(f"{video(chance)}/views/")
    yield "playback grant", grant
    yield "heartbeat", heartbeat
    yield "(metrics, not cached)", metrics
    yield f"(roll-up of {BATCH} sessions of as many videos)", roll_up_one_batch


def _must(answer: Any) -> Any:
    if answer.status_code >= 400:
        raise RuntimeError(f"{answer.status_code}: {answer.content[:500]!r}")
    return answer


def _people(students: int) -> tuple[str, list[str]]:
    """Tokens of a superuser, and of students who are the first viewers."""
    from django.contrib.auth import get_user_model  # noqa: PLC0415
    from django.utils import timezone  # noqa: PLC0415
    from rest_framework_simplejwt.tokens import AccessToken  # noqa: PLC0415

    from videos.models import Viewer  # noqa: PLC0415

    def token(user: Any) -> str:
        access = AccessToken.for_user(user)
        access.set_exp(lifetime=timedelta(hours=5))
        return str(access)

    model = get_user_model()
    boss = model.objects.create(username="boss", email="boss@bench.test", is_superuser=True)
    people = model.objects.bulk_create(
        model(username=f"s{n}", email=f"s{n}@bench.test", email_verified_at=timezone.now()) for n in range(students)
    )
    for number, user in enumerate(people, start=1):
        Viewer.objects.filter(pk=number).update(user=user, device_key=None)
    return token(boss), [token(user) for user in people]


def _make_due(chance: random.Random, number: int) -> None:
    """Let that many random sessions wait to be rolled up, each with a minute more than the figures hold."""
    from django.db import connection  # noqa: PLC0415

    with connection.cursor() as cursor:
        cursor.execute("SELECT max(id) FROM videos_playbacksession")
        keys = chance.sample(range(1, min(cursor.fetchone()[0], 10**9)), number)
        cursor.execute(
            "UPDATE videos_playbacksession SET rollup_due_at = now() - interval '1 second', "
            "rolled_up = jsonb_set(rolled_up, '{asset}', to_jsonb(asset_id)), watched_ms = watched_ms + 60000, "
            "played = '[[0,360000,1],[400000,460000,2]]' WHERE id = ANY(%s)",
            [keys],
        )


if __name__ == "__main__":
    main()
