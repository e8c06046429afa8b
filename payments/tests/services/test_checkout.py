import time
from datetime import timedelta

import pytest
from django.utils import timezone

from courses.models import Enrollment, EnrollmentSource
from courses.tests.factories import enroll_student, make_course
from mailing.models import OutgoingMail
from payments.api.order_list import order_rows
from payments.errors import (
    AlreadyEnrolled,
    AlreadyPaid,
    EmailUnverified,
    PaymentProcessing,
    PaymentUnderReview,
    ProviderMisconfigured,
    ProviderRejected,
    ProviderUnavailable,
    TooManyOpenCheckouts,
)
from payments.models import FailureCode, Order, OrderStatus, Payment, PaymentStatus
from payments.services.checkout import start_checkout
from payments.services.sync import sync_checkout, sync_order
from payments.stripe import client
from payments.tests.buying import open_checkout
from users.tests.factories import make_user

pytestmark = pytest.mark.django_db


def creations(sandbox) -> list[dict]:
    calls = sandbox.calls("stripe")
    return [call for call in calls if call["method"] == "POST" and call["path"].endswith("/checkout/sessions")]


def test_a_checkout_reserves_an_order_and_opens_its_page(sandbox, settings):
    user, course = make_user(), make_course(price_minor=4900)
    checkout = start_checkout(user=user, course=course)
    payment = Payment.objects.get(order=checkout.order)
    session = sandbox.stripe.session(checkout.session_id)
    assert checkout.url == session["url"]
    assert (payment.session_id, payment.status, payment.amount_minor) == (session["id"], PaymentStatus.PENDING, 4900)
    assert checkout.order.status == OrderStatus.PENDING
    assert (session["amount_total"], session["currency"], session["mode"]) == (4900, "usd", "payment")
    assert session["metadata"] == {
        "user_id": str(user.pk),
        "user_email": user.email,
        "order_id": str(checkout.order.public_id),
        "payment_id": str(payment.public_id),
        "env": "test",
    }
    assert session["client_reference_id"] == str(checkout.order.public_id)
    assert session["automatic_tax"]["enabled"] is False
    assert session["success_url"] == (
        f"{settings.FRONTEND_URL}/dashboard/payment-success?course-slug={course.slug}"
        f"&session_id={{CHECKOUT_SESSION_ID}}&order_id={checkout.order.public_id}"
    )
    assert session["cancel_url"] == f"{settings.FRONTEND_URL}/dashboard/payment-cancel?course-slug={course.slug}"
    assert sandbox.stripe.checkout.line_items(session["id"])[0]["description"] == course.title


def test_the_intent_carries_the_metadata_too(sandbox):
    checkout = open_checkout()
    sandbox.stripe.pay(checkout.session_id)
    session = sandbox.stripe.session(checkout.session_id)
    intent = sandbox.context.store.get("stripe.payment_intents", session["payment_intent"])
    assert intent["metadata"]["order_id"] == str(checkout.order.public_id)


def test_the_course_picture_is_shown_by_its_lasting_address(sandbox, settings):
    settings.PUBLIC_URL = "https://api.school.example"
    course = make_course(thumbnail="images/course_thumbnails/abc.png")
    checkout = open_checkout(course=course)
    product = next(item for item in sandbox.context.store.values("stripe.products") if item["name"] == course.title)
    assert product["images"] == [f"https://api.school.example/api/courses/images/thumbnails/{course.pk}/abc.png"]
    assert checkout.url


def test_a_second_click_goes_on_with_the_same_page(sandbox):
    user, course = make_user(), make_course()
    first = start_checkout(user=user, course=course)
    second = start_checkout(user=user, course=course)
    assert (first.url, first.order) == (second.url, second.order)
    assert len(creations(sandbox)) == 1


def test_an_unverified_address_cannot_buy(sandbox):
    with pytest.raises(EmailUnverified):
        open_checkout(user=make_user(email_verified_at=None))
    assert not Order.objects.exists()


def test_an_owned_course_is_refused_before_stripe_is_asked(sandbox):
    user, course = make_user(), make_course()
    enroll_student(user, course)
    with pytest.raises(AlreadyEnrolled):
        start_checkout(user=user, course=course)
    assert sandbox.calls("stripe") == []


def test_a_free_course_is_given_at_once_without_stripe(sandbox, settings):
    settings.STRIPE_SECRET_KEY = ""
    user, course = make_user(), make_course(price_minor=0)
    checkout = start_checkout(user=user, course=course)
    assert (checkout.session_id, checkout.url, checkout.order.status) == (None, None, OrderStatus.PAID)
    enrollment = Enrollment.objects.get(user=user, course=course)
    assert (enrollment.source, enrollment.source_reference) == (EnrollmentSource.FREE, str(checkout.order.public_id))
    assert OutgoingMail.objects.filter(key=str(checkout.order.public_id)).count() == 1
    with pytest.raises(AlreadyEnrolled):
        start_checkout(user=user, course=course)


def test_a_paid_order_found_open_is_synced_and_said_to_be_paid(sandbox):
    user, course = make_user(), make_course()
    checkout = start_checkout(user=user, course=course)
    sandbox.stripe.pay(checkout.session_id)
    with pytest.raises(AlreadyPaid):
        start_checkout(user=user, course=course)
    assert Enrollment.objects.filter(user=user, course=course, is_active=True).count() == 1


def test_while_the_bank_is_busy_nothing_is_sold_again(sandbox):
    user, course = make_user(), make_course()
    checkout = start_checkout(user=user, course=course)
    sandbox.stripe.pay_by_bank_debit(checkout.session_id)
    for _ in range(2):
        with pytest.raises(PaymentProcessing):
            start_checkout(user=user, course=course)
    assert Order.objects.get().status == OrderStatus.PROCESSING


def test_a_new_price_closes_the_old_page_and_makes_a_new_order(sandbox):
    user, course = make_user(), make_course(price_minor=4900)
    old = start_checkout(user=user, course=course)
    course.price_minor = 5900
    course.save()
    new = start_checkout(user=user, course=course)
    assert sandbox.stripe.session(old.session_id)["status"] == "expired"
    assert sandbox.stripe.session(new.session_id)["amount_total"] == 5900
    old.order.refresh_from_db()
    assert (old.order.status, old.order.total_minor) == (OrderStatus.EXPIRED, 4900)
    assert new.order != old.order


def test_a_course_that_became_free_is_given_and_its_open_page_closed(sandbox):
    user, course = make_user(), make_course()
    old = start_checkout(user=user, course=course)
    course.price_minor = 0
    course.save()
    assert start_checkout(user=user, course=course).order.status == OrderStatus.PAID
    assert sandbox.stripe.session(old.session_id)["status"] == "expired"


def test_an_old_price_paid_before_the_new_one_was_seen_is_honoured(sandbox):
    user, course = make_user(), make_course(price_minor=4900)
    old = start_checkout(user=user, course=course)
    course.price_minor = 5900
    course.save()
    sandbox.stripe.pay(old.session_id)
    with pytest.raises(AlreadyPaid):
        start_checkout(user=user, course=course)
    assert Enrollment.objects.filter(user=user, course=course).exists()


def test_after_an_expiry_the_same_order_gets_its_next_attempt(sandbox):
    user, course = make_user(), make_course()
    first = start_checkout(user=user, course=course)
    sandbox.stripe.expire(first.session_id)
    second = start_checkout(user=user, course=course)
    assert second.order == first.order
    attempts = Payment.objects.values_list("attempt", "status", "failure_code")
    assert list(attempts) == [(1, PaymentStatus.FAILED, FailureCode.EXPIRED), (2, PaymentStatus.PENDING, "")]
    assert second.order.status == OrderStatus.PENDING


def test_a_page_that_is_about_to_end_is_replaced(sandbox, settings):
    settings.PAYMENTS_CHECKOUT_MINUTES = 31
    user, course = make_user(), make_course()
    first = start_checkout(user=user, course=course)
    record = sandbox.stripe.session(first.session_id) | {"expires_at": int(timezone.now().timestamp()) + 60}
    sandbox.context.store.put("stripe.sessions", first.session_id, record)
    second = start_checkout(user=user, course=course)
    assert second.session_id != first.session_id
    assert sandbox.stripe.session(first.session_id)["status"] == "expired"


def test_a_server_error_at_creation_is_tried_again_within_the_call(sandbox):
    sandbox.fault(service="stripe", path="/v1/checkout/sessions", status=500, times=1)
    checkout = open_checkout()
    assert checkout.url
    assert len(sandbox.stripe.sessions()) == 1


def test_stripe_down_leaves_an_order_that_the_next_click_goes_on_with(sandbox):
    user, course = make_user(), make_course()
    sandbox.fault(service="stripe", path="/v1/checkout/sessions", status=500, times=2)
    with pytest.raises(ProviderUnavailable):
        start_checkout(user=user, course=course)
    checkout = start_checkout(user=user, course=course)
    assert len(sandbox.stripe.sessions()) == 1
    assert Payment.objects.get().session_id == checkout.session_id


def test_an_answer_cut_half_way_still_makes_one_session(sandbox):
    user, course = make_user(), make_course()
    sandbox.fault(service="stripe", path="/v1/checkout/sessions", drop=True)
    with pytest.raises(ProviderUnavailable):
        start_checkout(user=user, course=course)
    assert Payment.objects.get().session_id is None
    checkout = start_checkout(user=user, course=course)
    assert [session["id"] for session in sandbox.stripe.sessions()] == [checkout.session_id]
    assert len({call["headers"]["Idempotency-Key"] for call in creations(sandbox)}) == 1


def test_a_session_paid_before_its_id_was_stored_is_found_by_the_next_click(sandbox):
    user, course = make_user(), make_course()
    sandbox.fault(service="stripe", path="/v1/checkout/sessions", drop=True)
    with pytest.raises(ProviderUnavailable):
        start_checkout(user=user, course=course)
    sandbox.stripe.pay(sandbox.stripe.sessions()[0]["id"])
    with pytest.raises(AlreadyPaid):
        start_checkout(user=user, course=course)
    assert Enrollment.objects.filter(user=user, course=course).count() == 1


def test_a_used_key_with_another_content_leads_to_the_next_attempt(sandbox, settings):
    user, course = make_user(), make_course()
    sandbox.fault(service="stripe", path="/v1/checkout/sessions", drop=True)
    with pytest.raises(ProviderUnavailable):
        start_checkout(user=user, course=course)
    settings.FRONTEND_URL = "https://moved.example"
    checkout = start_checkout(user=user, course=course)
    assert list(Payment.objects.values_list("attempt", "failure_code")) == [(1, FailureCode.SUPERSEDED), (2, "")]
    assert sandbox.stripe.session(checkout.session_id)["success_url"].startswith("https://moved.example/")


def test_a_stripe_that_is_too_slow_is_asked_again_and_makes_one_session(sandbox, monkeypatch):
    monkeypatch.setattr(client, "READ_TIMEOUT_S", 0.5)
    client._build_client.cache_clear()
    try:
        sandbox.fault(service="stripe", path="/v1/checkout/sessions", delay_ms=1200)
        started = time.monotonic()
        assert open_checkout().url
        assert time.monotonic() - started > 0.5
    finally:
        client._build_client.cache_clear()
    time.sleep(1)
    assert len(sandbox.stripe.sessions()) == 1


def test_a_session_that_stripe_has_forgotten_is_left_behind(sandbox):
    user, course = make_user(), make_course()
    start_checkout(user=user, course=course)
    sandbox.context.store.clear()
    checkout = start_checkout(user=user, course=course)
    assert checkout.url
    assert list(Payment.objects.values_list("attempt", "failure_code")) == [(1, FailureCode.SUPERSEDED), (2, "")]


def test_a_saved_failure_is_left_behind_by_the_next_attempt(sandbox):
    user, course = make_user(), make_course()
    saved = {"Idempotent-Replayed": "true"}
    sandbox.fault(service="stripe", path="/v1/checkout/sessions", status=500, times=2, headers=saved)
    with pytest.raises(ProviderUnavailable):
        start_checkout(user=user, course=course)
    start_checkout(user=user, course=course)
    assert list(Payment.objects.values_list("attempt", "failure_code")) == [(1, FailureCode.SUPERSEDED), (2, "")]


def test_a_refused_order_fails_and_says_so(sandbox):
    course = make_course(price_minor=10)
    with pytest.raises(ProviderRejected) as caught:
        open_checkout(course=course)
    assert caught.value.code == "amount_too_small"
    assert Payment.objects.get().failure_code == FailureCode.REJECTED
    assert Order.objects.get().status == OrderStatus.FAILED


def test_a_wrong_key_is_a_misconfiguration(sandbox, settings):
    settings.STRIPE_SECRET_KEY = "sk_test_sandbox_wrong"
    with pytest.raises(ProviderMisconfigured):
        open_checkout()


def test_a_busy_stripe_says_when_to_come_back(sandbox):
    sandbox.fault(service="stripe", path="/v1/checkout/sessions", status=429, headers={"Retry-After": "7"}, times=5)
    with pytest.raises(ProviderUnavailable) as caught:
        open_checkout()
    assert caught.value.retry_after_s == 7


def test_a_page_instead_of_an_answer_is_an_outage(sandbox):
    page = {"body": "<html>maintenance</html>", "content_type": "text/html", "status": 200}
    sandbox.fault(service="stripe", path="/v1/checkout/sessions", times=5, **page)
    with pytest.raises(ProviderUnavailable):
        open_checkout()


def test_open_checkouts_are_limited(sandbox, settings):
    settings.PAYMENTS_MAX_OPEN_CHECKOUTS = 2
    user = make_user()
    for _ in range(2):
        open_checkout(user=user)
    with pytest.raises(TooManyOpenCheckouts):
        open_checkout(user=user)
    open_checkout()


def test_a_zero_decimal_currency_is_charged_in_whole_units(sandbox):
    checkout = open_checkout(course=make_course(price_minor=5000, currency="jpy"))
    session = sandbox.stripe.session(checkout.session_id)
    assert (session["amount_total"], session["currency"]) == (5000, "jpy")


def test_an_order_that_needs_a_person_is_not_gone_on_with(sandbox):
    user, course = make_user(), make_course()
    first = start_checkout(user=user, course=course)
    Order.objects.filter(pk=first.order.pk).update(needs_attention="odd")
    assert start_checkout(user=user, course=course).order != first.order


def test_a_page_that_does_not_fit_its_order_any_more_is_closed_and_not_offered(sandbox, settings):
    user, course = make_user(), make_course()
    old = start_checkout(user=user, course=course)
    settings.PAYMENTS_ENV = "renamed"
    new = start_checkout(user=user, course=course)
    assert new.session_id != old.session_id
    assert sandbox.stripe.session(old.session_id)["status"] == "expired"
    sandbox.stripe.pay(new.session_id)
    assert sync_order(new.order).status == OrderStatus.PAID
    assert Order.objects.get(pk=old.order.pk).status == OrderStatus.EXPIRED


def test_a_page_that_does_not_fit_and_is_paid_is_not_paid_twice(sandbox, settings):
    user, course = make_user(), make_course()
    old = start_checkout(user=user, course=course)
    sandbox.stripe.pay(old.session_id)
    settings.PAYMENTS_ENV = "renamed"
    for _ in range(2):
        with pytest.raises(PaymentUnderReview):
            start_checkout(user=user, course=course)
    assert len(sandbox.stripe.sessions()) == 1
    assert "another installation" in Order.objects.get().needs_attention
    assert order_rows(Order.objects.all())[0]["is_under_review"]
    sandbox.stripe.refund(Payment.objects.get().stripe_payment_intent, 100)  # all that it took, for all we know
    sync_checkout(old.session_id)
    assert not order_rows(Order.objects.all())[0]["is_under_review"]
    assert start_checkout(user=user, course=course).url


def test_a_page_paid_and_refunded_before_anybody_heard_of_it_gives_nothing(sandbox):
    user, course = make_user(), make_course()
    session = sandbox.stripe.pay(start_checkout(user=user, course=course).session_id)
    sandbox.stripe.refund(session["payment_intent"])
    with pytest.raises(AlreadyPaid):
        start_checkout(user=user, course=course)
    assert Order.objects.get().status == OrderStatus.REFUNDED
    assert not Enrollment.objects.exists()
    assert start_checkout(user=user, course=course).url


def test_a_failed_order_of_another_day_is_left_alone(sandbox):
    user, course = make_user(), make_course()
    first = start_checkout(user=user, course=course)
    sandbox.stripe.expire(first.session_id)
    Order.objects.update(created_at=timezone.now() - timedelta(days=2), status=OrderStatus.EXPIRED)
    Payment.objects.update(status=PaymentStatus.FAILED, failure_code=FailureCode.EXPIRED)
    assert start_checkout(user=user, course=course).order != first.order
