"""The pages of money on a desk and on a phone: each fits its window, and the console stays clean.

With SCREENSHOTS=<folder> in the environment each page is photographed as well.
"""

import os
from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import settings as django_settings
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from courses.tests.factories import make_course
from eleven_tutors.tests.browser.test_pages_look import WIDTHS
from payments.models import Dispute, Order, Refund, WebhookEvent
from payments.services.sync import sync_checkout
from payments.tests.admin.people import paid_order
from payments.tests.buying import make_order, make_payment
from users.tests.factories import make_user

pytestmark = pytest.mark.browser


def sales():
    """A month of sales of three courses."""
    courses = [make_course(title=title) for title in ("Introduction to Proofs", "The Sea", "Organic Chemistry for All")]
    for number in range(40):
        at = timezone.now() - timedelta(days=number * 7 % 30, hours=number)
        order = make_order(course=courses[number % 3], status="paid", paid_at=at)
        payment = make_payment(order, status=2, paid_at=at)
        back = {"payment": payment, "currency": "usd", "created_at": at, "amount_minor": 1900}
        if number % 6 == 0:
            Refund.objects.create(stripe_id=f"re_{number}", status="succeeded", **back)
        if number % 15 == 7:
            Dispute.objects.create(stripe_id=f"dp_{number}", status="lost", **back)


def trouble(student):
    """One of everything that waits for a person; gives the event."""
    order = make_order(user=student, needs_attention="Paid more than once: give the rest back.")
    now = timezone.now()
    payment = make_payment(order, status=-1, failure_code="user_gone", paid_at=now)
    back = {"payment": payment, "amount_minor": 4900, "currency": "usd", "created_at": now}
    Refund.objects.create(status="failed", failure_reason="expired_or_canceled_card", stripe_id="re_f", **back)
    due = now + timedelta(days=6)
    Dispute.objects.create(stripe_id="dp_w", status="needs_response", reason="fraudulent", answer_due_at=due, **back)
    event = {"type": "charge.refunded", "object_id": f"cs_live_{'a1B2' * 15}", "livemode": False}
    stuck = WebhookEvent.objects.create(event_id="evt_1", last_error="ProviderUnavailable: no answer", **event)
    WebhookEvent.objects.filter(pk=stuck.pk).update(received_at=now - timedelta(hours=1))
    return stuck


@pytest.fixture
def pages(site, sandbox):
    student = make_user(first_name="Ada", last_name="Lovelace", email="ada.lovelace@university.example")
    order, payment = paid_order(sandbox, user=student, course=make_course(title="Introduction to Number Theory"))
    sandbox.stripe.refund(payment.stripe_payment_intent, 900)
    sync_checkout(payment.session_id, is_about_money_back=True)
    Order.objects.filter(pk=order.pk).update(needs_attention="Dispute dp_1 (fraudulent): answer by 2026-12-01.")
    stuck = trouble(student)
    sales()
    return {
        "index": (reverse("admin:index"), "Money: needs attention"),
        "orders": (reverse("admin:payments_order_changelist"), "Ada Lovelace"),
        "order": (reverse("admin:payments_order_change", args=[order.pk]), "Timeline"),
        "payment": (reverse("admin:payments_payment_change", args=[payment.pk]), payment.session_id),
        "refund": (reverse("admin:payments_payment_give_money_back", args=[payment.pk]), "is left to give back"),
        "confirm": (reverse("admin:payments_order_sync_one_with_stripe", args=[order.pk]), "Stripe is asked"),
        "attention": (reverse("admin:payments_attention"), "Disputes to answer"),
        "revenue": (reverse("admin:payments_revenue"), "Lost disputes"),
        "event": (
            reverse("admin:payments_webhookevent_change", args=[stuck.pk]),
            "charge.refunded",
        ),
    }


def sign_in_to_the_admin(site):
    client = Client()
    client.force_login(make_user(is_staff=True, is_superuser=True, first_name="Grace", last_name="Hopper"))
    site.open("/login")
    cookie = client.cookies[django_settings.SESSION_COOKIE_NAME].value
    site.browser.add_cookie({"name": django_settings.SESSION_COOKIE_NAME, "value": cookie})


def give_money_back(site, address):
    """Through both pages, with a phone."""
    site.resize(WIDTHS["phone"], 900)
    site.open(address)
    site.find("#content button[type=submit]").click()
    site.see("A refund cannot be taken back")
    overflow = site.overflow_px()
    if folder := os.environ.get("SCREENSHOTS"):
        site.photograph(Path(folder) / "refund-confirm-phone.png")
    site.find("#content button[type=submit]").click()
    site.see("Refund of $40.00: succeeded")
    site.resize_back()
    assert overflow == 0


def test_the_pages_of_money_fit_a_desk_and_a_phone(site, pages, sandbox):
    sign_in_to_the_admin(site)
    for name, (address, text) in pages.items():
        for label, width in WIDTHS.items():
            site.resize(width, 900)
            site.open(address)
            site.see(text)
            site.wait_until_settled()
            overflow, complaints = site.overflow_px(), site.complaints()
            if folder := os.environ.get("SCREENSHOTS"):
                site.photograph(Path(folder) / f"{name}-{label}.png")
            assert overflow == 0, f"{address} is {overflow} px wider than {width} px"
            assert not complaints, f"{address}: {complaints}"
    site.resize_back()
    give_money_back(site, pages["refund"][0])
    assert sorted(refund["amount"] for refund in sandbox.stripe.refunds()) == [900, 4000]
