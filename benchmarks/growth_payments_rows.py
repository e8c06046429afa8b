"""Past orders, made by the database itself.

Fifty students have twenty orders each, everybody else five. Of a hundred orders 76 are paid, four ran out, ten were
given back in part or wholly, ten are disputed, and ten wait for a person: far more trouble than usual, so that even
the small database fills a page of each list.
"""

from typing import Any

REGULARS, EACH = 50, 20
USERS, COURSES, DAYS = 200_000, 2_000, 400
CHUNK = 200_000
_OTHERS = USERS - REGULARS
_AT = f"now() - interval '1 day' * {DAYS} * (1 - n / %(size)s::float)"
_BUYER = f"CASE WHEN n <= {REGULARS * EACH} THEN 1 + mod(n, {REGULARS}) ELSE {REGULARS + 1} + mod(n, {_OTHERS}) END"
_COURSE = f"1 + mod(n * 7 + n / {_OTHERS} * 41 + n / {REGULARS}, {COURSES})"
_IS_PAID = "mod(n, 100) NOT BETWEEN 76 AND 79"
_PAID_AT = f"CASE WHEN {_IS_PAID} THEN {_AT} END"
_IS_PARTLY_BACK = "mod(n, 100) BETWEEN 80 AND 84"
_IS_BACK = "mod(n, 100) BETWEEN 85 AND 89"
_STATUS = f"""CASE WHEN mod(n, 100) < 76 THEN 'paid' WHEN mod(n, 100) < 80 THEN 'expired'
    WHEN {_IS_PARTLY_BACK} THEN 'partially_refunded' WHEN {_IS_BACK} THEN 'refunded' ELSE 'disputed' END"""
_ACCESS = f"""CASE WHEN NOT ({_IS_PAID}) THEN 'none' WHEN {_IS_BACK} THEN 'revoked'
    WHEN mod(n, 100) >= 90 THEN 'suspended' ELSE 'granted' END"""
_FROM = "FROM generate_series(%(first)s, %(last)s) n"


def _uuid(kind: str) -> str:
    return f"('00000000-0000-4000-{kind}-' || lpad(to_hex(n), 12, '0'))::uuid"


_ROWS = (
    f"""INSERT INTO payments_order (id, public_id, user_id, status, currency, total_minor, created_at, paid_at,
            fulfilled_at, needs_attention)
        SELECT n, {_uuid("9000")}, {_BUYER}, {_STATUS}, 'usd', 4900, {_AT}, {_PAID_AT}, {_PAID_AT},
            CASE WHEN mod(n, 10) = 9 THEN 'Somebody has to look.' ELSE '' END {_FROM}""",
    f"""INSERT INTO payments_orderitem (id, order_id, course_id, title, unit_minor, discount_minor, net_minor, access,
            is_duplicate)
        SELECT n, n, {_COURSE}, 'Course', 4900, 0, 4900, {_ACCESS}, false {_FROM}""",
    f"""INSERT INTO payments_payment (id, public_id, order_id, attempt, provider, status, is_processing, failure_code,
            amount_minor, discount_minor, refunded_minor, currency, session_id, session_url, transaction_id,
            stripe_payment_intent, charge_id, idempotency_key, livemode, revision, paid_at, created_at, updated_at)
        SELECT n, {_uuid("a000")}, n, 1, 'stripe',
            CASE WHEN {_IS_BACK} THEN -2 WHEN {_IS_PAID} THEN 2 ELSE -1 END, false,
            CASE WHEN {_IS_PAID} THEN '' ELSE 'expired' END, 4900, 0,
            CASE WHEN {_IS_BACK} THEN 4900 WHEN {_IS_PARTLY_BACK} THEN 100 ELSE 0 END, 'usd',
            'cs_past_' || n, '', 'cs_past_' || n, 'pi_past_' || n, 'ch_past_' || n, 'checkout:past:' || n, false, 1,
            {_PAID_AT}, {_AT}, {_AT} {_FROM}""",
    f"""INSERT INTO payments_refund (id, public_id, payment_id, stripe_id, amount_minor, currency, status, origin,
            reason, failure_reason, created_at, updated_at)
        SELECT n, {_uuid("b000")}, n, 're_past_' || n, CASE WHEN {_IS_BACK} THEN 4900 ELSE 100 END, 'usd',
            'succeeded', 'staff', '', '', {_AT}, {_AT} {_FROM} WHERE {_IS_BACK} OR {_IS_PARTLY_BACK}""",
    f"INSERT INTO payments_refunditem (refund_id, item_id) SELECT n, n {_FROM} WHERE {_IS_BACK}",
    f"""INSERT INTO payments_dispute (payment_id, stripe_id, amount_minor, currency, status, reason, is_refundable,
            created_at, updated_at)
        SELECT n, 'dp_past_' || n, 4900, 'usd', 'needs_response', 'fraudulent', false, {_AT}, {_AT}
            {_FROM} WHERE mod(n, 100) >= 90""",
    f"""INSERT INTO payments_webhookevent (event_id, type, object_id, livemode, api_version, occurred_at, payment_id,
            payload, received_at, handled_at, attempts, last_error)
        SELECT 'evt_past_' || n, 'checkout.session.completed', 'cs_past_' || n, false, '2026-10-28.endive', {_AT}, n,
            '{{"id": "cs_past", "object": "checkout.session", "amount_total": 4900, "status": "complete"}}', {_AT},
            {_AT}, 1, '' {_FROM} WHERE {_IS_PAID}""",
    f"""INSERT INTO courses_enrollment (user_id, course_id, source, source_reference, is_active, ended_reason,
            wants_updates, started_at)
        SELECT {_BUYER}, {_COURSE}, 'order', {_uuid("9000")}::text, true, '', true, {_AT} {_FROM}
            WHERE {_ACCESS} = 'granted' ON CONFLICT DO NOTHING""",
    f"""INSERT INTO mailing_outgoingmail (kind, key, reference, status, due_at, sent_at, attempts, last_error,
            created_at)
        SELECT 'payments.order_confirmation', {_uuid("9000")}::text, '{{}}', 'sent', {_AT}, {_AT}, 1, '', {_AT}
            {_FROM} WHERE {_IS_PAID}""",
)
_PEOPLE = f"""
INSERT INTO users_user (id, password, is_superuser, username, first_name, last_name, is_staff, is_active, date_joined,
    email, email_verified_at)
SELECT n, '', false, 's' || n, '', '', false, true, now(), 's' || n || '@bench.test', now()
  FROM generate_series(1, {USERS}) n"""
_TABLES = ("users_user", "payments_order", "payments_orderitem", "payments_payment", "payments_refund")


def make_past(cursor: Any, size: int) -> None:
    """Students, courses and `size` past orders with all that belongs to them."""
    from courses.models import Course, University  # noqa: PLC0415 (settings first)

    university = University.objects.create(name="Benchmark", slug="benchmark")
    Course.objects.bulk_create(
        Course(title=f"Course {n}", slug=f"course-{n}", university=university, price_minor=4900, is_published=True)
        for n in range(COURSES)
    )
    # Rows that refer to each other are made in one go: foreign keys need no check.
    cursor.execute("SET session_replication_role = replica; SET synchronous_commit = off; SET work_mem = '256MB'")
    cursor.execute(_PEOPLE)
    for first in range(1, size + 1, CHUNK):
        for statement in _ROWS:
            cursor.execute(statement, {"first": first, "last": min(first + CHUNK - 1, size), "size": size})
    for table in _TABLES:
        cursor.execute(f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), (SELECT max(id) FROM {table}))")
    cursor.execute("VACUUM ANALYZE")
