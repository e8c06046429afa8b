from concurrent.futures import ThreadPoolExecutor

import pytest
import requests
import stripe

from sandbox.stripe.refunds import LATER_S
from sandbox.tests.stripe.making import line_item, make_session

FAILS_LATER, SLOW = "4000 0000 0000 5126", "4000 0000 0000 7726"


def paid_intent(sandbox, client, card=None, **overrides):
    session = make_session(client, **overrides)
    return sandbox.stripe.pay(session.id, *([card] if card else []))["payment_intent"]


def intent_of_bank_debit(sandbox, client):
    session = make_session(client)
    intent = sandbox.stripe.pay_by_bank_debit(session.id)["payment_intent"]
    sandbox.stripe.settle(session.id, "succeeded")
    return intent


def charge_of(client, intent):
    expand = {"expand": ["latest_charge.refunds"]}
    return client.v1.payment_intents.retrieve(intent, expand).latest_charge


def kinds(sandbox, *, after=0):
    return [event["type"] for event in sandbox.stripe.events()][after:]


def test_what_is_left_is_given_back_when_no_amount_is_named(sandbox, client, receiver):
    intent = paid_intent(sandbox, client)
    before = len(kinds(sandbox))
    part = client.v1.refunds.create({"payment_intent": intent, "amount": 900, "reason": "duplicate"})
    assert (part.amount, part.status, part.reason, part.currency) == (900, "succeeded", "duplicate", "usd")
    charge = charge_of(client, intent)
    assert (charge.amount_refunded, charge.refunded, charge.status) == (900, False, "succeeded")
    rest = client.v1.refunds.create({"charge": charge.id, "metadata": {"refund_id": "r-2"}})
    assert (rest.amount, rest.payment_intent, rest.metadata["refund_id"]) == (4000, intent, "r-2")
    charge = charge_of(client, intent)
    assert (charge.amount_refunded, charge.refunded) == (4900, True)
    assert [refund.id for refund in charge.refunds.data] == [rest.id, part.id]
    assert kinds(sandbox, after=before) == ["refund.created", "charge.refunded"] * 2
    receiver.wait_for(5)
    refunded = [event["data"]["object"] for event in receiver.events() if event["type"] == "charge.refunded"]
    assert sorted(each["amount_refunded"] for each in refunded) == [900, 4900]


def test_a_refund_is_read_changed_and_listed(sandbox, client):
    first, second = (paid_intent(sandbox, client) for _ in range(2))
    one = client.v1.refunds.create({"payment_intent": first, "amount": 100})
    two = client.v1.refunds.create({"payment_intent": first, "amount": 200})
    other = client.v1.refunds.create({"payment_intent": second})
    read = client.v1.refunds.retrieve(one.id, {"expand": ["charge", "payment_intent", "balance_transaction"]})
    assert (read.charge.amount_refunded, read.payment_intent.id, read.balance_transaction.net) == (300, first, -100)
    client.v1.refunds.update(one.id, {"metadata": {"ours": "1"}})
    assert client.v1.refunds.update(one.id, {"metadata": {"more": "2"}}).metadata.to_dict() == {
        "ours": "1",
        "more": "2",
    }
    listed = client.v1.refunds.list
    assert [refund.id for refund in listed({"limit": 1}).auto_paging_iter()] == [other.id, two.id, one.id]
    assert [refund.id for refund in listed({"payment_intent": first}).data] == [two.id, one.id]
    assert [refund.id for refund in listed({"charge": other.charge}).data] == [other.id]
    assert listed({"created": {"gt": other.created}}).data == []
    with pytest.raises(stripe.InvalidRequestError) as caught:
        client.v1.refunds.retrieve("re_nobody")
    assert (caught.value.http_status, caught.value.code) == (404, "resource_missing")


@pytest.mark.parametrize(
    ("before", "amount", "message", "code", "param"),
    [
        (None, 4901, "Refund amount ($49.01) is greater than charge amount ($49.00)", None, "amount"),
        (900, 4001, "Refund amount ($40.01) is greater than unrefunded amount on charge ($40.00)", None, "amount"),
        (4900, None, "has already been refunded.", "charge_already_refunded", None),
        (4900, 100, "has already been refunded.", "charge_already_refunded", None),
        (None, 0, "Invalid positive integer", "parameter_invalid_integer", "amount"),
    ],
)
def test_no_more_is_given_back_than_was_taken(sandbox, client, before, amount, message, code, param):
    intent = paid_intent(sandbox, client)
    if before:
        sandbox.stripe.refund(intent, before)
    with pytest.raises(stripe.InvalidRequestError) as caught:
        client.v1.refunds.create({"payment_intent": intent} | ({} if amount is None else {"amount": amount}))
    assert message in caught.value.user_message
    assert (caught.value.http_status, caught.value.code, caught.value.param) == (400, code, param)
    assert charge_of(client, intent).amount_refunded == (before or 0)


def test_only_what_was_paid_can_be_refunded(sandbox, client):
    session = make_session(client)
    waiting = sandbox.stripe.pay_by_bank_debit(session.id)["payment_intent"]
    for params, message in (
        ({"payment_intent": waiting}, "does not have a successful charge to refund"),
        ({"payment_intent": "pi_nobody"}, "No such payment_intent: 'pi_nobody'"),
        ({"charge": "ch_nobody"}, "No such charge: 'ch_nobody'"),
        ({"amount": 100}, "payment_intent or charge"),
        ({"payment_intent": waiting, "charge": "ch_other"}, "does not belong"),
        ({"payment_intent": waiting, "reason": "bored"}, "must be one of"),
    ):
        with pytest.raises(stripe.InvalidRequestError, match=message):
            client.v1.refunds.create(params)


def test_a_repeated_request_gives_the_money_back_once(sandbox, client):
    intent = paid_intent(sandbox, client)
    answers = [
        client.v1.refunds.create({"payment_intent": intent, "amount": 900}, {"idempotency_key": "r-1"})
        for _ in range(2)
    ]
    assert answers[0].id == answers[1].id
    assert charge_of(client, intent).amount_refunded == 900
    with pytest.raises(stripe.IdempotencyError):
        client.v1.refunds.create({"payment_intent": intent, "amount": 901}, {"idempotency_key": "r-1"})


def test_of_several_refunds_at_once_no_more_is_given_back_than_was_taken(sandbox, client):
    intent = paid_intent(sandbox, client)

    def ask(number):
        try:
            return client.v1.refunds.create({"payment_intent": intent, "amount": 2000}).amount
        except stripe.InvalidRequestError:
            return 0

    with ThreadPoolExecutor(6) as pool:
        assert sum(pool.map(ask, range(6))) == 4000
    assert charge_of(client, intent).amount_refunded == 4000


def test_a_refund_that_succeeded_can_still_come_back(sandbox, client):
    intent = paid_intent(sandbox, client)
    refund = client.v1.refunds.create({"payment_intent": intent})
    before = len(kinds(sandbox))
    sandbox.stripe.settle_refund(refund.id, "failed", reason="lost_or_stolen_card")
    failed = client.v1.refunds.retrieve(refund.id, {"expand": ["failure_balance_transaction"]})
    assert (failed.status, failed.failure_reason) == ("failed", "lost_or_stolen_card")
    assert failed.failure_balance_transaction.amount == 4900
    charge = charge_of(client, intent)
    assert (charge.amount_refunded, charge.refunded) == (0, False)
    assert kinds(sandbox, after=before) == ["refund.updated", "charge.refund.updated", "refund.failed"]
    assert client.v1.refunds.create({"payment_intent": intent}).amount == 4900
    with pytest.raises(Exception, match="does not become"):
        sandbox.stripe.settle_refund(refund.id, "succeeded")


@pytest.mark.parametrize(("outcome", "given_back"), [("succeeded", 4900), ("failed", 0)])
def test_a_bank_account_waits_for_its_money(sandbox, client, outcome, given_back):
    intent = intent_of_bank_debit(sandbox, client)
    refund = client.v1.refunds.create({"payment_intent": intent})
    assert refund.status == "pending"
    assert charge_of(client, intent).amount_refunded == 4900
    sandbox.stripe.settle_refund(refund.id, outcome)
    assert client.v1.refunds.retrieve(refund.id).status == outcome
    assert charge_of(client, intent).amount_refunded == given_back


@pytest.mark.parametrize(
    ("card", "starts", "ends"), [(FAILS_LATER, "succeeded", "failed"), (SLOW, "pending", "succeeded")]
)
def test_test_cards_change_their_refunds_after_a_while(sandbox, client, card, starts, ends):
    refund = client.v1.refunds.create({"payment_intent": paid_intent(sandbox, client, card)})
    assert refund.status == starts
    sandbox.stripe.advance(LATER_S)
    assert client.v1.refunds.retrieve(refund.id).status == ends
    assert kinds(sandbox)[-1] == ("refund.failed" if ends == "failed" else "charge.refund.updated")


def test_only_a_refund_that_waits_for_the_buyer_can_be_called_off(sandbox, client):
    intent = paid_intent(sandbox, client)
    waiting = sandbox.stripe.refund(intent, 900, status="requires_action")
    assert client.v1.refunds.cancel(waiting["id"]).status == "canceled"
    assert charge_of(client, intent).amount_refunded == 0
    done = sandbox.stripe.refund(intent)
    assert (done["amount"], done["metadata"]) == (4900, {})
    with pytest.raises(stripe.InvalidRequestError):
        client.v1.refunds.cancel(done["id"])


def test_refunds_are_made_and_settled_by_control(sandbox, client):
    intent = paid_intent(sandbox, client, line_items=[line_item(currency="jpy", unit_amount=4900)])
    control = f"{sandbox.stripe_url}/_control"
    made = requests.post(f"{control}/payment_intents/{intent}/refund", json={"amount": 1000}).json()
    answer = requests.post(f"{control}/refunds/{made['id']}/settle", json={"status": "failed", "reason": "declined"})
    assert (answer.json()["status"], answer.json()["failure_reason"]) == ("failed", "declined")
    assert requests.post(f"{control}/refunds/{made['id']}/settle", json={"status": "won"}).status_code == 400
    assert [refund["id"] for refund in sandbox.stripe.refunds()] == [made["id"]]


def test_a_paid_charge_has_a_receipt(sandbox, client):
    intent = paid_intent(sandbox, client)
    sandbox.stripe.refund(intent, 900)
    url = charge_of(client, intent).receipt_url
    page = requests.get(url)
    assert page.status_code == 200
    assert "$49.00" in page.text
    assert "Refunded: $9.00" in page.text
    assert requests.get(url + "x").status_code == 404
