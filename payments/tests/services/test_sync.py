import pytest

from courses.models import Enrollment, EnrollmentSource
from courses.tests.factories import enroll_student, make_course
from mailing.models import OutgoingMail
from payments import stripe
from payments.errors import ForeignSession, ProviderRejected, SessionNotFound, UnknownSession
from payments.models import FailureCode, Order, OrderStatus, Payment, PaymentStatus
from payments.services.checkout import start_checkout
from payments.services.session_request import session_request
from payments.services.sync import sync_checkout, sync_order
from payments.tests.buying import bought, make_order, make_payment, open_checkout
from sandbox.stripe.errors import StripeError
from users.tests.factories import make_user

pytestmark = pytest.mark.django_db


def fresh(order: Order) -> Order:
    return Order.objects.get(pk=order.pk)


def change_session(sandbox, session_id: str, **values) -> None:
    sandbox.context.store.put("stripe.sessions", session_id, sandbox.stripe.session(session_id) | values)


def confirmations() -> int:
    return OutgoingMail.objects.filter(kind="payments.order_confirmation").count()


def test_a_paid_session_completes_grants_and_owes_one_mail(sandbox):
    user, course = make_user(), make_course()
    checkout = start_checkout(user=user, course=course)
    session = sandbox.stripe.pay(checkout.session_id)
    for _ in range(3):
        sync_checkout(checkout.session_id)
    payment, order = Payment.objects.get(), fresh(checkout.order)
    assert (payment.status, payment.transaction_id) == (PaymentStatus.COMPLETED, session["id"])
    assert payment.stripe_payment_intent == session["payment_intent"]
    assert payment.charge_id.startswith("ch_")
    assert order.status == OrderStatus.PAID
    assert order.paid_at
    assert order.fulfilled_at
    enrollment = Enrollment.objects.get(user=user, course=course)
    assert (enrollment.source, enrollment.source_reference) == (EnrollmentSource.ORDER, str(order.public_id))
    assert confirmations() == 1


def test_an_open_session_changes_nothing(sandbox):
    checkout = open_checkout()
    sync_checkout(checkout.session_id)
    assert fresh(checkout.order).status == OrderStatus.PENDING
    assert not Enrollment.objects.exists()


def test_a_declined_card_leaves_the_page_open_and_then_it_is_paid(sandbox):
    checkout = open_checkout()
    with pytest.raises(StripeError):
        sandbox.stripe.pay(checkout.session_id, "4000 0000 0000 0002")
    sync_checkout(checkout.session_id)
    assert fresh(checkout.order).status == OrderStatus.PENDING
    sandbox.stripe.pay(checkout.session_id)
    sync_checkout(checkout.session_id)
    assert fresh(checkout.order).status == OrderStatus.PAID


def test_a_bank_debit_is_processing_until_the_money_comes(sandbox):
    checkout = open_checkout()
    sandbox.stripe.pay_by_bank_debit(checkout.session_id)
    sync_checkout(checkout.session_id)
    assert fresh(checkout.order).status == OrderStatus.PROCESSING
    assert not Enrollment.objects.exists()
    sandbox.stripe.settle(checkout.session_id, "succeeded")
    sync_checkout(checkout.session_id)
    assert fresh(checkout.order).status == OrderStatus.PAID
    assert Enrollment.objects.count() == 1


def test_a_bank_debit_that_fails_fails_the_order_and_mails_once(sandbox):
    checkout = open_checkout()
    sandbox.stripe.pay_by_bank_debit(checkout.session_id)
    sync_checkout(checkout.session_id)
    sandbox.stripe.settle(checkout.session_id, "failed")
    for _ in range(2):
        sync_checkout(checkout.session_id)
    assert fresh(checkout.order).status == OrderStatus.FAILED
    assert Payment.objects.get().failure_code == FailureCode.ASYNC_FAILED
    assert OutgoingMail.objects.filter(kind="payments.payment_failed").count() == 1
    assert not Enrollment.objects.exists()


def test_after_a_failed_debit_the_student_can_pay_again(sandbox):
    user, course = make_user(), make_course()
    first = start_checkout(user=user, course=course)
    sandbox.stripe.pay_by_bank_debit(first.session_id)
    sandbox.stripe.settle(first.session_id, "failed")
    second = start_checkout(user=user, course=course)
    sandbox.stripe.pay(second.session_id)
    sync_checkout(second.session_id)
    assert fresh(second.order).status == OrderStatus.PAID


def test_an_expired_session_expires_its_order(sandbox):
    checkout = open_checkout()
    sandbox.stripe.expire(checkout.session_id)
    sync_checkout(checkout.session_id)
    assert fresh(checkout.order).status == OrderStatus.EXPIRED
    assert Payment.objects.get().failure_code == FailureCode.EXPIRED


def test_late_money_on_an_expired_order_is_honoured(sandbox):
    checkout = open_checkout()
    Payment.objects.update(status=PaymentStatus.FAILED, failure_code=FailureCode.EXPIRED)
    Order.objects.update(status=OrderStatus.EXPIRED)
    sandbox.stripe.pay(checkout.session_id)
    sync_checkout(checkout.session_id)
    assert fresh(checkout.order).status == OrderStatus.PAID
    payment = Payment.objects.get()
    assert (payment.status, payment.failure_code) == (PaymentStatus.COMPLETED, "")


def test_an_expiry_of_an_older_attempt_leaves_a_paid_order_paid(sandbox):
    user, course = make_user(), make_course()
    first = start_checkout(user=user, course=course)
    sandbox.stripe.expire(first.session_id)
    second = start_checkout(user=user, course=course)
    sandbox.stripe.pay(second.session_id)
    sync_checkout(second.session_id)
    sync_checkout(first.session_id)
    assert fresh(second.order).status == OrderStatus.PAID


def test_what_stripe_says_later_never_undoes_a_completed_payment(sandbox):
    checkout = open_checkout()
    sandbox.stripe.pay(checkout.session_id)
    sync_checkout(checkout.session_id)
    change_session(sandbox, checkout.session_id, status="expired", payment_status="unpaid", payment_intent=None)
    sync_checkout(checkout.session_id)
    assert fresh(checkout.order).status == OrderStatus.PAID
    assert Payment.objects.get().stripe_payment_intent


def test_an_account_closed_after_the_payment_does_not_undo_it(sandbox):
    user = make_user()
    checkout = open_checkout(user=user)
    sandbox.stripe.pay(checkout.session_id)
    sync_checkout(checkout.session_id)
    user.is_active = False
    user.save()
    sync_checkout(checkout.session_id)
    assert Payment.objects.get().status == PaymentStatus.COMPLETED
    assert fresh(checkout.order).needs_attention == ""


def test_a_refunded_payment_is_not_completed_again_by_its_session(sandbox):
    checkout = open_checkout()
    sandbox.stripe.pay(checkout.session_id)
    sync_checkout(checkout.session_id)
    sandbox.stripe.refund(Payment.objects.get().stripe_payment_intent)
    for _ in range(2):
        sync_checkout(checkout.session_id)
    assert Payment.objects.get().status == PaymentStatus.REFUNDED
    assert fresh(checkout.order).status == OrderStatus.REFUNDED


def test_two_attempts_that_are_both_paid_are_kept_and_flagged_where_the_setting_says_so(sandbox, settings):
    settings.PAYMENTS_DOUBLE_PAYMENT = "flag"
    user, course = make_user(), make_course()
    first = start_checkout(user=user, course=course)
    Payment.objects.update(status=PaymentStatus.FAILED, failure_code=FailureCode.SUPERSEDED)
    Order.objects.update(status=OrderStatus.EXPIRED)
    second = start_checkout(user=user, course=course)
    for checkout in (first, second):
        sandbox.stripe.pay(checkout.session_id)
        sync_checkout(checkout.session_id)
    order = fresh(second.order)
    assert list(order.payments.values_list("status", flat=True)) == [PaymentStatus.COMPLETED] * 2
    assert order.needs_attention == "Paid more than once: give the rest back."
    assert Enrollment.objects.count() == 1
    assert confirmations() == 1


def test_paying_for_a_course_owned_meanwhile_is_flagged_where_the_setting_says_so(sandbox, settings):
    settings.PAYMENTS_DOUBLE_PAYMENT = "flag"
    user, course = make_user(), make_course()
    checkout = start_checkout(user=user, course=course)
    enroll_student(user, course)
    sandbox.stripe.pay(checkout.session_id)
    sync_checkout(checkout.session_id)
    order = fresh(checkout.order)
    assert order.status == OrderStatus.PAID
    assert order.items.get().is_duplicate
    assert course.slug in order.needs_attention
    assert Enrollment.objects.count() == 1


def test_a_course_unpublished_and_dearer_meanwhile_is_given_for_the_price_that_was_paid(sandbox):
    course = make_course(price_minor=4900)
    checkout = open_checkout(course=course)
    course.price_minor, course.is_published = 9900, False
    course.save()
    sandbox.stripe.pay(checkout.session_id)
    sync_checkout(checkout.session_id)
    assert fresh(checkout.order).status == OrderStatus.PAID
    assert Enrollment.objects.filter(course=course, is_active=True).exists()


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"amount_subtotal": 1}, "amount"),
        ({"amount_total": 1}, "total"),
        ({"currency": "eur"}, "currency"),
        ({"livemode": True}, "livemode"),
        ({"mode": "setup"}, "mode"),
        ({"client_reference_id": "somebody-else"}, "order"),
        ({"metadata": {}}, "installation"),
    ],
)
def test_a_session_that_does_not_fit_grants_nothing_and_calls_a_person(sandbox, change, named):
    checkout = open_checkout()
    sandbox.stripe.pay(checkout.session_id)
    change_session(sandbox, checkout.session_id, **change)
    order = sync_checkout(checkout.session_id)
    assert named in order.needs_attention
    assert not Enrollment.objects.exists()
    assert fresh(checkout.order).status == OrderStatus.FAILED
    payment = Payment.objects.get()
    assert (payment.status, payment.failure_code) == (PaymentStatus.FAILED, FailureCode.MISMATCH)
    assert payment.stripe_payment_intent == sandbox.stripe.session(checkout.session_id)["payment_intent"]
    assert payment.paid_at
    sync_checkout(checkout.session_id)
    assert fresh(checkout.order).needs_attention == order.needs_attention


def test_a_closed_account_gets_nothing_and_the_money_is_flagged(sandbox):
    user = make_user()
    checkout = open_checkout(user=user)
    user.is_active = False
    user.save()
    sandbox.stripe.pay(checkout.session_id)
    sync_checkout(checkout.session_id)
    payment, order = Payment.objects.get(), fresh(checkout.order)
    assert (payment.status, payment.failure_code) == (PaymentStatus.FAILED, FailureCode.USER_GONE)
    assert payment.stripe_payment_intent == sandbox.stripe.session(checkout.session_id)["payment_intent"]
    assert payment.charge_id
    assert "account is closed" in order.needs_attention
    assert not Enrollment.objects.exists()


def test_an_account_opened_again_gets_what_was_paid(sandbox):
    user = make_user()
    checkout = open_checkout(user=user)
    user.is_active = False
    user.save()
    sandbox.stripe.pay(checkout.session_id)
    sync_checkout(checkout.session_id)
    user.is_active = True
    user.save()
    sync_checkout(checkout.session_id)
    assert fresh(checkout.order).status == OrderStatus.PAID


def test_a_payment_whose_order_is_gone_fails_with_that_reason(sandbox, caplog, django_capture_on_commit_callbacks):
    checkout = open_checkout()
    checkout.order.delete()
    sandbox.stripe.pay(checkout.session_id)
    with django_capture_on_commit_callbacks(execute=True):
        assert sync_checkout(checkout.session_id) is None
    payment = Payment.objects.get()
    assert (payment.status, payment.failure_code) == (PaymentStatus.FAILED, FailureCode.ORDER_GONE)
    assert payment.charge_id
    assert "its order is gone" in caplog.text


def test_a_session_whose_id_was_lost_is_attached_by_its_metadata(sandbox):
    checkout = open_checkout()
    Payment.objects.update(session_id=None, session_url="")
    sandbox.stripe.pay(checkout.session_id)
    sync_checkout(checkout.session_id)
    assert Payment.objects.get().session_id == checkout.session_id
    assert fresh(checkout.order).status == OrderStatus.PAID


@pytest.mark.parametrize("change", [{"amount_subtotal": 1}, {"currency": "eur"}])
def test_a_lost_session_of_another_amount_is_not_attached(sandbox, change):
    checkout = open_checkout()
    Payment.objects.update(session_id=None)
    sandbox.stripe.pay(checkout.session_id)
    change_session(sandbox, checkout.session_id, **change)
    with pytest.raises(UnknownSession):
        sync_checkout(checkout.session_id)


def test_a_second_session_that_names_a_taken_payment_is_unknown(sandbox):
    checkout = open_checkout()
    payment = Payment.objects.get()
    other = stripe.create_session(
        session_request(checkout.order, Payment(**{**_plain(payment), "idempotency_key": "another"}))
    )
    sandbox.stripe.pay(other.id)
    with pytest.raises(UnknownSession):
        sync_checkout(other.id)
    assert not Enrollment.objects.exists()


def test_metadata_that_is_no_id_at_all_is_unknown(sandbox):
    checkout = open_checkout()
    Payment.objects.update(session_id=None)
    metadata = sandbox.stripe.session(checkout.session_id)["metadata"] | {"payment_id": "robert'); drop"}
    change_session(sandbox, checkout.session_id, metadata=metadata)
    with pytest.raises(UnknownSession):
        sync_checkout(checkout.session_id)


def test_a_session_of_another_installation_is_foreign(sandbox, settings):
    checkout = open_checkout()
    Payment.objects.update(session_id=None)
    settings.PAYMENTS_ENV = "production"
    with pytest.raises(ForeignSession):
        sync_checkout(checkout.session_id)


def test_a_session_that_stripe_does_not_know_is_not_found(sandbox):
    with pytest.raises(SessionNotFound):
        sync_checkout("cs_test_nobody")


def test_a_refusal_of_stripe_changes_nothing(sandbox):
    checkout = open_checkout()
    sandbox.stripe.pay(checkout.session_id)
    refusal = '{"error": {"type": "invalid_request_error", "code": "api_key_expired", "message": "No."}}'
    sandbox.fault(service="stripe", path="/v1/checkout/sessions", status=400, body=refusal)
    with pytest.raises(ProviderRejected):
        sync_checkout(checkout.session_id)
    assert fresh(checkout.order).status == OrderStatus.PENDING
    assert sync_order(checkout.order).status == OrderStatus.PAID


def test_a_paid_order_of_an_installation_that_was_renamed_stays_as_it_is(sandbox, settings):
    payment = bought(sandbox)
    settings.PAYMENTS_ENV = "renamed"
    assert sync_checkout(payment.session_id).needs_attention == ""
    sandbox.stripe.refund(payment.stripe_payment_intent)
    assert sync_checkout(payment.session_id).status == OrderStatus.REFUNDED


def test_a_fulfilled_order_is_not_asked_about_again(sandbox):
    checkout = open_checkout()
    sandbox.stripe.pay(checkout.session_id)
    sync_checkout(checkout.session_id)
    before = len(sandbox.calls("stripe"))
    assert sync_order(fresh(checkout.order)).status == OrderStatus.PAID
    assert len(sandbox.calls("stripe")) == before


def test_an_order_without_a_session_is_not_asked_about(sandbox):
    order = make_order()
    make_payment(order)
    assert sync_order(order).status == OrderStatus.PENDING
    assert sandbox.calls("stripe") == []


def _plain(payment: Payment) -> dict:
    return {field.attname: getattr(payment, field.attname) for field in Payment._meta.concrete_fields}


def test_an_attempt_that_stripe_has_forgotten_does_not_hide_the_one_that_is_open_or_paid(sandbox):
    user, course = make_user(), make_course()
    start_checkout(user=user, course=course)
    sandbox.context.store.clear()
    checkout = start_checkout(user=user, course=course)
    assert sync_order(checkout.order).status == OrderStatus.PENDING
    sandbox.stripe.pay(checkout.session_id)
    assert sync_order(checkout.order).status == OrderStatus.PAID


def test_once_an_attempt_is_paid_the_older_ones_are_not_asked_about(sandbox):
    user, course = make_user(), make_course()
    first = start_checkout(user=user, course=course)
    sandbox.stripe.expire(first.session_id)
    second = start_checkout(user=user, course=course)
    sandbox.stripe.pay(second.session_id)
    asked = len(sandbox.calls("stripe"))
    assert sync_order(second.order).status == OrderStatus.PAID
    assert len(sandbox.calls("stripe")) - asked == 1
