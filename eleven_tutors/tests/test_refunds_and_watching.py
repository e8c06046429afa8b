"""Money that went back ends what is being watched, at once and through every door."""

import uuid

import pytest

from courses.tests.factories import make_course, make_lesson
from payments.models import Order, OrderStatus, Payment
from payments.services.refund_requests import request_refund
from payments.services.refunds import send_refund
from payments.tests.buying import bought, deliver_all
from users.tests.factories import auth_client, make_user
from videos.models import PlaybackSession, SessionState
from videos.tests.factories import host_video

pytestmark = pytest.mark.django_db


class Watching:
    """A student who bought a course and watches one lesson of it."""

    def __init__(self, sandbox) -> None:
        teacher = make_user()
        video = host_video(sandbox, access_level="entitled", owner=teacher)
        self.lesson = make_lesson(course=make_course(instructors=[teacher]), video=video)
        self.payment: Payment = bought(sandbox, self.lesson.part.course)
        self.client = auth_client(self.payment.order.user)
        self.session = self.start().json()["session"]
        assert self.beat(1).status_code == 200

    def start(self):
        body = {"device_id": str(uuid.uuid4())}
        return self.client.post(f"/api/videos/{self.lesson.video_id}/playback/", body)

    def beat(self, seq: int):
        body = {"token": self.session["token"], "seq": seq, "position": 3.0}
        return self.client.post(self.session["heartbeat_url"], body)

    def read(self):
        return self.client.get(f"/api/courses/lessons/{self.lesson.slug}/")


@pytest.fixture
def watching(sandbox):
    return Watching(sandbox)


def assert_over(watching: Watching) -> None:
    refused = watching.start()
    beat = watching.beat(2)
    assert (beat.status_code, beat.json()["errors"][0]["code"]) == (403, "session_revoked")
    assert (refused.status_code, refused.json()["errors"][0]["code"]) == (403, "enrollment_ended")
    assert watching.read().status_code == 404
    assert set(PlaybackSession.objects.values_list("state", flat=True)) == {SessionState.REVOKED}


def test_a_refund_ends_what_is_being_watched(watching):
    send_refund(request_refund(payment=watching.payment))
    assert_over(watching)


def test_a_refund_told_by_stripe_alone_ends_it_too(sandbox, watching):
    sandbox.stripe.refund(watching.payment.stripe_payment_intent)
    assert deliver_all(sandbox, "charge.refunded") == [200]
    assert_over(watching)


def test_a_dispute_suspends_and_a_won_one_lets_the_student_go_on(sandbox, watching):
    found = sandbox.stripe.open_dispute(watching.payment.stripe_payment_intent)
    assert deliver_all(sandbox, "charge.dispute.created") == [200]
    assert_over(watching)
    sandbox.stripe.move_dispute(found["id"], "won")
    assert deliver_all(sandbox, "charge.dispute.closed") == [200]
    assert Order.objects.get().status == OrderStatus.PAID
    assert watching.start().status_code == 200
    assert watching.read().status_code == 200


def test_a_partial_refund_disturbs_nobody(watching):
    send_refund(request_refund(payment=watching.payment, amount_minor=100))
    assert watching.beat(2).status_code == 200
    assert watching.start().status_code == 200
