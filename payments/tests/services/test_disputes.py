"""A bank questions a payment: what the order is then, and what the student may watch, under each policy."""

from dataclasses import replace

import pytest

from courses.models import Enrollment
from courses.services import end_enrollment
from courses.tests.factories import make_course
from mailing.models import OutgoingMail
from payments import stripe
from payments.errors import PaymentUnderReview, RefundRefused
from payments.models import Access, Dispute, Order, OrderStatus, Payment, PaymentStatus
from payments.services.checkout import start_checkout
from payments.services.mails import DISPUTE_CLOSED, DISPUTE_OPENED
from payments.services.refund_requests import refundable_minor, request_refund
from payments.services.refunds import send_refund
from payments.services.sync import apply_reading, sync_dispute
from payments.tests.buying import bought, deliver, deliver_all, open_checkout

pytestmark = pytest.mark.django_db
FLAG_OPENED, FLAG_WON, FLAG_LOST = (
    {name: "flag"} for name in ("PAYMENTS_DISPUTE_OPENED", "PAYMENTS_DISPUTE_WON", "PAYMENTS_DISPUTE_LOST")
)


def dispute(sandbox, payment: Payment, *statuses: str, amount=None) -> dict:
    """A dispute that begins as the first status and moves through the others; asked about after each."""
    first, *others = statuses
    found = sandbox.stripe.open_dispute(payment.stripe_payment_intent, first, amount=amount)
    sync_dispute(found["id"])
    for status in others:
        sandbox.stripe.move_dispute(found["id"], status)
        sync_dispute(found["id"])
    return found


def seen(payment: Payment) -> tuple[str, str, bool]:
    """The order's status, what its item gives, and whether the student may watch."""
    order = Order.objects.get(pk=payment.order_id)
    item = order.items.get()
    may_watch = Enrollment.objects.active().filter(user=order.user, course=item.course).exists()
    return order.status, item.access, may_watch


@pytest.mark.parametrize(
    ("statuses", "expected", "refunded_minor"),
    [
        (["warning_needs_response"], (OrderStatus.PAID, Access.GRANTED, True), 0),
        (["warning_needs_response", "warning_under_review"], (OrderStatus.PAID, Access.GRANTED, True), 0),
        (["warning_needs_response", "warning_closed"], (OrderStatus.PAID, Access.GRANTED, True), 0),
        (["warning_needs_response", "needs_response"], (OrderStatus.DISPUTED, Access.SUSPENDED, False), 0),
        (["needs_response"], (OrderStatus.DISPUTED, Access.SUSPENDED, False), 0),
        (["needs_response", "under_review"], (OrderStatus.DISPUTED, Access.SUSPENDED, False), 0),
        (["needs_response", "under_review", "won"], (OrderStatus.PAID, Access.GRANTED, True), 0),
        (["needs_response", "lost"], (OrderStatus.REFUNDED, Access.REVOKED, False), 4900),
        (["lost"], (OrderStatus.REFUNDED, Access.REVOKED, False), 4900),
        (["prevented"], (OrderStatus.PAID, Access.GRANTED, True), 0),
        (["lost", "appeal_needs_response"], (OrderStatus.DISPUTED, Access.SUSPENDED, False), 0),
        (["lost", "appeal_needs_response", "appeal_under_review", "won"], (OrderStatus.PAID, Access.GRANTED, True), 0),
        (["lost", "appeal_needs_response", "lost"], (OrderStatus.REFUNDED, Access.REVOKED, False), 4900),
    ],
)
def test_a_dispute_decides_about_order_and_course(sandbox, statuses, expected, refunded_minor):
    payment = bought(sandbox)
    dispute(sandbox, payment, *statuses)
    assert seen(payment) == expected
    payment.refresh_from_db()
    assert payment.refunded_minor == refunded_minor
    assert payment.status == (PaymentStatus.REFUNDED if refunded_minor else PaymentStatus.COMPLETED)


@pytest.mark.parametrize(
    ("policy", "statuses", "expected"),
    [
        (FLAG_OPENED, ["needs_response"], (OrderStatus.DISPUTED, Access.GRANTED, True)),
        (FLAG_OPENED, ["needs_response", "lost"], (OrderStatus.REFUNDED, Access.REVOKED, False)),
        (FLAG_WON, ["needs_response", "won"], (OrderStatus.PAID, Access.SUSPENDED, False)),
        (FLAG_LOST, ["needs_response", "lost"], (OrderStatus.REFUNDED, Access.GRANTED, True)),
        (FLAG_OPENED | FLAG_LOST, ["needs_response", "lost"], (OrderStatus.REFUNDED, Access.GRANTED, True)),
        (FLAG_OPENED | FLAG_WON, ["needs_response", "won"], (OrderStatus.PAID, Access.GRANTED, True)),
    ],
)
def test_a_policy_that_only_flags_leaves_it_to_a_person(sandbox, settings, policy, statuses, expected):
    for name, value in policy.items():
        setattr(settings, name, value)
    payment = bought(sandbox)
    found = dispute(sandbox, payment, *statuses)
    assert seen(payment) == expected
    assert found["id"] in Order.objects.get().needs_attention
    if policy == FLAG_WON:
        assert "decide whether the course is given back" in Order.objects.get().needs_attention


def test_a_closed_dispute_told_before_it_was_created_ends_the_same(sandbox):
    payment = bought(sandbox)
    found = sandbox.stripe.open_dispute(payment.stripe_payment_intent)
    sandbox.stripe.move_dispute(found["id"], "lost")
    assert deliver_all(sandbox, "charge.dispute.closed", "charge.dispute.created") == [200, 200]
    assert seen(payment) == (OrderStatus.REFUNDED, Access.REVOKED, False)
    assert Dispute.objects.get().status == "lost"
    assert list(OutgoingMail.objects.values_list("kind", flat=True)).count(DISPUTE_CLOSED) == 1
    assert not OutgoingMail.objects.filter(kind=DISPUTE_OPENED).exists()


def test_a_dispute_told_before_the_payment_gives_nothing_until_it_is_won(sandbox):
    checkout = open_checkout()
    session = sandbox.stripe.pay(checkout.session_id)
    found = sandbox.stripe.open_dispute(session["payment_intent"])
    assert deliver_all(sandbox, "charge.dispute.created", "checkout.session.completed") == [200, 200]
    payment = Payment.objects.get()
    assert seen(payment) == (OrderStatus.DISPUTED, Access.SUSPENDED, False)
    sandbox.stripe.move_dispute(found["id"], "won")
    deliver_all(sandbox, "charge.dispute.closed")
    assert seen(payment) == (OrderStatus.PAID, Access.GRANTED, True)


def test_a_lost_part_of_the_payment_leaves_the_course(sandbox):
    payment = bought(sandbox)
    dispute(sandbox, payment, "lost", amount=900)
    assert seen(payment) == (OrderStatus.PARTIALLY_REFUNDED, Access.GRANTED, True)
    assert refundable_minor(payment) == 4000


def test_a_bank_that_takes_more_than_was_left_is_counted_up_to_what_was_paid(sandbox):
    payment = bought(sandbox)
    send_refund(request_refund(payment=payment, amount_minor=900))
    dispute(sandbox, payment, "lost")
    assert seen(payment) == (OrderStatus.REFUNDED, Access.REVOKED, False)
    payment.refresh_from_db()
    assert payment.refunded_minor == 4900
    assert refundable_minor(payment) == 0


def test_a_disputed_payment_is_not_refunded(sandbox):
    payment = bought(sandbox)
    dispute(sandbox, payment, "needs_response")
    with pytest.raises(RefundRefused) as refused:
        request_refund(payment=payment)
    assert refused.value.code == "disputed"


def test_an_inquiry_may_be_answered_with_a_refund(sandbox):
    payment = bought(sandbox)
    dispute(sandbox, payment, "warning_needs_response")
    send_refund(request_refund(payment=payment))
    assert seen(payment) == (OrderStatus.REFUNDED, Access.REVOKED, False)


def test_a_dispute_nobody_heard_of_yet_refuses_the_refund_and_is_taken_in(sandbox):
    payment = bought(sandbox)
    refund = request_refund(payment=payment)
    sandbox.stripe.open_dispute(payment.stripe_payment_intent)
    with pytest.raises(RefundRefused) as refused:
        send_refund(refund)
    assert refused.value.code == "charge_disputed"
    assert seen(payment) == (OrderStatus.DISPUTED, Access.SUSPENDED, False)


def test_a_state_of_a_dispute_that_is_new_to_us_counts_as_open(sandbox):
    payment = bought(sandbox)
    sandbox.stripe.open_dispute(payment.stripe_payment_intent)
    reading = stripe.read(payment.session_id)
    (told,) = reading.disputes
    apply_reading(replace(reading, disputes=(replace(told, status="at_the_oracle"),)), revision=payment.revision)
    assert Dispute.objects.get().status == "unknown"
    assert seen(payment) == (OrderStatus.DISPUTED, Access.SUSPENDED, False)


def test_a_course_in_dispute_is_not_sold_again(sandbox):
    payment = bought(sandbox)
    dispute(sandbox, payment, "needs_response")
    item = payment.order.items.get()
    with pytest.raises(PaymentUnderReview):
        start_checkout(user=payment.order.user, course=item.course)


def test_a_won_dispute_gives_back_no_right_that_a_refund_ended(sandbox):
    payment = bought(sandbox)
    dispute(sandbox, payment, "warning_needs_response")
    refund = send_refund(request_refund(payment=payment))
    sandbox.stripe.settle_refund(refund.stripe_id, "failed")
    dispute_id = sandbox.stripe.disputes()[0]["id"]
    sandbox.stripe.move_dispute(dispute_id, "needs_response")
    sandbox.stripe.move_dispute(dispute_id, "won")
    sync_dispute(dispute_id)
    assert seen(payment) == (OrderStatus.PAID, Access.REVOKED, False)


def test_a_course_owned_twice_stays_when_one_payment_is_disputed(sandbox, settings):
    settings.PAYMENTS_DOUBLE_PAYMENT = "flag"
    course = make_course()
    first = bought(sandbox, course)
    second = bought(sandbox, course, user=first.order.user)
    dispute(sandbox, first, "needs_response")
    enrollment = Enrollment.objects.active().get()
    assert enrollment.source_reference == str(second.order.public_id)
    dispute(sandbox, second, "lost")
    assert not Enrollment.objects.active().exists()


def test_a_right_that_staff_ended_is_not_ended_twice(sandbox):
    payment = bought(sandbox)
    end_enrollment(enrollment=Enrollment.objects.get(), reason="left")
    dispute(sandbox, payment, "lost")
    assert Enrollment.objects.get().ended_reason == "left"


def test_each_dispute_owes_one_mail_when_it_opens_and_one_when_it_ends(sandbox):
    payment = bought(sandbox)
    sandbox.stripe.move_dispute(dispute(sandbox, payment, "needs_response", "under_review")["id"], "won")
    events = [event for event in sandbox.stripe.events() if event["type"].startswith("charge.dispute.")]
    for event in events * 2:
        assert deliver(event).status_code == 200
    for kind in (DISPUTE_OPENED, DISPUTE_CLOSED):
        assert OutgoingMail.objects.filter(kind=kind).count() == 1
