"""Every page of money in the admin, and who may open it."""

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from payments.models import Dispute, Order, Refund, WebhookEvent
from payments.tests.admin.people import browser_of_admin, instructor, operator, staff_member
from payments.tests.buying import make_order, make_payment
from users.tests.factories import make_user

pytestmark = pytest.mark.django_db

LISTS = ["order", "payment", "refund", "dispute", "webhookevent"]
PAGES = {
    "order": ["change", "give_money_back", "sync_one_with_stripe", "resend_confirmation", "mark_one_as_seen_to"],
    "payment": ["change", "give_money_back", "sync_with_stripe", "mark_as_seen_to"],
    "refund": ["change"],
    "dispute": ["change", "evidence_as_csv", "evidence_as_text"],
    "webhookevent": ["change", "process_one_again"],
}


def rows():
    """One of each kind of row."""
    order = make_order(status="paid", paid_at=timezone.now(), needs_attention="Odd.")
    payment = make_payment(order, status=2, paid_at=timezone.now(), stripe_payment_intent="pi_1", session_id="cs_1")
    back = {"payment": payment, "amount_minor": 100, "currency": "usd", "created_at": timezone.now()}
    return {
        "order": order,
        "payment": payment,
        "refund": Refund.objects.create(**back),
        "dispute": Dispute.objects.create(stripe_id="dp_1", status="needs_response", **back),
        "webhookevent": WebhookEvent.objects.create(event_id="evt_1", type="x", object_id="cs_1", livemode=False),
    }


def addresses(found) -> dict[str, str]:
    pages = {"attention": reverse("admin:payments_attention"), "revenue": reverse("admin:payments_revenue")}
    pages["export"] = reverse("admin:payments_order_export_all")
    for model in LISTS:
        pages[f"{model} list"] = reverse(f"admin:payments_{model}_changelist")
        for page in PAGES[model]:
            pages[f"{model} {page}"] = reverse(f"admin:payments_{model}_{page}", args=[found[model].pk])
    return pages


@pytest.mark.parametrize(
    "make_client", [operator, lambda: browser_of_admin(staff_member())], ids=["superuser", "Staff"]
)
def test_superusers_and_the_staff_group_open_every_page(make_client):
    client = make_client()
    answers = {name: client.get(page).status_code for name, page in addresses(rows()).items()}
    redirected = {"order give_money_back"}
    assert {name: code for name, code in answers.items() if code != (302 if name in redirected else 200)} == {}


@pytest.mark.parametrize(
    ("make_client", "code"),
    [
        (lambda: browser_of_admin(instructor()), 403),
        (lambda: browser_of_admin(make_user(is_staff=True)), 403),
        (lambda: browser_of_admin(make_user()), 302),
        (Client, 302),
    ],
    ids=["instructor", "without a group", "student", "anonymous"],
)
def test_nobody_else_opens_any(make_client, code):
    client, found = make_client(), rows()
    for name, page in addresses(found).items():
        for answer in (client.get(page), client.post(page, {"confirmed": "yes"})):
            assert answer.status_code == code, name
            assert code == 403 or answer.headers["Location"].startswith("/admin/login/"), name
    assert Order.objects.get().needs_attention == "Odd."


@pytest.mark.parametrize("key", ["abc", "0", "9" * 30, "%00"])
def test_a_page_of_nothing_leads_back_and_changes_nothing(key):
    client = operator()
    for model, pages in PAGES.items():
        for page in pages:
            address = reverse(f"admin:payments_{model}_{page}", args=["KEY"]).replace("KEY", key)
            for answer in (client.get(address), client.post(address, {"confirmed": "yes"})):
                assert answer.status_code in (302, 403, 404), address


def test_an_action_without_its_token_is_refused():
    user = make_user(is_staff=True, is_superuser=True)
    client = Client(enforce_csrf_checks=True)
    client.force_login(user)
    order = rows()["order"]
    page = reverse("admin:payments_order_mark_one_as_seen_to", args=[order.pk])
    assert client.post(page, {"confirmed": "yes", f"read-{order.pk}": "Odd."}).status_code == 403
    assert Order.objects.get().needs_attention == "Odd."


@pytest.mark.parametrize("name", ["order", "payment", "refund", "dispute", "webhookevent"])
def test_no_page_changes_adds_or_deletes_money_by_hand(name):
    client, found = operator(), rows()[name]
    assert client.post(reverse(f"admin:payments_{name}_change", args=[found.pk]), {"status": "paid"}).status_code == 403
    assert client.get(reverse(f"admin:payments_{name}_add")).status_code == 403
    assert client.post(reverse(f"admin:payments_{name}_delete", args=[found.pk]), {"post": "yes"}).status_code == 403
