"""What deliveries of payments cost: verified, asked about at the stand-in in its own process, and granted."""

import json
import subprocess
import sys
from typing import Any

import psycopg2

from benchmarks import running
from benchmarks.deliveries import WEBHOOK, Stand, event_about, signature_of
from benchmarks.load import Call, Result, wrk

CHECKOUTS = 1_500
REFUNDS = 400
CONNECTIONS = 16


def measure(base_url: str, variables: dict[str, str], *, yardstick: float, seconds: int) -> None:
    """Print the table; `yardstick` is the calibration view's rate. Raises RuntimeError when the rows disagree."""
    sessions = _paid_checkouts(variables)
    stand = Stand(variables["STRIPE_API_BASE"])
    print("\n| deliveries of payments | requests/s | ratio | p50 ms | p90 ms | errors |\n|---|---|---|---|---|---|")

    def run(
        name: str, calls: list[Call], *, url: str = base_url, may_repeat: bool = False, seconds: int = seconds
    ) -> Result:
        result = wrk(url, calls, connections=CONNECTIONS, seconds=seconds)
        if result.rate * seconds > len(calls) and not may_repeat:
            raise RuntimeError(f"{name}: {len(calls)} deliveries were not enough for {seconds} s")
        cells = (f"{result.rate:.0f}", f"{result.rate / yardstick:.2f}", f"{result.p50_ms:.1f}", f"{result.p90_ms:.1f}")
        print(f"| {name} | {' | '.join(cells)} | {result.bad_status + result.broken} |", flush=True)
        return result

    run("(the stand-in itself: a session read)", [_read(sessions[0])], url=stand.url, may_repeat=True)
    first = [_delivery(event_about("checkout.session.completed", session)) for session in sessions]
    done = run("paid: verified, synced, granted", first)
    granted = int(done.rate * seconds)
    run("the same again", first[:granted], may_repeat=True)
    back = [stand.refund(session["payment_intent"], 100) for session in sessions[: min(granted, REFUNDS)]]
    told = [_delivery(event_about("refund.created", refund)) for refund in back]
    run("given back in part", told, seconds=seconds // 2)
    _check_rows(variables["DATABASE_URL"], granted, len(back))


def _paid_checkouts(variables: dict[str, str]) -> list[dict[str, Any]]:
    command = [sys.executable, "-m", "benchmarks.seed_payments", str(CHECKOUTS)]
    done = subprocess.run(command, env=variables, cwd=running.BASE_DIR, stdout=subprocess.PIPE, check=True)
    sessions: list[dict[str, Any]] = json.loads(done.stdout)
    return sessions


def _delivery(event: dict[str, Any]) -> Call:
    return Call("POST", WEBHOOK, body=event, signature=signature_of(event))


def _read(session: dict[str, Any]) -> Call:
    path = f"/stripe/v1/checkout/sessions/{session['id']}?expand[]=payment_intent.latest_charge"
    return Call("GET", path, token=running.SANDBOX_KEY)


def _check_rows(database_url: str, granted: int, given_back: int) -> None:
    """Each payment that was told of is granted exactly once, whatever the load."""
    connection = psycopg2.connect(database_url)
    cursor = connection.cursor()
    cursor.execute(
        "SELECT count(*), count(DISTINCT o.id), count(e.id), (SELECT count(*) FROM mailing_outgoingmail m WHERE "
        "m.kind = 'payments.order_confirmation') FROM payments_payment p JOIN payments_order o ON o.id = p.order_id "
        "LEFT JOIN courses_enrollment e ON e.source_reference = o.public_id::text AND e.is_active "
        "WHERE p.status = 2 AND o.fulfilled_at IS NOT NULL"
    )
    payments, orders, enrollments, mails = cursor.fetchone() or (0, 0, 0, 0)
    cursor.execute("SELECT count(*) FROM payments_refund")
    (refunds,) = cursor.fetchone() or (0,)
    connection.close()
    print(f"\n{payments} payments, {enrollments} enrollments, {mails} confirmations, {refunds} refunds\n")
    if not granted <= payments == orders == enrollments == mails or refunds > given_back:
        raise RuntimeError("What was paid and what was granted differ.")
