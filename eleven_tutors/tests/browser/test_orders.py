"""A student's money: it is late, it is refused, it arrives, it is shown, and it goes back."""

import pytest

from eleven_tutors.tests.browser.test_journey import pay_by_card
from eleven_tutors.tests.browser.test_pages_look import check_every_width
from eleven_tutors.tests.browser.world import proofs_course
from payments.models import Order
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
