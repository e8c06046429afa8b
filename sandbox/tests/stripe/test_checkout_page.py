import re
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

from sandbox.tests.stripe.making import DECLINED, GOOD, LATER_FAILING, POOR, line_item, make_session


def pay(session, card_number=GOOD, **fields):
    return requests.post(session.url, data={"card_number": card_number} | fields, allow_redirects=False)


def test_the_page_shows_what_is_sold_to_whom_and_that_it_is_a_test(client):
    session = make_session(client)
    page = requests.get(session.url)
    assert page.status_code == 200
    for text in ("TEST MODE", "sandbox", "Introduction to Proofs", "$49.00", "http://127.0.0.1:9/proofs.png"):
        assert text in page.text
    assert 'value="buyer@example.test"' in page.text
    assert 'href="http://127.0.0.1:9/back"' in page.text
    assert re.search(r'<form method="post"(?![^>]*action)', page.text)
    assert 'name="card_number"' in page.text


def test_names_are_escaped(client):
    item = line_item(product_data={"name": "<script>alert(1)</script>"})
    assert "<script>alert(1)" not in requests.get(make_session(client, line_items=[item]).url).text


@pytest.mark.parametrize("number", [GOOD, "4242 4242 4242 4242", "4242-4242-4242-4242"])
def test_a_good_card_pays_and_leads_to_the_landing_page(client, number):
    session = make_session(client)
    answer = pay(session, number)
    assert answer.status_code == 303
    assert answer.headers["Location"] == f"http://127.0.0.1:9/paid?course-slug=proofs&session_id={session.id}"
    assert client.v1.checkout.sessions.retrieve(session.id).payment_status == "paid"


def test_an_escaped_placeholder_is_not_replaced(client):
    session = make_session(client, success_url="http://127.0.0.1:9/paid?session_id=%7BCHECKOUT_SESSION_ID%7D")
    assert session.id not in pay(session).headers["Location"]


@pytest.mark.parametrize(
    ("number", "sentence", "decline_code"),
    [
        (DECLINED, "Your card was declined.", "generic_decline"),
        (POOR, "Your card has insufficient funds.", "insufficient_funds"),
        (LATER_FAILING, "Your card was declined.", "generic_decline"),
    ],
)
def test_a_refused_card_leaves_the_session_open_for_another_try(client, number, sentence, decline_code):
    session = make_session(client)
    refused = pay(session, number)
    assert refused.status_code == 402
    assert sentence in refused.text
    still = client.v1.checkout.sessions.retrieve(session.id, {"expand": ["payment_intent.latest_charge"]})
    assert (still.status, still.payment_status, still.url) == ("open", "unpaid", session.url)
    assert still.payment_intent.status == "requires_payment_method"
    assert still.payment_intent.last_payment_error.decline_code == decline_code
    assert (still.payment_intent.latest_charge.status, still.payment_intent.latest_charge.paid) == ("failed", False)
    assert pay(session).status_code == 303
    paid = client.v1.checkout.sessions.retrieve(session.id, {"expand": ["payment_intent"]})
    assert (paid.payment_status, paid.payment_intent.id) == ("paid", still.payment_intent.id)
    assert getattr(paid.payment_intent, "last_payment_error", None) is None


@pytest.mark.parametrize("number", ["", "1234", "4242424242424241", "not a number"])
def test_what_is_no_card_number_is_refused_before_any_charge(client, number):
    session = make_session(client)
    assert pay(session, number).status_code == 402
    assert client.v1.charges.list().data == []
    assert client.v1.checkout.sessions.retrieve(session.id).status == "open"


def test_a_number_that_is_no_test_card_never_pays(client):
    session = make_session(client)
    assert "non test card" in pay(session, "4111 1111 1111 1111").text
    assert client.v1.checkout.sessions.retrieve(session.id).payment_status == "unpaid"


def test_the_redirect_waits_for_the_webhooks_answer(client, receiver):
    receiver.pause_s = 0.6
    session = make_session(client)
    started = time.monotonic()
    assert pay(session).status_code == 303
    assert time.monotonic() - started >= 0.6
    assert receiver.types() == ["checkout.session.completed"]


def test_the_redirect_does_not_wait_for_a_second_attempt(client, receiver):
    receiver.answers = [500, 500, 500]
    started = time.monotonic()
    assert pay(make_session(client)).status_code == 303
    assert time.monotonic() - started < 2


def test_a_bank_debit_can_be_chosen(client):
    session = make_session(client)
    assert "Bank debit" in requests.get(session.url).text
    assert pay(session, "", payment_method="bank_debit").status_code == 303
    assert client.v1.checkout.sessions.retrieve(session.id).payment_status == "unpaid"


def test_ways_to_pay_can_be_excluded(client):
    session = make_session(client, excluded_payment_method_types=["us_bank_account"])
    assert "Bank debit" not in requests.get(session.url).text
    assert pay(session, "", payment_method="bank_debit").status_code == 402
    assert client.v1.checkout.sessions.retrieve(session.id).status == "open"


def test_what_the_buyer_types_reaches_the_session(client):
    session = make_session(client)
    pay(session, email="other@example.test", name="Emmy Noether")
    details = client.v1.checkout.sessions.retrieve(session.id).customer_details
    assert (details.email, details.name) == ("other@example.test", "Emmy Noether")


def test_a_customers_own_address_is_fixed(client):
    customer = client.v1.customers.create({"email": "known@example.test"})
    session = make_session(client, customer=customer.id, customer_email=None)
    page = requests.get(session.url).text
    assert re.search(r'value="known@example.test"[^>]*readonly', page)
    pay(session)
    assert client.v1.checkout.sessions.retrieve(session.id).customer == customer.id


def test_terms_have_to_be_accepted_where_they_are_asked_for(client):
    session = make_session(client, consent_collection={"terms_of_service": "required"})
    assert pay(session).status_code == 402
    assert pay(session, terms="accepted").status_code == 303
    assert client.v1.checkout.sessions.retrieve(session.id).consent.terms_of_service == "accepted"


def test_a_free_session_asks_for_no_card(client):
    session = make_session(client, line_items=[line_item(unit_amount=0)])
    assert 'name="card_number"' not in requests.get(session.url).text
    assert requests.post(session.url, allow_redirects=False).status_code == 303


def test_a_paid_session_says_so_and_takes_no_second_payment(client):
    session = make_session(client)
    pay(session)
    for answer in (requests.get(session.url), pay(session)):
        assert answer.status_code == 200
        assert "This payment is done" in answer.text
    assert len(client.v1.charges.list().data) == 1


def test_of_several_payments_at_once_one_goes_through(client):
    session = make_session(client)
    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(lambda _: pay(session).status_code, range(6)))
    assert sorted(answers) == [200] * 5 + [303]
    assert len(client.v1.charges.list().data) == 1


def test_an_expired_session_says_so(client):
    session = make_session(client)
    client.v1.checkout.sessions.expire(session.id)
    for answer in (requests.get(session.url), pay(session)):
        assert "This page has expired" in answer.text
    assert client.v1.checkout.sessions.retrieve(session.id).payment_status == "unpaid"


def test_an_unknown_session_has_no_page(sandbox):
    assert requests.get(sandbox.stripe_url + "/c/pay/cs_test_nobody").status_code == 404
