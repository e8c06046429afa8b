import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission
from django.urls import reverse
from django.utils import timezone

from courses.models import Enrollment, EnrollmentSource
from courses.services import end_enrollment, enroll
from courses.tests.counting import statements
from courses.tests.factories import make_course
from mailing.models import OutgoingMail
from payments.models import Dispute, Order, OrderItem, OrderStatus, Refund, WebhookEvent
from payments.services.mails import ORDER_CONFIRMATION, render_order_confirmation
from payments.services.sync import sync_checkout
from payments.tests.admin.people import browser_of_admin, confirm, operator, paid_order, told
from payments.tests.buying import completed_event, deliver, make_order, make_payment, open_checkout
from users.tests.factories import make_user

pytestmark = pytest.mark.django_db


def page_of(order: Order, page: str = "change") -> str:
    return reverse(f"admin:payments_order_{page}", args=[order.pk])


def test_one_page_tells_the_whole_history_of_an_order(sandbox, settings):
    settings.PAYMENTS_DISPUTE_OPENED = "suspend"
    client, checkout = operator(), open_checkout()
    sandbox.stripe.pay(checkout.session_id)
    deliver(completed_event(sandbox, checkout.session_id))
    payment = checkout.order.payments.get()
    sandbox.stripe.refund(payment.stripe_payment_intent, 900)
    sandbox.stripe.open_dispute(payment.stripe_payment_intent)
    confirm(client, page_of(checkout.order, "sync_one_with_stripe"))

    page = told(client.get(page_of(checkout.order)))

    title = checkout.order.items.get().title
    for expected in (
        "Ordered for $49.00",
        "Attempt 1 to pay $49.00",
        "Paid $49.00",
        checkout.session_id,
        "checkout.session.completed",
        "Refund of $9.00, made at the provider",
        "Dispute over $",
        f"Enrolled in {title}",
        f"Enrollment in {title} ended",
        "Mail: order confirmation",
        "Mail: refund issued",
        "Sync with Stripe: Disputed",
        "by Grace Hopper",
    ):
        assert expected in page, expected


def test_the_history_runs_from_old_to_new_and_names_what_went_wrong(sandbox):
    client = operator()
    order, payment = paid_order(sandbox)
    WebhookEvent.objects.create(
        event_id="evt_stuck",
        type="charge.refunded",
        object_id="ch_1",
        livemode=False,
        payload={"payment_intent": payment.stripe_payment_intent},
        attempts=3,
        last_error="ProviderUnavailable: no answer",
    )
    page = told(client.get(page_of(order)))
    for expected in ("not handled after 3 attempts", "ProviderUnavailable: no answer"):
        assert expected in page
    steps = ["Ordered for", "Attempt 1 to pay", "Enrolled in", "charge.refunded"]
    assert sorted(steps, key=page.index) == steps


def grow(order, payment, number):
    back = {"payment": payment, "amount_minor": 1, "currency": "usd", "created_at": timezone.now()}
    refund = Refund.objects.create(stripe_id=f"re_{number}", requested_by=make_user(), **back)
    item = OrderItem.objects.create(order=order, course=make_course(), title="x", unit_minor=1, net_minor=1)
    refund.items.create(item=item)
    Dispute.objects.create(stripe_id=f"dp_{number}", status="won", **back)
    make_payment(order, status=-1, failure_code="expired", session_id=f"cs_{number}")
    event = {"event_id": f"evt_{number}", "type": "refund.created", "livemode": False, "object_id": f"re_{number}"}
    WebhookEvent.objects.create(payment=payment, **event)
    enroll(user=order.user, course=item.course, source=EnrollmentSource.STAFF)


def test_the_order_page_takes_as_many_statements_for_a_long_history_as_for_a_short_one(sandbox):
    client = operator()
    order, payment = paid_order(sandbox)
    grow(order, payment, 0)
    client.get(page_of(order))
    short = statements(lambda: client.get(page_of(order)))
    for number in range(1, 4):
        grow(order, payment, number)
    assert statements(lambda: client.get(page_of(order))) == short <= 30


def test_the_list_takes_as_many_statements_for_many_orders_as_for_few():
    client, page = operator(), reverse("admin:payments_order_changelist")
    make_order()
    client.get(page)
    few = statements(lambda: client.get(page))
    for _ in range(4):
        make_order()
    assert statements(lambda: client.get(page)) == few


def test_orders_are_synced_with_stripe_from_the_list_and_from_their_page_after_a_question(sandbox):
    client, first, second = operator(), open_checkout(), open_checkout()
    for checkout in (first, second):
        sandbox.stripe.pay(checkout.session_id)
    chosen = {"action": "sync_with_stripe", "_selected_action": [first.order.pk]}
    asked = client.post(reverse("admin:payments_order_changelist"), chosen)
    assert "Stripe is asked about every attempt" in told(asked)
    assert Order.objects.get(pk=first.order.pk).status == OrderStatus.PENDING

    confirm(client, reverse("admin:payments_order_changelist"), **chosen)
    client.get(page_of(second.order, "sync_one_with_stripe"))
    assert Order.objects.get(pk=second.order.pk).status == OrderStatus.PENDING
    confirm(client, page_of(second.order, "sync_one_with_stripe"))

    assert set(Order.objects.values_list("status", flat=True)) == {OrderStatus.PAID}
    assert set(LogEntry.objects.values_list("change_message", flat=True)) == {"Sync with Stripe: Paid."}


def test_a_sync_of_a_settled_order_still_asks_stripe(sandbox):
    client = operator()
    order, payment = paid_order(sandbox)
    sandbox.stripe.refund(payment.stripe_payment_intent)
    confirm(client, page_of(order, "sync_one_with_stripe"))
    assert Order.objects.get().status == OrderStatus.REFUNDED


@pytest.mark.parametrize("price_minor", [4900, 0])
def test_a_sync_gives_a_course_back_that_vanished_and_none_that_staff_ended(sandbox, price_minor):
    client, checkout = operator(), open_checkout(course=make_course(price_minor=price_minor))
    if price_minor:
        sandbox.stripe.pay(checkout.session_id)
        sync_checkout(checkout.session_id)
    mine = Enrollment.objects.active().filter(user=checkout.order.user)
    mine.delete()
    assert "is given again" in told(confirm(client, page_of(checkout.order, "sync_one_with_stripe")))
    assert mine.count() == 1
    end_enrollment(enrollment=mine.get(), reason="staff")
    confirm(client, page_of(checkout.order, "sync_one_with_stripe"))
    assert mine.count() == 0


def test_a_sync_that_fails_is_reported_and_the_rest_is_done(sandbox):
    client, orders = operator(), [open_checkout().order, open_checkout().order]
    sandbox.fault(service="stripe", path="/v1/checkout/sessions", status=500, times=2)
    sent = {"action": "sync_with_stripe", "_selected_action": [order.pk for order in orders]}
    page = told(confirm(client, reverse("admin:payments_order_changelist"), **sent))
    assert page.count("Stripe does not answer at the moment") == 1
    assert sum(f"{order.public_id}: Pending" in page for order in orders) == 1


def test_orders_that_need_attention_are_found():
    client, odd, plain = operator(), make_order(needs_attention="Paid twice."), make_order()
    page = told(client.get(reverse("admin:payments_order_changelist"), {"needs_attention": "yes"}))
    assert str(odd.public_id) in page
    assert str(plain.public_id) not in page


def test_only_what_was_read_is_marked_as_seen_to():
    client, odd = operator(), make_order(needs_attention="Paid twice.")
    page = page_of(odd, "mark_one_as_seen_to")
    assert f'name="read-{odd.pk}" value="Paid twice."' in told(client.get(page))
    read = {f"read-{odd.pk}": "Paid twice."}
    Order.objects.update(needs_attention="Paid twice. Dispute dp_1.")
    assert "something new" in told(confirm(client, page, **read))
    assert Order.objects.get().needs_attention == "Paid twice. Dispute dp_1."

    Order.objects.update(needs_attention="Paid twice.")
    chosen = {"action": "mark_as_seen_to", "_selected_action": [odd.pk]}
    confirm(client, reverse("admin:payments_order_changelist"), **chosen, **read)
    assert Order.objects.get().needs_attention == ""
    assert LogEntry.objects.latest("pk").change_message == "Mark as seen to: seen to: Paid twice."


def test_a_confirmation_is_sent_again_once_for_each_asking(sandbox):
    client = operator()
    order, _ = paid_order(sandbox)
    OutgoingMail.objects.filter(kind=ORDER_CONFIRMATION).update(
        status=OutgoingMail.Status.SENT, sent_at=timezone.now(), attempts=1
    )
    assert order.user.email in told(client.get(page_of(order, "resend_confirmation")))
    confirm(client, page_of(order, "resend_confirmation"))
    mail = OutgoingMail.objects.get(kind=ORDER_CONFIRMATION)
    assert (mail.status, mail.attempts) == (OutgoingMail.Status.WAITING, 0)

    unpaid = make_order()
    assert "not sent: the order is pending" in told(confirm(client, page_of(unpaid, "resend_confirmation")))
    assert OutgoingMail.objects.filter(kind=ORDER_CONFIRMATION).count() == 1

    order.items.update(access="revoked")  # a refund that failed later leaves the order paid and the course taken away
    assert "opens no course" in told(confirm(client, page_of(order, "resend_confirmation")))
    assert render_order_confirmation({"order_id": order.pk}) is None


def test_whoever_may_only_look_cannot_act(sandbox):
    watcher = make_user(is_staff=True)
    watcher.user_permissions.add(Permission.objects.get(codename="view_order"))
    client, checkout = browser_of_admin(watcher), open_checkout()
    sandbox.stripe.pay(checkout.session_id)
    assert "Give money back" not in told(client.get(page_of(checkout.order)))
    for page in ("sync_one_with_stripe", "give_money_back", "resend_confirmation", "mark_one_as_seen_to"):
        assert client.post(page_of(checkout.order, page), {"confirmed": "yes"}).status_code == 403
    for name in ("sync_with_stripe", "export_as_csv"):
        sent = {"action": name, "_selected_action": [checkout.order.pk]}
        confirm(client, reverse("admin:payments_order_changelist"), **sent)
    assert Order.objects.get().status == OrderStatus.PENDING
    assert client.get(reverse("admin:payments_revenue")).status_code == 403
    assert not LogEntry.objects.exists()
