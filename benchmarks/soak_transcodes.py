"""`make soak-transcodes`: workers and uploads of our own video host are killed again and again while they work.

Real processes, SIGKILL and SIGSTOP, real ffmpeg and packager. Then a worker is killed before one line after the other
that it runs. Afterwards every video plays, frame by frame, or says why not, and nothing is left over: no file, folder,
row, key or process. The database is SQLite, or with `--postgres` a PostgreSQL.
"""

import argparse
import os
import random
import sys
import tempfile
import time
from contextlib import nullcontext
from pathlib import Path
from random import Random

from quality.postgres import running_postgres

LEASE_S = 2.0


def main() -> int:
    options = _options()
    print(f"seed {options.seed}", flush=True)
    given = os.environ.pop("DATABASE_URL", "")
    with running_postgres(given, may_forget=True) if options.postgres else nullcontext("") as url:
        os.environ |= {
            "DJANGO_SETTINGS_MODULE": "eleven_tutors.tests.settings",
            "DATABASE_URL": url,
            "LOG_LEVEL": "ERROR",
        }
        with tempfile.TemporaryDirectory(prefix="soak-transcodes-") as folder:
            return _soak(Path(folder), options)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make soak-transcodes", description=__doc__)
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--lines", type=int, default=10, help="kill before every so many lines; 0: not at all")
    parser.add_argument("--seed", type=int, default=random.randrange(10**9))
    parser.add_argument("--postgres", action="store_true", help="on PostgreSQL (DATABASE_URL, or a server of its own)")
    return parser.parse_args()


def _soak(folder: Path, options: argparse.Namespace) -> int:
    import django  # noqa: PLC0415 (settings first)

    django.setup()
    from django.conf import settings  # noqa: PLC0415
    from django.db import connection  # noqa: PLC0415

    from benchmarks.killing import Killing, kill_at_lines  # noqa: PLC0415
    from videos.hosted.tests.conftest import hosted_entry  # noqa: PLC0415
    from videos.hosted.tests.jobs import use_small_encoder  # noqa: PLC0415

    connection.creation.create_test_db(verbosity=0, autoclobber=True)
    began = time.monotonic()
    settings.VIDEO_PROVIDERS = {"hosted": hosted_entry(folder, step_lease_s=LEASE_S, step_retry_s=0.2)}
    settings.VIDEO_ROUTES = [{"use": ["hosted"]}]
    settings.VIDEO_ENQUEUE = "benchmarks.killing.enqueue"
    killing = Killing(folder, Random(options.seed), kills=options.kills, lease_s=LEASE_S)
    killing.run()
    print(f"\n{killing.table()}\n\n{time.monotonic() - began:.0f} s, nothing left over", flush=True)
    killing.delete_all()
    if options.lines:
        (folder / "small").mkdir()
        use_small_encoder(settings, folder / "small")
        killed = kill_at_lines(folder / "small", every=options.lines)
        print(f"killed before {killed} different lines, nothing lost, nothing left over", flush=True)
    connection.creation.destroy_test_db("", verbosity=0)
    return 0


if __name__ == "__main__":
    sys.exit(main())
