import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse

from payments.models import Order, OrderStatus, Payment, PaymentStatus
from payments.tests.buying import completed_event, deliver, make_order, make_payment, open_checkout
from users.tests.factories import make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def operator() -> Client:
    client = Client()
    client.force_login(make_user(is_staff=True, is_superuser=True))
    return client


def change_page(order: Order) -> str:
    return reverse("admin:payments_order_change", args=[order.pk])


def test_one_page_shows_items_payments_and_events_of_an_order(operator, sandbox):
    checkout = open_checkout()
    sandbox.stripe.pay(checkout.session_id)
    deliver(completed_event(sandbox, checkout.session_id))
    page = operator.get(change_page(checkout.order)).content.decode()
    for expected in (checkout.order.items.get().title, checkout.session_id, "checkout.session.completed", "$49.00"):
        assert expected in page


def test_money_cannot_be_edited(operator):
    order = make_order()
    answer = operator.post(change_page(order), {"total_minor": 1, "status": "paid"})
    assert answer.status_code == 403
    order.refresh_from_db()
    assert (order.total_minor, order.status) == (4900, OrderStatus.PENDING)
    assert operator.get(reverse("admin:payments_order_add")).status_code == 403
    assert operator.post(reverse("admin:payments_order_delete", args=[order.pk])).status_code == 403


def test_orders_that_need_attention_are_found(operator):
    odd = make_order(needs_attention="Paid twice.")
    plain = make_order()
    page = operator.get(reverse("admin:payments_order_changelist"), {"needs_attention": "yes"}).content.decode()
    assert str(odd.public_id) in page
    assert str(plain.public_id) not in page


def test_an_order_is_marked_as_seen_to(operator):
    odd = make_order(needs_attention="Paid twice.")
    sent = {"action": "mark_as_seen_to", "_selected_action": [odd.pk]}
    operator.post(reverse("admin:payments_order_changelist"), sent)
    assert not Order.objects.exclude(needs_attention="").exists()


def test_orders_are_synced_with_stripe_from_the_list_and_from_their_page(operator, sandbox):
    first, second = open_checkout(), open_checkout()
    for checkout in (first, second):
        sandbox.stripe.pay(checkout.session_id)
    sent = {"action": "sync_with_stripe", "_selected_action": [first.order.pk]}
    operator.post(reverse("admin:payments_order_changelist"), sent)
    assert Order.objects.get(pk=first.order.pk).status == OrderStatus.PAID
    answer = operator.get(reverse("admin:payments_order_sync_one_with_stripe", args=[second.order.pk]))
    assert answer.status_code in (301, 302)
    assert Order.objects.get(pk=second.order.pk).status == OrderStatus.PAID


def test_a_sync_that_fails_is_reported_and_the_rest_is_done(operator, sandbox):
    orders = [open_checkout().order, open_checkout().order]
    sandbox.fault(service="stripe", path="/v1/checkout/sessions", status=500, times=2)
    sent = {"action": "sync_with_stripe", "_selected_action": [order.pk for order in orders]}
    page = operator.post(reverse("admin:payments_order_changelist"), sent, follow=True).content.decode()
    assert page.count("ProviderUnavailable") == 1
    assert sum(f"{order.public_id}: pending" in page for order in orders) == 1


def test_payments_for_nobody_are_found(operator):
    lost = make_payment(make_order(), status=PaymentStatus.FAILED, failure_code="order_gone")
    plain = make_payment(make_order())
    page = operator.get(reverse("admin:payments_payment_changelist"), {"paid_for_nobody": "yes"}).content.decode()
    assert str(lost.public_id) in page
    assert str(plain.public_id) not in page
    assert operator.get(reverse("admin:payments_payment_change", args=[Payment.objects.first().pk])).status_code == 200


def test_events_are_listed(operator, sandbox):
    checkout = open_checkout()
    sandbox.stripe.pay(checkout.session_id)
    event = completed_event(sandbox, checkout.session_id)
    deliver(event)
    page = operator.get(reverse("admin:payments_webhookevent_changelist")).content.decode()
    assert event["id"] in page


def test_staff_without_the_permission_cannot_sync(sandbox):
    client, watcher = Client(), make_user(is_staff=True)
    client.force_login(watcher)
    checkout = open_checkout()
    assert client.get(change_page(checkout.order)).status_code == 403
    assert client.get(reverse("admin:payments_order_changelist")).status_code == 403
    watcher.user_permissions.add(Permission.objects.get(codename="view_order"))
    sandbox.stripe.pay(checkout.session_id)
    assert client.get(change_page(checkout.order)).status_code == 200
    page = reverse("admin:payments_order_sync_one_with_stripe", args=[checkout.order.pk])
    assert client.get(page).status_code == 403
    sent = {"action": "sync_with_stripe", "_selected_action": [checkout.order.pk]}
    client.post(reverse("admin:payments_order_changelist"), sent)
    assert Order.objects.get().status == OrderStatus.PENDING
