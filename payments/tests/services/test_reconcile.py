import json
from datetime import timedelta
from io import StringIO

import pytest
from django.apps import apps
from django.core.management import call_command
from django.db import connection
from django.utils import timezone

from courses.models import Enrollment, EnrollmentSource
from courses.services import end_enrollment, enroll
from courses.tests.factories import make_course
from mailing.models import OutgoingMail
from payments.models import (
    Access,
    Dispute,
    DisputeStatus,
    FailureCode,
    Order,
    OrderItem,
    OrderStatus,
    Payment,
    PaymentStatus,
    Refund,
    RefundStatus,
    WebhookEvent,
)
from payments.services import repairs
from payments.services.reconcile import reconcile
from payments.services.refund_requests import request_refund
from payments.services.sync import sync_checkout
from payments.tasks import reconcile as task
from payments.tests.buying import SECRET, completed_event, make_order, make_payment, open_checkout
from users.tests.factories import make_user

pytestmark = pytest.mark.django_db

WINDOW = timedelta(hours=48)


def later(**how) -> "timezone.datetime":
    return timezone.now() + timedelta(**how)


def run(**options):
    return reconcile(**{"window": WINDOW, "now": later(minutes=15)} | options)


def bought(sandbox):
    """A checkout that was paid and is known to be paid."""
    checkout = open_checkout()
    sandbox.stripe.pay(checkout.session_id)
    sync_checkout(checkout.session_id)
    return checkout


def intent(sandbox, checkout) -> str:
    return sandbox.stripe.session(checkout.session_id)["payment_intent"]


def order_status(checkout) -> str:
    return Order.objects.get(pk=checkout.order.pk).status


def refuse(sandbox, path: str, *, status: int) -> None:
    """Let Stripe refuse every request to this address."""
    body = json.dumps({"error": {"type": "invalid_request_error", "message": "no"}})
    sandbox.fault(service="stripe", path=path, status=status, body=body, times=-1)


def posts(sandbox) -> list:
    return [call["path"] for call in sandbox.calls("stripe") if call["method"] != "GET"]


def every_row() -> dict:
    models = [model for model in apps.get_models() if model._meta.managed]
    return {
        model.__name__: list(model.objects.order_by("pk").values()) for model in models if hasattr(model, "objects")
    }


def test_all_webhooks_lost_everything_is_found_again(sandbox):
    paid, expired, failed, refunded, disputed = [open_checkout() for _ in range(5)]
    for checkout in (paid, refunded, disputed):
        sandbox.stripe.pay(checkout.session_id)
    sandbox.stripe.expire(expired.session_id)
    sandbox.stripe.pay_by_bank_debit(failed.session_id)
    sandbox.stripe.settle(failed.session_id, "failed")
    sandbox.stripe.refund(intent(sandbox, refunded))
    sandbox.stripe.open_dispute(intent(sandbox, disputed))
    result = run()
    assert [order_status(checkout) for checkout in (paid, expired, failed, refunded, disputed)] == [
        OrderStatus.PAID,
        OrderStatus.EXPIRED,
        OrderStatus.FAILED,
        OrderStatus.REFUNDED,
        OrderStatus.DISPUTED,
    ]
    assert list(Enrollment.objects.active().values_list("source_reference", flat=True)) == [str(paid.order.public_id)]
    assert list(result.problems) == [f"order {disputed.order.public_id}"], "a dispute is a person's from now on"
    assert run().is_all_well, "told once"
    assert run().changes == []


def test_a_lost_session_id_is_found_by_its_payment_and_foreign_sessions_are_left_alone(sandbox, settings):
    lost, foreign = open_checkout(), open_checkout()
    for checkout in (lost, foreign):
        sandbox.stripe.pay(checkout.session_id)
    Payment.objects.filter(session_id=lost.session_id).update(session_id=None)
    foreign.order.payments.all().delete()
    session = sandbox.stripe.session(foreign.session_id)
    session["metadata"]["env"] = "somebody-else"
    sandbox.context.store.put("stripe.sessions", session["id"], session)
    result = run()
    assert result.is_all_well, result.problems
    assert Payment.objects.get().session_id == lost.session_id
    assert order_status(lost) == OrderStatus.PAID
    assert not [c for c in sandbox.calls("stripe") if c["method"] == "GET" and c["path"].endswith(foreign.session_id)]


def test_a_session_that_carries_our_name_and_belongs_to_no_payment_is_told_once(sandbox):
    checkout = bought(sandbox)
    Order.objects.all().delete()
    Payment.objects.all().delete()
    Enrollment.objects.all().delete()
    result = run()
    assert list(result.problems) == [f"session {checkout.session_id}"]


def test_healthy_orders_cost_a_page_and_no_question(sandbox, django_assert_max_num_queries):
    def statements() -> int:
        with django_assert_max_num_queries(60) as seen:
            assert run().is_all_well
        return len(seen)

    bought(sandbox)
    few = statements()
    for _ in range(3):
        bought(sandbox)
    Order.objects.filter(pk=Order.objects.order_by("pk").first().pk).update(paid_at=later(days=-30))
    asked = len(sandbox.calls("stripe"))
    assert statements() == few
    assert [call["path"] for call in sandbox.calls("stripe")][asked:] == [
        "/stripe/v1/checkout/sessions",
        "/stripe/v1/events",
        "/stripe/v1/refunds",
        "/stripe/v1/disputes",
    ]


def test_every_statement_about_large_tables_reads_along_an_index(sandbox):
    if connection.vendor != "postgresql":
        pytest.skip("SQLite uses no partial index for values that are bound")
    checkout = bought(sandbox)
    sandbox.stripe.refund(intent(sandbox, checkout), 100)
    run()
    asked = []

    def note(execute, sql, params, many, context):
        asked.append((sql, params))
        return execute(sql, params, many, context)

    with connection.execute_wrapper(note):
        run(window=timedelta(hours=72))
    plans = "\n".join(plan_of(sql, params) for sql, params in asked if sql.startswith("SELECT") and "LIMIT" in sql)
    assert plans.count("\n") > 10
    assert [line for line in plans.splitlines() if "Seq Scan" in line] == []


def plan_of(sql: str, params) -> str:
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute(f"EXPLAIN {sql}", params)
        return "\n".join(row[0] for row in cursor.fetchall())


def test_an_event_that_was_stored_and_never_handled_is_replayed(sandbox):
    checkout = open_checkout()
    sandbox.stripe.pay(checkout.session_id)
    Payment.objects.update(created_at=later(minutes=10))  # too young to be asked about by itself
    sandbox.fault(
        service="stripe", path="/v1/checkout/sessions$", status=403, body='{"error": {"type": "x"}}', times=-1
    )
    event = completed_event(sandbox, checkout.session_id)
    row = WebhookEvent.objects.create(
        event_id=event["id"], type=event["type"], object_id=checkout.session_id, livemode=False
    )
    result = run(now=later(minutes=6))
    row.refresh_from_db()
    assert row.handled_at
    assert order_status(checkout) == OrderStatus.PAID
    assert list(result.problems) == ["paid sessions"], "one step that is refused stops no other"


def test_what_stripe_could_not_deliver_is_handled_oldest_first_and_once(sandbox, settings):
    sandbox.context.webhooks.stripe_url, sandbox.context.webhooks.stripe_secret = "http://127.0.0.1:9/", SECRET
    checkout = open_checkout()
    sandbox.stripe.pay(checkout.session_id)
    sandbox.stripe.refund(intent(sandbox, checkout), 100)
    run(now=later(minutes=6))
    kinds = list(WebhookEvent.objects.order_by("pk").values_list("type", flat=True))
    assert kinds == ["checkout.session.completed", "refund.created", "charge.refunded"]
    assert not WebhookEvent.objects.filter(handled_at=None).exists()
    assert run(now=later(minutes=6)).counts["undelivered events"].looked_at == 0


def test_refunds_and_disputes_made_at_stripe_are_brought_in_and_foreign_ones_asked_about_once(sandbox):
    ours, foreign = bought(sandbox), open_checkout()
    session = sandbox.stripe.pay(foreign.session_id)
    foreign_intent = sandbox.context.store.get("stripe.payment_intents", session["payment_intent"])
    sandbox.context.store.put(
        "stripe.payment_intents", foreign_intent["id"], foreign_intent | {"metadata": {"env": "another"}}
    )
    session["metadata"]["env"] = "somebody-else"
    sandbox.context.store.put("stripe.sessions", session["id"], session)
    foreign.order.payments.all().delete()
    refund = sandbox.stripe.refund(intent(sandbox, ours), 100)
    sandbox.stripe.refund(foreign_intent["id"], 100)
    for _ in range(2):
        result = run()
        assert result.is_all_well, result.problems
        assert result.counts["refunds at Stripe"].foreign == 1
    assert Refund.objects.get().stripe_id == refund["id"]
    assert len([c for c in sandbox.calls("stripe") if c["path"].endswith(foreign_intent["id"])]) == 1
    sandbox.stripe.settle_refund(refund["id"], "failed")
    dispute = sandbox.stripe.open_dispute(intent(sandbox, ours), "under_review")
    result = run()
    assert Refund.objects.get().status == RefundStatus.FAILED
    assert Dispute.objects.get().stripe_id == dispute["id"]
    assert list(result.problems) == [f"order {ours.order.public_id}"]


def test_an_old_dispute_is_asked_about_by_the_long_run_alone(sandbox):
    checkout = bought(sandbox)
    dispute = sandbox.stripe.open_dispute(intent(sandbox, checkout))
    sync_checkout(checkout.session_id)
    Dispute.objects.update(created_at=later(days=-40))
    sandbox.context.store.put("stripe.disputes", dispute["id"], dispute | {"created": 1_700_000_000})
    sandbox.stripe.move_dispute(dispute["id"], "won")
    run(window=timedelta(hours=2))
    assert Dispute.objects.get().status == DisputeStatus.NEEDS_RESPONSE
    run(window=timedelta(hours=72))
    assert Dispute.objects.get().status == DisputeStatus.WON
    assert order_status(checkout) == OrderStatus.PAID


def test_a_refund_that_was_never_sent_is_sent(sandbox):
    checkout = bought(sandbox)
    request_refund(payment=checkout.order.payments.get())
    Refund.objects.update(created_at=later(minutes=-5))
    result = run()
    assert result.counts["unsent refunds"].changed == 1
    assert len(sandbox.stripe.refunds()) == 1
    assert order_status(checkout) == OrderStatus.REFUNDED


def test_an_enrollment_that_vanished_is_given_again_and_one_that_staff_ended_is_not(sandbox):
    vanished, ended = bought(sandbox), bought(sandbox)
    Enrollment.objects.filter(source_reference=str(vanished.order.public_id)).delete()
    end_enrollment(
        enrollment=Enrollment.objects.get(source_reference=str(ended.order.public_id)), reason="ended_by_staff"
    )
    result = run()
    assert result.is_all_well, result.problems
    assert list(Enrollment.objects.active().values_list("source_reference", "source")) == [
        (str(vanished.order.public_id), EnrollmentSource.ORDER)
    ]
    assert len(result.changes) == 1


def test_nobody_whose_account_is_closed_is_enrolled_again(sandbox):
    checkout = bought(sandbox)
    Enrollment.objects.all().delete()
    checkout.order.user.is_active = False
    checkout.order.user.save()
    assert run().changes == []
    assert not Enrollment.objects.exists()


def test_an_order_whose_rows_say_something_else_than_its_status_is_derived_again(sandbox):
    checkout = bought(sandbox)
    Order.objects.update(status=OrderStatus.DISPUTED)
    OrderItem.objects.update(access=Access.NONE)
    Enrollment.objects.all().delete()
    assert run().is_all_well
    assert order_status(checkout) == OrderStatus.PAID
    assert OrderItem.objects.get().access == Access.GRANTED
    assert Enrollment.objects.active().count() == 1


def test_what_no_command_can_repair_is_told_once_each(sandbox):
    bare = enroll(user=make_user(), course=make_course(), source="order", source_reference="no order")[0]
    revoked, sums, amount = [bought(sandbox) for _ in range(3)]
    sandbox.stripe.refund(intent(sandbox, revoked))
    sync_checkout(revoked.session_id)
    held = Enrollment.objects.get(source_reference=str(revoked.order.public_id))
    long_ago = {"started_at": later(days=-99), "is_active": True, "ended_at": None}
    Enrollment.objects.filter(pk=held.pk).update(**long_ago)
    Payment.objects.filter(order=sums.order).update(refunded_minor=1)
    Payment.objects.filter(order=amount.order).update(amount_minor=1)
    forgotten = make_payment(make_order())
    Payment.objects.filter(pk=forgotten.pk).update(created_at=later(hours=-26))
    result = run()
    names = {str(name) for name in result.problems}
    assert f"enrollment {bare.pk}" in names
    assert f"payment {sums.order.payments.get().public_id}" in names
    assert f"payment {amount.order.payments.get().public_id}" in names
    assert f"payment {forgotten.public_id}" in names
    assert "gives it no more (revoked)" in result.problems[f"enrollment {held.pk}"]
    assert result.orders_waiting == 1, "a person is to look at the amount"
    again = {str(name) for name in run().problems}
    assert f"payment {amount.order.payments.get().public_id}" not in again, "flagged before"


def test_a_rehearsal_alerts_nobody(sandbox, caplog, django_capture_on_commit_callbacks):
    sandbox.stripe.open_dispute(intent(sandbox, bought(sandbox)))
    with django_capture_on_commit_callbacks(execute=True):
        assert run(is_rehearsal=True).changes
    assert "needs attention" not in caplog.text
    with django_capture_on_commit_callbacks(execute=True):
        run()
    assert "needs attention" in caplog.text


def test_a_rehearsal_shows_what_would_change_and_changes_nothing_anywhere(sandbox):
    paid, refunded, vanished, unsent = open_checkout(), *[bought(sandbox) for _ in range(3)]
    sandbox.stripe.pay(paid.session_id)
    event = completed_event(sandbox, paid.session_id)
    WebhookEvent.objects.create(event_id=event["id"], type=event["type"], object_id=paid.session_id, livemode=False)
    WebhookEvent.objects.create(
        event_id="evt_nobody",
        type=event["type"],
        object_id="cs_nobody",
        livemode=False,
        occurred_at=later(hours=-1),
    )
    WebhookEvent.objects.update(received_at=later(hours=-1))
    sandbox.stripe.refund(intent(sandbox, refunded))
    Enrollment.objects.filter(source_reference=str(vanished.order.public_id)).delete()
    request_refund(payment=unsent.order.payments.get())
    Refund.objects.update(created_at=later(minutes=-5))
    before, sent, messages = every_row(), posts(sandbox), len(sandbox.messages())
    result = run(is_rehearsal=True)
    assert every_row() == before
    assert posts(sandbox) == sent
    assert len(sandbox.messages()) == messages
    assert "event evt_nobody" not in result.problems, "it would be noted and be done with"
    text = "\n".join(result.changes)
    assert f"order {paid.order.public_id}: pending → paid" in text
    assert f"order {refunded.order.public_id}: paid → refunded" in text
    assert f"order {vanished.order.public_id}: the enrollment" in text
    assert "sent" in text
    assert result.counts["unhandled events"].changed == 1
    assert run().counts["unsent refunds"].changed == 1, "the real run does it"
    assert order_status(paid) == OrderStatus.PAID
    assert OutgoingMail.objects.count() > len(before["OutgoingMail"])


def test_one_item_that_fails_stops_no_other(sandbox):
    broken, fine = open_checkout(), open_checkout()
    sandbox.stripe.pay(fine.session_id)
    sandbox.fault(
        service="stripe", path=broken.session_id, status=400, body=json.dumps({"error": {"type": "x"}}), times=-1
    )
    result = run()
    assert list(result.problems) == [f"payment {broken.order.payments.get().public_id}"]
    assert order_status(fine) == OrderStatus.PAID


def test_with_stripe_down_the_run_stops_early_and_says_so(sandbox):
    for _ in range(4):
        open_checkout()
    Payment.objects.update(created_at=later(hours=-1))
    sandbox.fault(service="stripe", path="/v1/", status=500, times=-1)
    before = len(sandbox.calls("stripe"))
    printed = StringIO()
    with pytest.raises(SystemExit) as ended:
        call_command("stripe_reconcile", stdout=printed)
    assert ended.value.code == 1
    assert "STOPPED EARLY Stripe does not answer" in printed.getvalue()
    assert len(sandbox.calls("stripe")) - before <= 2 * repairs.MOST_SILENCES


def test_the_command_prints_counts_and_ids_and_no_address(sandbox):
    checkout = open_checkout()
    sandbox.stripe.pay(checkout.session_id)
    printed = StringIO()
    call_command("stripe_reconcile", "--since", "2h", stdout=printed)
    assert f"changed: payment {checkout.order.payments.get().public_id}: pending → completed" in printed.getvalue()
    assert "Nothing stays unrepaired." in printed.getvalue()
    assert "@" not in printed.getvalue()


def test_a_limit_takes_up_so_many_and_says_that_more_is_left(sandbox):
    for checkout in [open_checkout() for _ in range(3)]:
        sandbox.stripe.expire(checkout.session_id)
    result = run(limit=2)
    assert Order.objects.filter(status=OrderStatus.EXPIRED).count() == 2
    assert "open payments" in result.problems
    assert run(limit=2).is_all_well


def test_while_payments_are_off_only_our_own_rows_are_looked_at(sandbox, settings):
    settings.STRIPE_SECRET_KEY = ""
    task.delay(2)
    assert sandbox.calls("stripe") == []


def test_a_failure_that_a_person_knows_of_is_counted_only(sandbox):
    order = make_order(needs_attention="Look at this.", status=OrderStatus.FAILED)
    make_payment(order, status=PaymentStatus.FAILED, failure_code=FailureCode.USER_GONE)
    result = run()
    assert (result.orders_waiting, result.paid_for_nobody, result.is_all_well) == (1, 1, True)
