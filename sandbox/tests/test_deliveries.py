import itertools

import pytest

from sandbox.deliveries import Deliveries
from sandbox.faults import Faults
from sandbox.tests.receiver import Receiver


def make_build():
    numbers = itertools.count(1)
    return lambda: ({"X-Attempt": str(next(numbers))}, b"{}")


@pytest.fixture
def faults():
    return Faults()


@pytest.fixture
def deliveries(faults):
    deliveries = Deliveries(faults)
    yield deliveries
    deliveries.stop()
    assert deliveries.drain(5)


@pytest.mark.parametrize("refusal", [500, 302, 400])
def test_anything_but_2xx_is_tried_again_with_a_fresh_build(deliveries, refusal):
    with Receiver(statuses=[refusal]) as receiver:
        assert deliveries.send("stripe", receiver.url, make_build(), wait_s=5) is False
        first, second = receiver.wait_for(2)
        assert deliveries.drain(5)
        assert [first.headers["X-Attempt"], second.headers["X-Attempt"]] == ["1", "2"]
        assert second.at - first.at >= 0.45
        assert [entry["outcome"] for entry in deliveries.log()] == [refusal, 200]


def test_an_accepted_webhook_is_sent_once(deliveries):
    with Receiver() as receiver:
        assert deliveries.send("stripe", receiver.url, make_build(), wait_s=5) is True
        assert deliveries.drain(5)
        assert len(receiver.received) == 1


def test_a_dead_address_is_an_attempt_that_failed(deliveries):
    with Receiver() as receiver:
        url = receiver.url
    assert deliveries.send("stripe", url, make_build(), wait_s=5, retries=0) is False
    assert "Refused" in deliveries.log()[0]["outcome"]


def test_the_sender_hears_of_an_accepted_webhook_and_of_no_other(deliveries):
    heard = []
    with Receiver(statuses=[500]) as receiver:
        deliveries.send("stripe", receiver.url, make_build(), on_accepted=lambda: heard.append(len(receiver.received)))
        receiver.wait_for(2)
        assert deliveries.drain(5)
    assert heard == [2]


def test_a_duplicate_fault_sends_a_webhook_twice_and_the_next_one_once(deliveries, faults):
    faults.add({"service": "stripe", "webhook": {"duplicate": 2}})
    with Receiver() as receiver:
        for _ in range(2):
            deliveries.send("stripe", receiver.url, make_build())
        receiver.wait_for(3)
        assert deliveries.drain(5)
        assert len(receiver.received) == 3


def test_a_dropped_webhook_never_arrives_but_is_in_the_log(deliveries, faults):
    faults.add({"service": "stripe", "webhook": {"drop": True}})
    with Receiver() as receiver:
        assert deliveries.send("stripe", receiver.url, make_build(), wait_s=0.2) is None
        assert deliveries.drain(5)
        assert receiver.received == []
    assert deliveries.log()[0]["outcome"] == "dropped"


def test_a_delayed_webhook_outlives_the_wait_for_it(deliveries, faults):
    faults.add({"service": "stripe", "webhook": {"delay_ms": 400}})
    with Receiver() as receiver:
        assert deliveries.send("stripe", receiver.url, make_build(), wait_s=0.1) is None
        receiver.wait_for(1)


def test_a_fault_of_another_service_does_not_touch_the_webhook(deliveries, faults):
    faults.add({"service": "vdocipher", "webhook": {"drop": True}})
    with Receiver() as receiver:
        assert deliveries.send("stripe", receiver.url, make_build(), wait_s=5) is True


def test_the_log_hides_the_query_of_an_address(deliveries):
    with Receiver() as receiver:
        deliveries.send("vdocipher", f"{receiver.url}?token=very-secret", make_build(), wait_s=5)
        assert receiver.received[0].path.endswith("?token=very-secret")
    assert "very-secret" not in str(deliveries.log())


def test_forgetting_gives_up_what_is_still_to_be_retried(deliveries):
    with Receiver(statuses=[500, 500, 500]) as receiver:
        deliveries.send("stripe", receiver.url, make_build(), wait_s=5)
        deliveries.forget()
        assert deliveries.drain(2)
        assert len(receiver.received) == 1
    assert deliveries.log() == []
