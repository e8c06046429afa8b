"""`make bench-growth-payments`: what payments cost with 1,000 and with 1,000,000 past orders, on PostgreSQL.

Both databases are filled first, then measured in turns against one stand-in for Stripe, so that other load on the
machine meets both alike. What waits for the stand-in is in the times; its own answer stands beside them. At the end
the statements of one delivery are explained on the large database. `python -m benchmarks.growth_payments 100000` takes
another number for the large one.
"""

import os
import sys
import tempfile
from pathlib import Path

from benchmarks import running
from benchmarks.growth import Site, database, report
from quality.postgres import running_postgres

SMALL, LARGE = 1_000, 1_000_000
WANTED = 1.2
ROUNDS, REPEATS = 6, 3


def main() -> int:
    large = int(sys.argv[1]) if len(sys.argv) > 1 else LARGE
    with (
        running_postgres(os.environ.get("DATABASE_URL", "")) as url,
        tempfile.TemporaryDirectory(prefix="eleven-tutors-growth-") as state,
        running.stand_ins(Path(state)) as sandbox_url,
        database(url, "growth_payments_small") as small_url,
        database(url, "growth_payments_large") as large_url,
    ):
        site = Site(
            "benchmarks.growth_payments_site",
            running.environment("", state, "http://127.0.0.1:1/nobody-listens-here")
            | running.with_payments(sandbox_url),
        )
        for size, database_url in ((SMALL, small_url), (large, large_url)):
            site.fill(size, database_url, "orders")
        met = report((SMALL, large), site.measure([small_url, large_url], [str(REPEATS)], rounds=ROUNDS), wanted=WANTED)
        return site.run(["explain"], large_url) or met


if __name__ == "__main__":
    sys.exit(main())
