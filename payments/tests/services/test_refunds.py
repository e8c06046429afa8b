"""Money given back: what may be, what Stripe is asked, and what the student has afterwards."""

import uuid
from datetime import timedelta

import pytest
from django.utils import timezone

from courses.models import Enrollment
from courses.tests.factories import make_course
from mailing.models import OutgoingMail
from payments.errors import PaymentUnderReview, ProviderUnavailable, RefundRefused
from payments.models import (
    Access,
    FailureCode,
    Order,
    OrderStatus,
    Payment,
    PaymentStatus,
    Refund,
    RefundOrigin,
    RefundReason,
    RefundStatus,
)
from payments.services import refunds
from payments.services.checkout import start_checkout
from payments.services.mails import REFUND_ISSUED
from payments.services.refund_requests import item_shares, refundable_minor, request_refund
from payments.services.refunds import resume_refunds, send_refund
from payments.services.sync import sync_checkout, sync_order, sync_refund
from payments.tests.buying import bought, deliver_all, open_checkout, open_order
from users.tests.factories import make_user

pytestmark = pytest.mark.django_db
REFUNDS = "/v1/refunds"


def give_back(payment: Payment, **wanted) -> Refund:
    return send_refund(request_refund(payment=payment, **wanted))


def state_of(payment: Payment) -> tuple[str, int, int]:
    """The order's status, the payment's status and what was given back of it."""
    payment.refresh_from_db()
    order = Order.objects.get(pk=payment.order_id)
    return order.status, payment.status, payment.refunded_minor


def may_watch(payment: Payment) -> list[bool]:
    items = payment.order.items.order_by("pk")
    return [Enrollment.objects.active().filter(user=payment.order.user, course=item.course).exists() for item in items]


def creations(sandbox) -> list[dict]:
    return [call for call in sandbox.calls("stripe") if call["method"] == "POST" and call["path"].endswith(REFUNDS)]


def test_a_full_refund_ends_the_course_and_owes_one_mail(sandbox):
    staff, payment = make_user(), bought(sandbox)
    refund = give_back(payment, requested_by=staff, reason=RefundReason.FRAUDULENT)
    assert state_of(payment) == (OrderStatus.REFUNDED, PaymentStatus.REFUNDED, 4900)
    assert may_watch(payment) == [False]
    assert payment.order.items.get().access == Access.REVOKED
    assert Enrollment.objects.get().ended_reason == "refunded"
    assert (refund.status, refund.origin, refund.requested_by) == (RefundStatus.SUCCEEDED, RefundOrigin.STAFF, staff)
    (at_stripe,) = sandbox.stripe.refunds()
    assert (at_stripe["id"], at_stripe["amount"], at_stripe["reason"]) == (refund.stripe_id, 4900, "fraudulent")
    assert at_stripe["metadata"]["refund_id"] == str(refund.public_id)
    for _ in range(2):
        send_refund(refund)
    assert len(creations(sandbox)) == 1
    assert OutgoingMail.objects.filter(kind=REFUND_ISSUED).count() == 1


def test_two_partial_refunds_leave_the_course_and_the_rest_ends_it(sandbox):
    payment = bought(sandbox)
    give_back(payment, amount_minor=1000)
    assert state_of(payment) == (OrderStatus.PARTIALLY_REFUNDED, PaymentStatus.COMPLETED, 1000)
    give_back(payment, amount_minor=900)
    assert state_of(payment) == (OrderStatus.PARTIALLY_REFUNDED, PaymentStatus.COMPLETED, 1900)
    assert may_watch(payment) == [True]
    give_back(payment)
    assert state_of(payment) == (OrderStatus.REFUNDED, PaymentStatus.REFUNDED, 4900)
    assert may_watch(payment) == [False]
    assert OutgoingMail.objects.filter(kind=REFUND_ISSUED).count() == 3


def test_an_item_given_back_ends_that_course_alone(sandbox):
    payment = bought(sandbox, make_course(price_minor=3000), make_course(price_minor=2000))
    first, second = payment.order.items.order_by("pk")
    refund = give_back(payment, items=[first])
    assert refund.amount_minor == 3000
    assert state_of(payment) == (OrderStatus.PARTIALLY_REFUNDED, PaymentStatus.COMPLETED, 3000)
    assert may_watch(payment) == [False, True]
    with pytest.raises(RefundRefused) as refused:
        request_refund(payment=payment, items=[first])
    assert refused.value.code == "nothing_left"
    give_back(payment, items=[second])
    assert state_of(payment) == (OrderStatus.REFUNDED, PaymentStatus.REFUNDED, 5000)
    assert may_watch(payment) == [False, False]


def test_a_request_sent_twice_under_one_name_is_one_refund(sandbox):
    payment = bought(sandbox, make_course(price_minor=3000), make_course(price_minor=2000))
    item, name = payment.order.items.order_by("pk")[0], uuid.uuid4()
    refunds = [request_refund(payment=payment, items=[item], public_id=name) for _ in range(2)]
    send_refund(refunds[0])
    refunds.append(request_refund(payment=payment, items=[item], public_id=name))
    assert len(set(refunds)) == 1
    assert refundable_minor(payment) == 2000


def test_a_part_of_an_items_price_given_back_in_its_name_ends_its_course_too(sandbox):
    payment = bought(sandbox, make_course(price_minor=3000), make_course(price_minor=2000))
    give_back(payment, items=[payment.order.items.order_by("pk")[1]], amount_minor=500)
    assert state_of(payment) == (OrderStatus.PARTIALLY_REFUNDED, PaymentStatus.COMPLETED, 500)
    assert may_watch(payment) == [True, False]


def test_two_people_who_give_back_one_item_at_once_give_it_back_once(sandbox):
    payment = bought(sandbox, make_course(price_minor=1000), make_course(price_minor=4000))
    item = payment.order.items.order_by("pk")[0]
    request_refund(payment=payment, items=[item], amount_minor=1000)
    for wanted in ({}, {"amount_minor": 1000}):
        with pytest.raises(RefundRefused) as refused:
            request_refund(payment=payment, items=[item], **wanted)
        assert refused.value.code == "nothing_left"
    assert Refund.objects.count() == 1


def test_the_shares_of_the_items_add_up_to_what_was_paid(sandbox):
    payment = bought(sandbox, *[make_course(price_minor=price) for price in (1000, 1000, 999)])
    Payment.objects.filter(pk=payment.pk).update(discount_minor=1001)
    payment.refresh_from_db()
    assert sum(item_shares(payment).values()) == 2999 - 1001


@pytest.mark.parametrize(
    ("amount_minor", "code"), [(4901, "too_much"), (0, "too_much"), (-1, "too_much"), (10**9, "too_much")]
)
def test_an_impossible_amount_is_refused_and_nothing_is_reserved(sandbox, amount_minor, code):
    payment = bought(sandbox)
    with pytest.raises(RefundRefused) as refused:
        request_refund(payment=payment, amount_minor=amount_minor)
    assert refused.value.code == code
    assert not Refund.objects.exists()
    assert refundable_minor(payment) == 4900


def test_what_was_not_paid_or_went_back_is_refused(sandbox):
    with pytest.raises(RefundRefused) as unpaid:
        request_refund(payment=open_order(make_course()))
    payment = bought(sandbox)
    give_back(payment)
    with pytest.raises(RefundRefused) as gone:
        request_refund(payment=payment)
    assert (unpaid.value.code, gone.value.code) == ("not_paid", "nothing_left")


def test_an_amount_that_is_reserved_cannot_be_asked_for_again(sandbox):
    payment = bought(sandbox)
    request_refund(payment=payment, amount_minor=4000)
    with pytest.raises(RefundRefused):
        request_refund(payment=payment, amount_minor=1000)
    assert request_refund(payment=payment).amount_minor == 900


def test_a_refund_that_is_only_reserved_ends_nothing_yet(sandbox):
    payment = bought(sandbox, make_course(price_minor=3000), make_course(price_minor=2000))
    request_refund(payment=payment, items=list(payment.order.items.all()))
    sync_checkout(payment.session_id)
    assert state_of(payment) == (OrderStatus.PAID, PaymentStatus.COMPLETED, 0)
    assert may_watch(payment) == [True, True]


def test_a_refund_that_fails_after_it_succeeded_is_flagged_and_gives_no_course_back(sandbox):
    payment = bought(sandbox)
    refund = give_back(payment)
    sandbox.stripe.settle_refund(refund.stripe_id, "failed", reason="expired_or_canceled_card")
    assert deliver_all(sandbox, "refund.failed") == [200]
    refund.refresh_from_db()
    assert (refund.status, refund.failure_reason) == (RefundStatus.FAILED, "expired_or_canceled_card")
    assert state_of(payment) == (OrderStatus.PAID, PaymentStatus.COMPLETED, 0)
    assert may_watch(payment) == [False]
    assert "give the money back another way" in Order.objects.get().needs_attention
    assert refundable_minor(payment) == 4900
    give_back(payment)
    assert state_of(payment) == (OrderStatus.REFUNDED, PaymentStatus.REFUNDED, 4900)


def test_a_refund_that_waits_for_the_bank_counts_at_once(sandbox):
    payment = open_order(make_course())
    sandbox.stripe.pay_by_bank_debit(payment.session_id)
    sandbox.stripe.settle(payment.session_id, "succeeded")
    sync_checkout(payment.session_id)
    refund = give_back(payment)
    assert refund.status == RefundStatus.PENDING
    assert state_of(payment) == (OrderStatus.REFUNDED, PaymentStatus.REFUNDED, 4900)
    assert may_watch(payment) == [False]


def test_a_refund_made_at_the_dashboard_is_taken_in(sandbox):
    payment = bought(sandbox)
    at_stripe = sandbox.stripe.refund(payment.stripe_payment_intent, 1500)
    sync_refund(at_stripe["id"])
    refund = Refund.objects.get()
    assert (refund.stripe_id, refund.origin, refund.amount_minor) == (at_stripe["id"], RefundOrigin.PROVIDER, 1500)
    assert state_of(payment) == (OrderStatus.PARTIALLY_REFUNDED, PaymentStatus.COMPLETED, 1500)
    assert refundable_minor(payment) == 3400


def test_a_refund_told_before_the_payment_grants_nothing_at_any_time(sandbox):
    checkout = open_checkout()
    session = sandbox.stripe.pay(checkout.session_id)
    sandbox.stripe.refund(session["payment_intent"])
    assert deliver_all(sandbox, "refund.created", "charge.refunded", "checkout.session.completed") == [200] * 3
    payment = Payment.objects.get()
    assert state_of(payment) == (OrderStatus.REFUNDED, PaymentStatus.REFUNDED, 4900)
    assert not Enrollment.objects.exists()
    assert not OutgoingMail.objects.filter(kind="payments.order_confirmation").exists()


def test_a_partial_refund_told_before_the_payment_still_gives_the_course(sandbox):
    checkout = open_checkout()
    session = sandbox.stripe.pay(checkout.session_id)
    sandbox.stripe.refund(session["payment_intent"], 900)
    deliver_all(sandbox, "charge.refunded", "refund.created", "checkout.session.completed")
    assert state_of(Payment.objects.get()) == (OrderStatus.PARTIALLY_REFUNDED, PaymentStatus.COMPLETED, 900)
    assert Enrollment.objects.active().count() == 1


def test_somebody_who_gave_all_back_already_makes_the_refund_needless(sandbox):
    payment = bought(sandbox)
    refund = request_refund(payment=payment)
    sandbox.stripe.refund(payment.stripe_payment_intent)
    refund = send_refund(refund)
    assert (refund.status, refund.failure_reason) == (RefundStatus.CANCELED, "charge_already_refunded")
    assert state_of(payment) == (OrderStatus.REFUNDED, PaymentStatus.REFUNDED, 4900)
    assert Refund.objects.exclude(stripe_id=None).count() == 1
    assert Order.objects.get().needs_attention == ""


def test_a_refund_that_stripe_refuses_has_failed_and_is_flagged(sandbox):
    payment = bought(sandbox)
    refund = request_refund(payment=payment, amount_minor=4000)
    sandbox.stripe.refund(payment.stripe_payment_intent, 2000)
    with pytest.raises(RefundRefused):
        send_refund(refund)
    refund.refresh_from_db()
    assert (refund.status, refund.stripe_id) == (RefundStatus.FAILED, None)
    assert "refund was refused" in Order.objects.get().needs_attention
    assert state_of(payment) == (OrderStatus.PARTIALLY_REFUNDED, PaymentStatus.COMPLETED, 2000)
    assert refundable_minor(payment) == 2900
    assert may_watch(payment) == [True]


def test_a_lost_answer_still_makes_one_refund(sandbox):
    payment = bought(sandbox)
    refund = request_refund(payment=payment, amount_minor=1000)
    sandbox.fault(service="stripe", path=REFUNDS, after=True, drop=True, times=2)
    with pytest.raises(ProviderUnavailable):
        send_refund(refund)
    assert resume_refunds(timezone.now() + timedelta(minutes=5)) == (1, 0)
    refund.refresh_from_db()
    (at_stripe,) = sandbox.stripe.refunds()
    assert (refund.stripe_id, refund.status) == (at_stripe["id"], RefundStatus.SUCCEEDED)
    assert Refund.objects.count() == 1


def test_the_event_of_a_refund_whose_answer_was_lost_finds_its_row(sandbox):
    payment = bought(sandbox)
    refund = request_refund(payment=payment)
    sandbox.fault(service="stripe", path=REFUNDS, after=True, drop=True, times=2)
    with pytest.raises(ProviderUnavailable):
        send_refund(refund)
    assert deliver_all(sandbox, "refund.created") == [200]
    refund.refresh_from_db()
    assert (refund.status, refund.origin) == (RefundStatus.SUCCEEDED, RefundOrigin.STAFF)
    asked = len(creations(sandbox))
    assert resume_refunds(timezone.now() + timedelta(minutes=5)) == (0, 0)
    assert len(creations(sandbox)) == asked


def test_a_refund_whose_key_may_be_forgotten_is_looked_for_before_it_is_sent_again(sandbox):
    payment = bought(sandbox)
    refund = request_refund(payment=payment, amount_minor=1000)
    sandbox.fault(service="stripe", path=REFUNDS, after=True, drop=True, times=2)
    with pytest.raises(ProviderUnavailable):
        send_refund(refund)
    asked = len(creations(sandbox))
    Refund.objects.update(created_at=timezone.now() - timedelta(days=2))
    assert resume_refunds() == (1, 0)
    assert len(creations(sandbox)) == asked
    assert state_of(payment) == (OrderStatus.PARTIALLY_REFUNDED, PaymentStatus.COMPLETED, 1000)


def test_a_crash_between_reserving_and_sending_is_made_good(sandbox):
    payment = bought(sandbox)
    request_refund(payment=payment)
    assert resume_refunds() == (0, 0)
    assert sandbox.stripe.refunds() == []
    assert resume_refunds(timezone.now() + timedelta(minutes=5)) == (1, 0)
    assert state_of(payment) == (OrderStatus.REFUNDED, PaymentStatus.REFUNDED, 4900)
    assert may_watch(payment) == [False]


def test_what_cannot_be_sent_now_stays_to_be_sent(sandbox):
    for _ in range(3):
        request_refund(payment=bought(sandbox))
    sandbox.fault(service="stripe", path=REFUNDS, status=500, times=-1)
    assert resume_refunds(timezone.now() + timedelta(minutes=5)) == (0, 1)
    assert Refund.objects.unsent().count() == 3
    assert len({creation["body"] for creation in creations(sandbox)}) == 1, "the others are not tried in vain"


def test_a_failure_that_stripe_saved_for_one_refund_does_not_hold_up_the_others(sandbox):
    first, _ = [request_refund(payment=bought(sandbox)) for _ in range(2)]
    sandbox.fault(service="stripe", path=REFUNDS, status=500, times=2, headers={"Idempotent-Replayed": "true"})
    assert resume_refunds(timezone.now() + timedelta(minutes=5)) == (1, 1)
    assert list(Refund.objects.unsent()) == [first]


def test_as_many_refunds_are_resumed_as_a_run_takes(sandbox, monkeypatch):
    monkeypatch.setattr(refunds, "BATCH", 1)
    second = [request_refund(payment=bought(sandbox)) for _ in range(2)][1]
    soon = timezone.now() + timedelta(minutes=5)
    assert resume_refunds(soon) == (1, 0)
    assert list(Refund.objects.unsent()) == [second]
    assert resume_refunds(soon) == (1, 0)


def test_money_for_a_closed_account_can_be_given_back(sandbox):
    payment = open_order(make_course())
    user = payment.order.user
    user.is_active = False
    user.save()
    sandbox.stripe.pay(payment.session_id)
    sync_checkout(payment.session_id)
    payment.refresh_from_db()
    give_back(payment)
    assert state_of(payment) == (OrderStatus.FAILED, PaymentStatus.FAILED, 4900)
    assert payment.failure_code == FailureCode.USER_GONE


def test_an_account_opened_again_after_its_money_went_back_gets_nothing(sandbox):
    payment = open_order(make_course())
    user = payment.order.user
    user.is_active = False
    user.save()
    sandbox.stripe.pay(payment.session_id)
    sync_checkout(payment.session_id)
    payment.refresh_from_db()
    give_back(payment)
    user.is_active = True
    user.save()
    sync_order(payment.order, everything=True)
    assert state_of(payment) == (OrderStatus.REFUNDED, PaymentStatus.REFUNDED, 4900)
    assert may_watch(payment) == [False]


def test_money_whose_order_is_gone_can_be_given_back(sandbox):
    payment = open_order(make_course())
    payment.order.delete()
    sandbox.stripe.pay(payment.session_id)
    sync_checkout(payment.session_id)
    payment.refresh_from_db()
    refund = give_back(payment)
    payment.refresh_from_db()
    assert refund.status == RefundStatus.SUCCEEDED
    assert (payment.failure_code, payment.refunded_minor) == (FailureCode.ORDER_GONE, 4900)
    assert refundable_minor(payment) == 0


def test_all_of_a_payment_that_did_not_fit_goes_back_and_then_it_can_be_bought_again(sandbox):
    user, course = make_user(), make_course()
    payment = open_order(course, user=user)
    sandbox.stripe.pay(payment.session_id)
    other = sandbox.stripe.session(payment.session_id) | {"amount_total": 7777}
    sandbox.context.store.put("stripe.sessions", payment.session_id, other)
    sync_checkout(payment.session_id)
    payment.refresh_from_db()
    assert payment.failure_code == FailureCode.MISMATCH
    with pytest.raises(PaymentUnderReview):
        start_checkout(user=user, course=course)
    assert payment.paid_at
    give_back(payment)
    assert sum(refund["amount"] for refund in sandbox.stripe.refunds()) == 4900
    assert state_of(payment) == (OrderStatus.FAILED, PaymentStatus.FAILED, 4900)
    assert start_checkout(user=user, course=course).order != payment.order


def test_money_that_a_person_has_dealt_with_blocks_no_new_purchase(sandbox):
    user, course = make_user(), make_course()
    payment = open_order(course, user=user)
    Payment.objects.filter(pk=payment.pk).update(status=-1, failure_code=FailureCode.MISMATCH)
    with pytest.raises(PaymentUnderReview):
        start_checkout(user=user, course=course)
    Payment.objects.filter(pk=payment.pk).update(seen_to_at=timezone.now())
    Order.objects.update(needs_attention="odd")
    assert start_checkout(user=user, course=course).order != payment.order


def test_yen_go_back_in_whole_units(sandbox):
    payment = bought(sandbox, make_course(price_minor=5000, currency="jpy"))
    give_back(payment, amount_minor=1)
    assert [(refund["amount"], refund["currency"]) for refund in sandbox.stripe.refunds()] == [(1, "jpy")]
    give_back(payment)
    assert state_of(payment) == (OrderStatus.REFUNDED, PaymentStatus.REFUNDED, 5000)
