import pytest
import requests

from sandbox.tests.stripe.making import DECLINED, make_session


def control(sandbox, path, body=None):
    return requests.post(f"{sandbox.stripe_url}/_control/{path}", json=body)


def test_a_session_is_paid_without_a_browser(sandbox, client):
    session = make_session(client)
    refused = control(sandbox, f"sessions/{session.id}/pay", {"card_number": DECLINED})
    assert (refused.status_code, refused.json()["error"]["code"]) == (402, "card_declined")
    assert control(sandbox, f"sessions/{session.id}/pay").json()["payment_status"] == "paid"


def test_a_bank_debit_is_started_and_settled(sandbox, client):
    session = make_session(client)
    assert control(sandbox, f"sessions/{session.id}/bank_debit").json()["payment_status"] == "unpaid"
    answer = control(sandbox, f"sessions/{session.id}/async", {"outcome": "succeeded"})
    assert answer.json()["payment_status"] == "paid"


def test_a_session_is_expired_by_hand_or_by_the_clock(sandbox, client):
    first, second = make_session(client), make_session(client)
    assert control(sandbox, f"sessions/{first.id}/expire").json()["status"] == "expired"
    control(sandbox, "clock", {"advance_s": 25 * 3600})
    assert client.v1.checkout.sessions.retrieve(second.id).status == "expired"


def test_settings_are_changed_and_forgotten_on_reset(sandbox):
    assert control(sandbox, "settings", {"livemode": True, "think_ms": 5}).json()["livemode"] is True
    requests.post(f"{sandbox.url}/_control/reset")
    assert sandbox.stripe.settings.livemode is False


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("settings", {"colour": "red"}),
        ("settings", {"livemode": "yes"}),
        ("clock", {"advance_s": "much"}),
        ("sessions/cs_test_x/async", {"outcome": "perhaps"}),
        ("sessions/cs_test_x/pay", ["4242"]),
    ],
)
def test_control_that_makes_no_sense_is_refused(sandbox, path, body):
    answer = control(sandbox, path, body)
    assert answer.status_code == 400
    assert answer.json()["error"]["message"]


@pytest.mark.parametrize("path", ["sessions/cs_test_x/pay", "sessions/cs_test_x/expire", "events/evt_x/resend"])
def test_unknown_objects_are_not_found(sandbox, path):
    assert control(sandbox, path).status_code == 404
