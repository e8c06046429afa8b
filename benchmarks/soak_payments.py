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
from collections.abc import Callable, Iterator
from contextlib import ExitStack, nullcontext
from dataclasses import dataclass
from multiprocessing.queues import Queue
from random import Random
from typing import Any

from quality.postgres import running_postgres

LONGEST = 14
BAR_WIDTH = 40
SILENT_AT_MOST_S = 600.0
SAID = 90
ROWS = ("histories", "steps", "events", "deliveries", "crashes", "answers lost", "not accepted", "refused")
FATES = ("arrives twice", "arrives under two ids", "arrives, thin", "arrives two steps later", "is lost")


@dataclass(frozen=True)
class Task:
    """What one process does: the histories of these seeds, as they are or under each of its mutations until found."""

    seeds: range
    longest: int
    mutations: tuple[str, ...]
    goes_on: bool


@dataclass(frozen=True)
class Report:
    """One history: what was met, or how it is broken; the last of a mutation or a process says so."""

    counts: Counter[str]
    mutation: str = ""
    broken: str = ""
    is_tried: bool = False
    is_last: bool = False


def main() -> int:
    options = _options()
    print(f"seed {options.seed}", flush=True)
    with running_postgres(os.environ.get("DATABASE_URL", ""), may_forget=True) as url:
        os.environ |= {"DJANGO_SETTINGS_MODULE": "eleven_tutors.tests.settings", "DATABASE_URL": url}
        return _try_mutations(options) if options.mutations else _soak(options)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make soak-payments", description=__doc__)
    parser.add_argument("--histories", type=int, default=2000)
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--seed", type=int, default=random.randrange(10**9), help="the first history's; then one more")
    parser.add_argument("--longest", type=int, default=LONGEST, help="steps of a history")
    parser.add_argument("--mutate", default="", metavar="NAME", help="with this fault in our services")
    parser.add_argument("--mutations", action="store_true", help="try every fault, and tell which were found")
    return parser.parse_args()


def _soak(options: argparse.Namespace) -> int:
    """All histories, shared among the processes."""
    first, after = options.seed, options.seed + options.histories
    mutations = (options.mutate,) if options.mutate else ()
    tasks = [
        Task(range(first + number, after, options.processes), options.longest, mutations, goes_on=True)
        for number in range(options.processes)
    ]
    counts: Counter[str] = Counter()
    broken = 0
    began = time.monotonic()
    for report in _reports(tasks):
        counts.update(report.counts)
        if report.broken:
            broken += 1
            print(f"\n{report.broken}\n", flush=True)
        _show(counts["histories"] + broken, options.histories, broken)
    print(file=sys.stderr)
    print(_table(counts, time.monotonic() - began))
    return int(bool(broken) or counts["histories"] < options.histories)


def _try_mutations(options: argparse.Namespace) -> int:
    """Each fault until a history finds it; the faults are shared among the processes."""
    seeds = range(options.seed, options.seed + options.histories)
    names = _mutation_names()
    tasks = [
        Task(seeds, options.longest, tuple(names[number :: options.processes]), goes_on=False)
        for number in range(options.processes)
    ]
    print("| fault | found | histories | as |\n|---|---|---|---|", flush=True)
    tried: Counter[str] = Counter()
    found: dict[str, str] = {}
    for report in _reports(tasks):
        name = report.mutation
        tried[name] += report.counts["histories"] + bool(report.broken)
        if report.broken:
            found[name] = report.broken
        if report.is_tried:
            said = found[name].splitlines()[1].strip(" -")[:SAID] if name in found else ""
            print(f"| {name} | {'yes' if name in found else 'NO'} | {tried[name]} | {said} |", flush=True)
    print(f"\n{len(found)} of {len(names)} found")
    return int(len(found) < len(names))


def _reports(tasks: list[Task]) -> Iterator[Report]:
    """What the processes tell as they work; raises queue.Empty when they fall silent."""
    context = multiprocessing.get_context("spawn")
    reports: Queue[Report] = context.Queue()
    processes = [context.Process(target=_work, args=(task, reports), daemon=True) for task in tasks]
    for process in processes:
        process.start()
    left = len(processes)
    while left:
        report = reports.get(timeout=SILENT_AT_MOST_S)
        left -= report.is_last
        yield report
    for process in processes:
        process.join(SILENT_AT_MOST_S)


def _show(done: int, wanted: int, broken: int) -> None:
    bar = "#" * (done * BAR_WIDTH // wanted)
    print(f"\r[{bar:<{BAR_WIDTH}}] {done} of {wanted}, {broken} broken ", end="", file=sys.stderr, flush=True)


def _work(task: Task, reports: "Queue[Report]") -> None:
    """In a process of its own, with a database and stand-ins of its own."""
    import django  # noqa: PLC0415 (settings first)

    django.setup()
    from django.db import connection  # noqa: PLC0415
    from django.test import override_settings  # noqa: PLC0415

    from payments.tests.histories.running import stage  # noqa: PLC0415
    from sandbox.server import Sandbox  # noqa: PLC0415

    usual = connection.settings_dict["NAME"]
    connection.settings_dict["TEST"]["NAME"] = f"soak_payments_{os.getpid()}"
    connection.creation.create_test_db(verbosity=0, autoclobber=True)
    try:
        with Sandbox() as sandbox, ExitStack() as around:
            hosts = {"STRIPE_API_BASE": sandbox.stripe_url, "EMAIL_PORT": sandbox.smtp_port}
            around.enter_context(override_settings(**hosts))
            crew = around.enter_context(stage())
            for mutation in task.mutations or ("",):
                _do_histories(task, mutation, sandbox, crew, reports)
    finally:
        connection.creation.destroy_test_db(usual, verbosity=0)
        reports.put(Report(Counter(), is_last=True))


def _do_histories(task: Task, mutation: str, sandbox: Any, crew: Any, reports: "Queue[Report]") -> None:
    from payments.tests.histories.running import check  # noqa: PLC0415

    for seed, history in _histories(task):
        if not multiprocessing.parent_process().is_alive():
            return
        report = _outcome(mutation, lambda: check(sandbox, crew, history, seed=seed, shortens=not mutation))  # noqa: B023
        if report.broken and not task.goes_on:
            # A fault is found by what is in order without it.
            usual = _outcome("", lambda: check(sandbox, crew, history, seed=seed, shortens=False))  # noqa: B023
            if usual.broken:
                continue
        reports.put(report)
        if report.broken and not task.goes_on:
            break
    reports.put(Report(Counter(), mutation, is_tried=True))


def _outcome(mutation: str, run: Callable[[], Counter[str]]) -> Report:
    from payments.tests.histories.mutations import mutated  # noqa: PLC0415
    from payments.tests.histories.running import Broken  # noqa: PLC0415

    with mutated(mutation) if mutation else nullcontext():
        try:
            return Report(run(), mutation)
        except Broken as error:
            return Report(Counter(), mutation, broken=str(error))


def _histories(task: Task) -> Iterator[tuple[int, Any]]:
    """The known ones come first when faults are to be found."""
    from payments.tests.histories.known import KNOWN  # noqa: PLC0415
    from payments.tests.histories.steps import draw_history  # noqa: PLC0415

    if not task.goes_on:
        yield from ((-1, history) for history in KNOWN.values())
    yield from ((seed, draw_history(Random(seed), longest=task.longest)) for seed in task.seeds)


def _mutation_names() -> list[str]:
    """Asked of another process, since Django is set up only where histories happen."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(_read_mutation_names)


def _read_mutation_names() -> list[str]:
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
