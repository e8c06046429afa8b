"""Mails about money, as they arrive: both parts, and nothing that is not so any more."""

import pytest

from courses.services import enroll
from courses.tests.factories import make_course
from mailing.models import OutgoingMail
from mailing.services import queue_mail, send
from payments.models import Dispute, Order, Refund
from payments.services.mails import DISPUTE_CLOSED, DISPUTE_OPENED, REFUND_ISSUED
from payments.services.sync import sync_checkout, sync_order
from payments.tests.buying import open_checkout
from users.services.closing import close_account
from users.tests.factories import make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def order(sandbox, settings) -> Order:
    """A paid order of Ada's for one course."""
    settings.FRONTEND_URL = "https://school.test"
    course = make_course(title="Proofs & Sets", price_minor=4900)
    checkout = open_checkout(user=make_user(first_name="Ada", last_name="L"), course=course)
    sandbox.stripe.pay(checkout.session_id)
    return sync_checkout(checkout.session_id)


def intent_of(order: Order) -> str:
    return order.payments.get().stripe_payment_intent


def mailed(sandbox, commit, kind: str, action) -> dict | None:
    """The mail of this kind that `action` leads to, with `text` and `html`."""
    before = {mail["id"] for mail in sandbox.messages()}
    with commit(execute=False):
        action()
    mail = OutgoingMail.objects.filter(kind=kind).latest("pk")
    send(mail.pk)
    return next((mail for mail in sandbox.messages() if mail["id"] not in before), None)


def both(mail: dict | None, *texts: str) -> None:
    assert mail
    for part in (mail["text"], mail["html"].replace("<strong>", "").replace("</strong>", "")):
        for text in texts:
            assert text in part.replace("&amp;", "&"), part


def neither(mail: dict, *texts: str) -> None:
    for text in texts:
        assert text not in mail["text"] + mail["html"]


@pytest.fixture
def commit(django_capture_on_commit_callbacks):
    return django_capture_on_commit_callbacks


def refresh(order: Order) -> None:
    sync_order(order, everything=True)


def test_a_full_refund_tells_the_amount_the_time_and_what_has_ended(order, sandbox, commit):
    sandbox.stripe.refund(intent_of(order))
    mail = mailed(sandbox, commit, REFUND_ISSUED, lambda: refresh(order))
    both(mail, "Hello Ada L, we have given your payment of $49.00 back.", "five to ten days", "Proofs & Sets")
    both(mail, "No longer open to you by this order:", "https://school.test/dashboard", str(order.public_id))
    neither(mail, "paid twice", "as before")
    assert mail["subject"] == "Your refund is on its way"


def test_a_partial_refund_tells_that_the_course_stays(order, sandbox, commit):
    sandbox.stripe.refund(intent_of(order), 900)
    mail = mailed(sandbox, commit, REFUND_ISSUED, lambda: refresh(order))
    both(mail, "given $9.00 of your payment of $49.00 back", "Open to you as before:", "https://school.test/courses/")
    neither(mail, "No longer open")


def test_a_refund_of_a_double_payment_says_why(order, sandbox, commit):
    course, buyer = order.items.get().course, make_user()
    checkout = open_checkout(user=buyer, course=course)
    enroll(user=buyer, course=course, source="staff")
    sandbox.stripe.pay(checkout.session_id)
    with commit(execute=True):
        again = sync_checkout(checkout.session_id)
    again.refresh_from_db()
    assert again.status == "refunded"
    mail = next(mail for mail in sandbox.messages() if "refund" in mail["subject"])
    assert mail["subject"] == "You paid twice: your refund is on its way"
    both(mail, "you paid twice, so $49.00 goes back to you", "Open to you as before:")
    neither(mail, "No longer open")


def test_a_refund_that_needs_the_student_says_who_will_write(order, sandbox, commit):
    sandbox.stripe.refund(intent_of(order), status="requires_action")
    mail = mailed(sandbox, commit, REFUND_ISSUED, lambda: refresh(order))
    both(mail, "Our payment provider will write to you")
    neither(mail, "five to ten days")


def test_a_refund_that_failed_before_its_mail_went_out_is_not_announced(order, sandbox, commit):
    refund = sandbox.stripe.refund(intent_of(order))
    with commit(execute=False):
        refresh(order)
    sandbox.stripe.settle_refund(refund["id"], "failed")
    assert mailed(sandbox, commit, REFUND_ISSUED, lambda: refresh(order)) is None
    assert OutgoingMail.objects.get(kind=REFUND_ISSUED).status == "dropped"


def test_an_open_dispute_accuses_nobody_and_says_what_is_paused(order, sandbox, commit):
    sandbox.stripe.open_dispute(intent_of(order))
    mail = mailed(sandbox, commit, DISPUTE_OPENED, lambda: refresh(order))
    both(mail, "payment of $49.00", "is paused:", "Proofs & Sets", "Your progress is kept", "you need not pay again")
    neither(mail, "fraud", "dispute", "chargeback")


@pytest.mark.parametrize(
    ("verdict", "subject", "told"),
    [
        ("won", "Your course is open", ("It stands, and nothing more is needed", "Open to you:")),
        ("lost", "Your bank has returned your payment", ("has returned $49.00 to you", "No longer open to you")),
    ],
)
def test_a_dispute_that_is_over_before_its_mail_is_told_once(order, sandbox, commit, verdict, subject, told):
    dispute = sandbox.stripe.open_dispute(intent_of(order))
    with commit(execute=False):
        refresh(order)
    sandbox.stripe.move_dispute(dispute["id"], verdict)
    mail = mailed(sandbox, commit, DISPUTE_CLOSED, lambda: refresh(order))
    assert mail["subject"] == subject
    both(mail, *told)
    neither(mail, "fraud", "dispute", "paused")
    send(OutgoingMail.objects.get(kind=DISPUTE_OPENED).pk)
    assert OutgoingMail.objects.get(kind=DISPUTE_OPENED).status == "dropped"


def test_a_course_that_a_person_opens_again_is_said_to_wait(order, sandbox, commit, settings):
    settings.PAYMENTS_DISPUTE_WON = "flag"
    dispute = sandbox.stripe.open_dispute(intent_of(order))
    with commit(execute=False):
        refresh(order)
    sandbox.stripe.move_dispute(dispute["id"], "won")
    mail = mailed(sandbox, commit, DISPUTE_CLOSED, lambda: refresh(order))
    both(mail, "We look at it once more, then open your course again.", "Still paused:")
    neither(mail, "buy the course again")


def test_a_dispute_that_pauses_nothing_is_no_news(order, sandbox, commit, settings):
    settings.PAYMENTS_DISPUTE_OPENED = "flag"
    dispute = sandbox.stripe.open_dispute(intent_of(order))
    assert mailed(sandbox, commit, DISPUTE_OPENED, lambda: refresh(order)) is None
    sandbox.stripe.move_dispute(dispute["id"], "won")
    assert mailed(sandbox, commit, DISPUTE_CLOSED, lambda: refresh(order)) is None


def test_a_closed_account_gets_no_mail_about_money(order, sandbox, commit):
    refund = Refund.objects.create(
        payment=order.payments.get(), stripe_id="re_1", amount_minor=1, currency="usd", created_at=order.created_at
    )
    values = {"amount_minor": 1, "currency": "usd", "created_at": order.created_at}
    disputes = [
        Dispute.objects.create(payment=order.payments.get(), stripe_id=f"du_{status}", status=status, **values)
        for status in ("needs_response", "lost")
    ]
    close_account(order.user)
    before = len(sandbox.messages())
    for kind, reference in (
        (REFUND_ISSUED, {"refund_id": refund.pk}),
        (DISPUTE_OPENED, {"dispute_id": disputes[0].pk}),
        (DISPUTE_CLOSED, {"dispute_id": disputes[1].pk}),
    ):
        mail = queue_mail(kind=kind, key="closed", reference=reference)
        send(mail.pk)
        mail.refresh_from_db()
        assert mail.status == "dropped"
    assert len(sandbox.messages()) == before


def test_a_confirmation_tells_what_was_paid_after_the_discount(sandbox, commit, settings):
    settings.PAYMENTS_PROMOTION_CODES = True
    checkout = open_checkout(course=make_course(price_minor=4900))
    codes = sandbox.stripe.discounts
    coupon = codes.create_coupon({"percent_off": 10, "duration": "once"})
    codes.create_promotion_code({"promotion": {"type": "coupon", "coupon": coupon["id"]}, "code": "TENOFF"})
    sandbox.stripe.apply_promotion_code(checkout.session_id, "TENOFF")
    sandbox.stripe.pay(checkout.session_id)
    with commit(execute=True):
        sync_checkout(checkout.session_id)
    both(sandbox.messages()[0], "Discount", "$4.90", "$44.10")
