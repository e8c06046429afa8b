import pytest
import requests
import stripe

from sandbox.stripe import disputes
from sandbox.stripe.annotations import fields_of, literals
from sandbox.tests.stripe.making import make_session

FRAUD, INQUIRY = "4000 0000 0000 0259", "4000 0000 0000 1976"


@pytest.fixture
def intent(sandbox, client):
    return sandbox.stripe.pay(make_session(client).id)["payment_intent"]


def kinds(sandbox):
    names = [event["type"] for event in sandbox.stripe.events()]
    return [name.removeprefix("charge.dispute.") for name in names if name.startswith("charge.dispute.")]


def test_a_dispute_takes_the_money_and_can_be_won_back(sandbox, client, receiver, intent):
    opened = sandbox.stripe.open_dispute(intent, amount=4000)
    dispute = client.v1.disputes.retrieve(opened["id"], {"expand": ["charge", "payment_intent"]})
    assert (dispute.status, dispute.reason, dispute.amount) == ("needs_response", "fraudulent", 4000)
    assert (dispute.charge.disputed, dispute.payment_intent.id) == (True, intent)
    assert [(moved.amount, moved.fee) for moved in dispute.balance_transactions] == [(-4000, 1500)]
    sandbox.stripe.move_dispute(dispute.id, "under_review")
    sandbox.stripe.move_dispute(dispute.id, "won")
    won = client.v1.disputes.retrieve(dispute.id)
    assert (won.status, [moved.amount for moved in won.balance_transactions]) == ("won", [-4000, 4000])
    assert kinds(sandbox) == ["created", "funds_withdrawn", "updated", "closed", "funds_reinstated"]
    receiver.wait_for(4)
    assert sorted(receiver.types())[:3] == [f"charge.dispute.{kind}" for kind in ("closed", "created", "updated")]


def test_an_inquiry_moves_no_money_until_it_is_escalated(sandbox, client, intent):
    inquiry = sandbox.stripe.open_dispute(intent, "warning_needs_response")
    read = client.v1.disputes.retrieve(inquiry["id"])
    assert (read.is_charge_refundable, read.balance_transactions) == (True, [])
    assert client.v1.refunds.create({"payment_intent": intent, "amount": 100}).status == "succeeded"
    sandbox.stripe.move_dispute(inquiry["id"], "needs_response")
    assert kinds(sandbox) == ["created", "updated", "funds_withdrawn"]
    with pytest.raises(stripe.InvalidRequestError, match="charged back; cannot issue a refund") as caught:
        client.v1.refunds.create({"payment_intent": intent})
    assert (caught.value.http_status, caught.value.code) == (400, "charge_disputed")


@pytest.mark.parametrize(
    ("status", "events"),
    [
        ("lost", ["created", "funds_withdrawn", "closed"]),
        ("prevented", ["created", "closed"]),
        ("warning_closed", ["created", "closed"]),
    ],
)
def test_a_dispute_may_be_over_when_it_is_made(sandbox, client, intent, status, events):
    dispute = sandbox.stripe.open_dispute(intent, status)
    assert client.v1.disputes.retrieve(dispute["id"]).status == status
    assert kinds(sandbox) == events


def test_every_status_of_the_sdk_can_be_reached_and_no_other():
    known = set(literals(fields_of(stripe.Dispute)["status"].options) or ())
    assert set().union(*disputes.NEXT.values()) | disputes.FIRST == known
    assert set(disputes.NEXT) | disputes.CLOSED == known
    assert known >= disputes.WITHOUT_MONEY


def test_disputes_go_no_way_that_no_dispute_goes(sandbox, intent):
    dispute = sandbox.stripe.open_dispute(intent)
    for status in ("warning_closed", "needs_response", "appeal_under_review", "settled", ""):
        with pytest.raises(Exception, match="does not become"):
            sandbox.stripe.move_dispute(dispute["id"], status)
    for wrong in ({"status": "won"}, {"reason": "bored"}, {"amount": 4901}, {"amount": 0}):
        with pytest.raises(Exception, match=r"begin as|reason must|between"):
            sandbox.stripe.open_dispute(intent, **wrong)
    sandbox.stripe.move_dispute(dispute["id"], "lost")
    sandbox.stripe.move_dispute(dispute["id"], "appeal_needs_response")
    sandbox.stripe.move_dispute(dispute["id"], "appeal_under_review")
    assert sandbox.stripe.move_dispute(dispute["id"], "won")["balance_transactions"][1]["amount"] == 4900


def test_only_what_was_paid_is_disputed(sandbox, client):
    session = make_session(client)
    waiting = sandbox.stripe.pay_by_bank_debit(session.id)["payment_intent"]
    with pytest.raises(Exception, match="has not been paid"):
        sandbox.stripe.open_dispute(waiting)
    with pytest.raises(Exception, match="No such charge"):
        sandbox.stripe.open_dispute("ch_nobody")


def test_evidence_is_kept_until_it_is_submitted(sandbox, client, intent):
    opened = sandbox.stripe.open_dispute(intent)["id"]
    staged = client.v1.disputes.update(opened, {"evidence": {"customer_name": "Emmy"}, "submit": False})
    assert (staged.status, staged.evidence_details.submission_count) == ("needs_response", 0)
    sent = client.v1.disputes.update(opened, {"evidence": {"access_activity_log": "seen"}, "metadata": {"a": "1"}})
    assert (sent.status, sent.evidence_details.submission_count) == ("under_review", 1)
    assert (sent.evidence.customer_name, sent.evidence.access_activity_log) == ("Emmy", "seen")
    with pytest.raises(stripe.InvalidRequestError, match="evidence"):
        client.v1.disputes.update(opened, {"evidence": {"customer_name": "Noether"}})
    assert client.v1.disputes.update(opened, {"metadata": {"b": "2"}}).metadata.to_dict() == {"a": "1", "b": "2"}


@pytest.mark.parametrize(
    ("status", "text", "verdict"),
    [
        ("needs_response", "winning_evidence", "won"),
        ("needs_response", "losing_evidence", "lost"),
        ("warning_needs_response", "winning_evidence", "warning_closed"),
        ("warning_needs_response", "escalate_inquiry_evidence", "needs_response"),
        ("needs_response", "a letter", "under_review"),
    ],
)
def test_test_evidence_brings_its_verdict(sandbox, client, intent, status, text, verdict):
    opened = sandbox.stripe.open_dispute(intent, status)["id"]
    assert client.v1.disputes.update(opened, {"evidence": {"uncategorized_text": text}}).status == verdict


def test_a_dispute_that_is_closed_is_lost(sandbox, client, intent):
    opened = sandbox.stripe.open_dispute(intent)["id"]
    assert client.v1.disputes.close(opened).status == "lost"
    with pytest.raises(stripe.InvalidRequestError):
        client.v1.disputes.close(opened)


@pytest.mark.parametrize(("card", "status"), [(FRAUD, "needs_response"), (INQUIRY, "warning_needs_response")])
def test_test_cards_are_disputed_after_payment(sandbox, client, card, status):
    paid = sandbox.stripe.pay(make_session(client).id, card)
    other = sandbox.stripe.pay(make_session(client).id)
    [dispute] = client.v1.disputes.list({"payment_intent": paid["payment_intent"]}).data
    assert (dispute.status, dispute.amount) == (status, 4900)
    assert client.v1.disputes.list({"payment_intent": other["payment_intent"]}).data == []
    assert [found.id for found in client.v1.disputes.list({"charge": dispute.charge}).data] == [dispute.id]
    assert client.v1.disputes.list({"created": {"gt": dispute.created}}).data == []


def test_disputes_are_opened_and_moved_by_control(sandbox, client, intent):
    control = f"{sandbox.stripe_url}/_control/disputes"
    opened = requests.post(control, json={"payment_intent": intent, "reason": "duplicate", "amount": 900}).json()
    assert (opened["reason"], opened["amount"]) == ("duplicate", 900)
    assert requests.post(f"{control}/{opened['id']}/move", json={"status": "lost"}).json()["status"] == "lost"
    assert requests.post(f"{control}/{opened['id']}/move", json={}).status_code == 400
    assert requests.post(control, json={"charge": "ch_nobody"}).status_code == 404
    assert [dispute["status"] for dispute in sandbox.stripe.disputes()] == ["lost"]
