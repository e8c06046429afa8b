"""A student's money: it is late, it is refused, it arrives, it is shown, and it goes back."""

import pytest
from django.utils import timezone

from courses.tests.factories import make_course
from eleven_tutors.tests.browser.test_journey import pay_by_card
from eleven_tutors.tests.browser.test_pages_look import WIDTHS, check_every_width
from eleven_tutors.tests.browser.world import proofs_course
from payments.models import FailureCode, Order, OrderItem, Payment, PaymentStatus
from payments.tests.buying import make_order, make_payment
from sandbox.stripe.pages import landing_address
from users.tests.factories import make_user

pytestmark = pytest.mark.browser


def test_an_order_from_a_refused_payment_to_its_refund(site, sandbox):
    course = proofs_course(sandbox)
    student = make_user(first_name="Grace", last_name="Hopper")
    site.sign_in(student)
    site.open(f"/courses/{course.slug}")
    site.click("Buy for $49.00")
    site.wait_until_at(sandbox.stripe_url)

    session = sandbox.stripe.sessions()[0]
    sandbox.stripe.pay_by_bank_debit(session["id"])
    check_every_width(site, "payment-processing", landing_address(session), "Your bank is sending the money")
    sandbox.stripe.settle(session["id"], "failed")
    site.see("This payment did not go through")
    site.see("nothing was bought")

    webhook, sandbox.context.webhooks.stripe_url = sandbox.context.webhooks.stripe_url, ""
    site.click("Buy for $49.00")
    site.wait_until_at(sandbox.stripe_url)
    sandbox.fault(service="stripe", path="/v1/checkout/sessions/", status=503, times=100)
    pay_by_card(site, "4242 4242 4242 4242")
    site.wait_until_at("/dashboard/payment-success")
    site.see("Your payment is being confirmed")
    sandbox.context.faults.clear()
    sandbox.context.webhooks.stripe_url = webhook
    sandbox.stripe.resend(sandbox.stripe.events("checkout.session.completed")[-1]["id"])
    site.see("You are enrolled")

    check_every_width(site, "orders-paid", "/dashboard", "Paid: the course is yours.")
    site.click("Receipt")
    site.wait_until_at(f"{sandbox.stripe_url}/receipts/")
    assert "49.00" in site.browser.page_source

    order = Order.objects.get(user=student)
    sandbox.stripe.refund(order.payments.get(status=2).stripe_payment_intent)
    site.wait_for(lambda: Order.objects.get(pk=order.pk).status == "refunded", "the refund")
    check_every_width(site, "orders-refunded", "/dashboard", "this order no longer opens the course")
    site.see("$49.00 given back")
    site.see("Ended: refunded")
    assert not [link for link in site.visible("#my-orders a") if "course" in link.text]


def test_a_landing_page_offers_to_pay_again_only_what_may_be_paid_again(site, sandbox):
    course = proofs_course(sandbox)
    student = make_user()
    site.sign_in(student)
    order = make_order(user=student, course=course)
    payment = make_payment(order, status=PaymentStatus.FAILED, failure_code=FailureCode.EXPIRED)
    page = f"/dashboard/payment-success?course-slug={course.slug}&order_id={order.public_id}"

    def land(status: str, heading: str, **facts) -> list:
        Payment.objects.filter(pk=payment.pk).update(**facts)
        Order.objects.filter(pk=order.pk).update(status=status, fulfilled_at=timezone.now(), paid_at=timezone.now())
        site.open(page)
        site.see(heading)
        site.wait_until_settled()
        return [offer.text for offer in site.visible("[data-buy]")]

    assert land("expired", "This checkout ran out") == ["Buy for $49.00"]
    assert land("refunded", "This order was refunded", refunded_minor=4900) == ["Buy for $49.00"]
    assert land("disputed", "Your bank is looking at this payment") == []
    order.items.update(access="suspended")
    assert land("paid", "Your payment is here", refunded_minor=0) == []
    site.see("we open the course again by hand")
    order.items.update(access="revoked")
    assert land("partially_refunded", "Part of this order was refunded", refunded_minor=900) == []
    site.see("this order no longer opens a course")
    mismatch = {"failure_code": FailureCode.MISMATCH, "charge_id": "ch_1", "refunded_minor": 0}
    assert land("failed", "We look into your payment", **mismatch) == []
    check_every_width(site, "payment-looked-into", page, "please do not pay again")
    site.open("/dashboard")
    site.see("please do not pay again")
    assert [tag.text for tag in site.visible("#my-orders .tag")] == ["We look into it"]
    assert [way.text for way in site.visible("#my-orders a, #my-orders button")] == ["Receipt"]
    assert land("failed", "could not be matched with this order, so we gave the money back", refunded_minor=4900) == [
        "Buy for $49.00"
    ]
    order.items.update(access="granted", title="W" * 150)
    OrderItem.objects.create(order=order, course=make_course(), title="A", unit_minor=0, net_minor=0, access="granted")
    assert land("paid", "You are enrolled") == []
    site.resize(WIDTHS["phone"], 900)
    too_wide = []
    for address, text in ((page, "You are enrolled"), ("/dashboard", "Go to WWW")):
        site.open(address)
        site.see(text)
        too_wide.append(site.overflow_px())
    site.resize_back()
    assert too_wide == [0, 0]
    somebody_elses = make_order(course=course)
    site.open(f"/dashboard/payment-success?order_id={somebody_elses.public_id}")
    site.see("We do not know this order")
