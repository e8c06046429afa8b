"""`make soak-payments`: two thousand random histories of payments on PostgreSQL, each held against Stripe's books.

Students buy, banks send or refuse money, refunds and disputes come and go at the stand-in for Stripe; its deliveries
are lost, doubled, late and in any order, taken by eight workers at once, and our process dies between any two steps.
With `--mutations` one fault after the other is put into our services, to see that the histories find it.
"""

import argparse
import multiprocessing
import os
import random
import sys
import time
from collections import Counter
from contextlib import ExitStack
from dataclasses import dataclass
from multiprocessing.queues import Queue
from random import Random

from quality.postgres import running_postgres

LONGEST = 14
BAR_WIDTH = 40
SILENT_AT_MOST_S = 600.0
ROWS = ("histories", "steps", "events", "deliveries", "crashes", "answers lost", "not accepted", "refused")
FATES = ("arrives twice", "arrives under two ids", "arrives, thin", "arrives two steps later", "is lost")


@dataclass(frozen=True)
class Task:
    """What one process does: the histories of these seeds, until one is broken if it `stops_early`."""

    number: int
    seeds: range
    longest: int
    mutation: str
    stops_early: bool
    is_shortened: bool


@dataclass(frozen=True)
class Report:
    """One history: what was met, or how it is broken; the last of a process `is_last`."""

    counts: Counter[str]
    broken: str = ""
    is_last: bool = False


def main() -> int:
    options = _options()
    print(f"seed {options.seed}", flush=True)
    with running_postgres(os.environ.get("DATABASE_URL", ""), may_forget=True) as url:
        os.environ |= {"DJANGO_SETTINGS_MODULE": "eleven_tutors.tests.settings", "DATABASE_URL": url}
        if options.mutations:
            return _try_mutations(options)
        began = time.monotonic()
        counts, broken = _run(options, options.mutate, options.histories, stops_early=False)
    for text in broken:
        print(f"\n{text}\n")
    print(_table(counts, time.monotonic() - began))
    return int(bool(broken) or counts["histories"] < options.histories)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make soak-payments", description=__doc__)
    parser.add_argument("--histories", type=int, default=2000)
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    parser.add_argument(
        "--seed", type=int, default=random.randrange(10**9), help="of the first history; the next one up"
    )
    parser.add_argument("--longest", type=int, default=LONGEST, help="steps of a history")
    parser.add_argument("--mutate", default="", metavar="NAME", help="with this fault in our services")
    parser.add_argument("--mutations", action="store_true", help="try every fault, and tell which were found")
    return parser.parse_args()


def _try_mutations(options: argparse.Namespace) -> int:
    names = _in_a_process(_mutation_names)
    print("| fault | found | after histories | as |\n|---|---|---|---|", flush=True)
    missed = 0
    for name in names:
        counts, broken = _run(options, name, options.histories, stops_early=True)
        tried = counts["histories"] + len(broken)
        said = broken[0].splitlines()[1].strip(" -")[:90] if broken else ""
        print(f"| {name} | {'yes' if broken else 'NO'} | {tried} | {said} |", flush=True)
        missed += not broken
    print(f"\n{len(names) - missed} of {len(names)} found")
    return int(bool(missed))


def _run(
    options: argparse.Namespace, mutation: str, histories: int, *, stops_early: bool
) -> tuple[Counter[str], list[str]]:
    """Let the processes do the histories; gives what they met, and how the broken ones are broken."""
    context = multiprocessing.get_context("spawn")
    reports: Queue[Report] = context.Queue()
    stop = context.Event()
    first, after = options.seed, options.seed + histories
    tasks = [
        Task(
            number,
            range(first + number, after, options.processes),
            options.longest,
            mutation,
            stops_early,
            not mutation,
        )
        for number in range(options.processes)
    ]
    processes = [context.Process(target=_work, args=(task, reports, stop), daemon=True) for task in tasks]
    for process in processes:
        process.start()
    counts, broken = _gather(reports, len(processes), histories, is_shown=not mutation or not stops_early)
    for process in processes:
        process.join(SILENT_AT_MOST_S)
    return counts, broken


def _gather(
    reports: "Queue[Report]", processes: int, histories: int, *, is_shown: bool
) -> tuple[Counter[str], list[str]]:
    counts: Counter[str] = Counter()
    broken: list[str] = []
    while processes:
        report = reports.get(timeout=SILENT_AT_MOST_S)
        counts.update(report.counts)
        broken += [report.broken] if report.broken else []
        processes -= report.is_last
        if is_shown:
            done = (counts["histories"] + len(broken)) / histories
            bar = "#" * int(done * BAR_WIDTH)
            print(f"\r[{bar:<{BAR_WIDTH}}] {done:4.0%}, {len(broken)} broken ", end="", file=sys.stderr, flush=True)
    if is_shown:
        print(file=sys.stderr)
    return counts, broken


def _work(task: Task, reports: "Queue[Report]", stop: "multiprocessing.synchronize.Event") -> None:
    """In a process of its own, with a database and stand-ins of its own."""
    import django  # noqa: PLC0415 (settings first)

    django.setup()
    from django.db import connection  # noqa: PLC0415
    from django.test import override_settings  # noqa: PLC0415

    from payments.tests.histories.mutations import mutated  # noqa: PLC0415
    from payments.tests.histories.running import Broken, check, stage  # noqa: PLC0415
    from payments.tests.histories.steps import draw_history  # noqa: PLC0415
    from sandbox.server import Sandbox  # noqa: PLC0415

    usual = connection.settings_dict["NAME"]
    connection.settings_dict["TEST"]["NAME"] = f"soak_payments_{os.getpid()}"
    connection.creation.create_test_db(verbosity=0, autoclobber=True)
    try:
        with ExitStack() as around:
            sandbox = around.enter_context(Sandbox())
            hosts = {"STRIPE_API_BASE": sandbox.stripe_url, "EMAIL_PORT": sandbox.smtp_port}
            around.enter_context(override_settings(**hosts))
            crew = around.enter_context(stage())
            if task.mutation:
                around.enter_context(mutated(task.mutation))
            for seed in task.seeds:
                if stop.is_set():
                    break
                history = draw_history(Random(seed), longest=task.longest)
                try:
                    reports.put(Report(check(sandbox, crew, history, seed=seed, shortens=task.is_shortened)))
                except Broken as error:
                    reports.put(Report(Counter(), broken=str(error)))
                    if task.stops_early:
                        stop.set()
    finally:
        connection.creation.destroy_test_db(usual, verbosity=0)
        reports.put(Report(Counter(), is_last=True))


def _in_a_process(call: "type[object] | object") -> list[str]:
    """What a function gives that needs Django, which is set up only where histories happen."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(call)  # type: ignore[arg-type]


def _mutation_names() -> list[str]:
    import django  # noqa: PLC0415 (settings first)

    django.setup()
    from payments.tests.histories.mutations import MUTATIONS  # noqa: PLC0415

    return list(MUTATIONS)


def _table(counts: Counter[str], took_s: float) -> str:
    rows = [(name, counts[name]) for name in (*ROWS, *FATES, "repairs", "mails", "mails doubled")]
    rows.append(("seconds", round(took_s)))
    return "\n".join(["| what | number |", "|---|---|", *(f"| {name} | {number} |" for name, number in rows)])


if __name__ == "__main__":
    sys.exit(main())
