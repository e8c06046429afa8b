import csv
import uuid
from datetime import UTC, datetime, timedelta

import pytest
from django.contrib.admin.models import LogEntry
from django.urls import reverse
from django.utils import timezone

from courses.tests.counting import statements
from courses.tests.factories import make_course, make_lesson, watch
from payments.models import Dispute, Order, Refund
from payments.services import exports
from payments.services.evidence import evidence_for, summary
from payments.services.exports import HEADER, order_rows
from payments.spreadsheets import csv_lines
from payments.tests.admin.people import operator, paid_order, told
from payments.tests.buying import make_order, make_payment
from users.tests.factories import make_user
from videos.models import PlaybackSession, Viewer
from videos.tests.factories import make_video

pytestmark = pytest.mark.django_db

PAID_AT = datetime(2026, 3, 1, 9, 30, tzinfo=UTC)


def table(lines) -> list[dict[str, str]]:
    return list(csv.DictReader("".join(lines).splitlines()))


def body(answer) -> str:
    return b"".join(answer.streaming_content).decode()


def paid(order, **overrides):
    values = {"status": 2, "paid_at": PAID_AT, "stripe_payment_intent": f"pi_{order.pk}"}
    return make_payment(order, **values | overrides)


def test_each_movement_of_money_is_a_row():
    order = make_order(
        status="partially_refunded", course=make_course(title="Proofs"), user=make_user(email="a@b.example")
    )
    payment = paid(order, discount_minor=400)
    back = {"payment": payment, "currency": "usd", "created_at": PAID_AT + timedelta(hours=1)}
    Refund.objects.create(amount_minor=1050, stripe_id="re_1", status="succeeded", reason="duplicate", **back)
    Dispute.objects.create(amount_minor=4500, stripe_id="dp_1", status="lost", reason="fraudulent", **back)
    make_payment(order, status=-1, failure_code="expired")
    free = make_order(status="paid", paid_at=PAID_AT, total_minor=0)

    rows = table(csv_lines(order_rows(Order.objects.all())))

    assert [(row["row"], row["amount_minor"], row["amount"]) for row in rows] == [
        ("payment", "4500", "45.00"),
        ("refund", "1050", "10.50"),
        ("dispute", "4500", "45.00"),
        ("order", "0", "0.00"),
    ]
    assert rows[0] == {
        "row": "payment",
        "time": "2026-03-01T09:30:00Z",
        "order": str(order.public_id),
        "order_status": "partially_refunded",
        "student_id": str(order.user_id),
        "student_email": "a@b.example",
        "courses": "Proofs",
        "payment": str(payment.public_id),
        "status": "completed",
        "reason": "",
        "currency": "usd",
        "amount_minor": "4500",
        "amount": "45.00",
        "stripe_id": f"pi_{order.pk}",
    }
    assert rows[3]["order"] == str(free.public_id)


def test_yen_have_no_decimals_and_orphans_come_last():
    order = make_order(currency="jpy", total_minor=4900, status="failed")
    paid(order, status=-1, failure_code="order_gone")
    order.delete()
    assert len(list(order_rows(Order.objects.all()))) == 1
    header, row = order_rows(Order.objects.all(), with_orphans=True)
    told = dict(zip(header, row, strict=True))
    assert (told["amount"], told["order"], told["status"]) == ("4900", None, "for nobody")


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "\n", "\uff1d"])
def test_no_cell_is_a_formula(start):
    order = make_order(course=make_course(title=f"{start}HYPERLINK(1)"))
    paid(order)
    (cell,) = {row[HEADER.index("courses")] for row in csv.reader(csv_lines(order_rows(Order.objects.all())))} - {
        "courses"
    }
    assert cell == f"'{start}HYPERLINK(1)"


def test_a_long_export_holds_one_batch_at_a_time(monkeypatch):
    monkeypatch.setattr(exports, "BATCH", 2)
    for _ in range(5):
        paid(make_order())
    rows = order_rows(Order.objects.all())
    assert statements(lambda: next(rows)) == 0
    first = statements(lambda: [next(rows), next(rows)])
    assert first == 5
    assert statements(lambda: [next(rows), next(rows)]) == first
    assert len(list(rows)) == 1


def test_the_chosen_orders_are_downloaded_and_the_download_is_logged():
    client, chosen, other = operator(), make_order(), make_order()
    for order in (chosen, other):
        paid(order)
    sent = {"action": "export_as_csv", "_selected_action": [chosen.pk]}
    answer = client.post(reverse("admin:payments_order_changelist"), sent)
    assert answer.headers["Content-Disposition"].startswith('attachment; filename="orders-')
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert [row["order"] for row in table(body(answer))] == [str(chosen.public_id)]
    assert len(table(body(client.get(reverse("admin:payments_order_export_all"))))) == 2
    assert set(LogEntry.objects.values_list("change_message", flat=True)) == {"Exported 1 orders", "Exported 2 orders"}


def watched_course(user):
    """A course of two lessons with a video; the first was watched, the second opened alone."""
    course = make_course(title="Proofs")
    lessons = [make_lesson(course=course, title=title, video=make_video()) for title in ("Welcome", "Induction")]
    viewer, _ = Viewer.objects.get_or_create(user=user)
    common = {"viewer": viewer, "device_id": "d1", "door": "lesson", "expires_at": timezone.now(), "state": "ended"}
    PlaybackSession.objects.create(
        video=lessons[0].video,
        asset=lessons[0].video.assets.get(),
        played_at=PAID_AT + timedelta(hours=2),
        watched_ms=90_000,
        covered_ms=45_000,
        ip="203.0.113.7",
        user_agent="Mozilla/5.0 (X11; Linux x86_64) Chrome/130",
        **common,
    )
    PlaybackSession.objects.create(video=lessons[1].video, **common)
    watch(user, lessons[0], covered_ms=45_000, completed_at=PAID_AT)
    return course, lessons


@pytest.fixture
def dispute(sandbox):
    user = make_user(first_name="Ada", email_verified_at=PAID_AT)
    course, _ = watched_course(user)
    _, payment = paid_order(sandbox, user=user, course=course)
    back = {"amount_minor": 4900, "currency": "usd", "created_at": timezone.now(), "reason": "fraudulent"}
    return Dispute.objects.create(payment=payment, stripe_id="dp_1", status="needs_response", **back)


def test_evidence_tells_what_was_bought_given_and_watched_from_where(dispute):
    somebody = make_user()
    viewer = Viewer.objects.create(user=somebody)
    theirs = {"viewer": viewer, "video": PlaybackSession.objects.first().video, "ip": "198.51.100.9"}
    PlaybackSession.objects.create(device_id="x", door="lesson", expires_at=timezone.now(), **theirs)
    client = operator()

    answer = client.get(reverse("admin:payments_dispute_evidence_as_csv", args=[dispute.pk]))

    text = body(answer)
    rows = table(text)
    assert answer.headers["Content-Disposition"] == 'attachment; filename="evidence-dp_1.csv"'
    (watched,) = [row for row in rows if row["what"] == "watched"]
    assert watched == {
        "what": "watched",
        "time": "2026-03-01T11:30:00Z",
        "course": "Proofs",
        "lesson": "Welcome",
        "address": "203.0.113.7",
        "device": "Chrome on Linux",
        "browser": "Mozilla/5.0 (X11; Linux x86_64) Chrome/130",
        "seconds_played": "90",
        "distinct_seconds": "45",
        "share_of_video": "75 %",
        "detail": "ended",
    }
    kinds = {row["what"] for row in rows}
    assert kinds >= {"ordered", "paid", "account made", "address verified", "access given", "seen in all"}
    assert "opened, nothing played" in kinds
    assert "198.51.100.9" not in text
    assert LogEntry.objects.get().change_message == "Downloaded the evidence (csv)"


def test_the_summary_fits_the_form_of_the_bank(dispute):
    text = told(operator().get(reverse("admin:payments_dispute_evidence_as_text", args=[dispute.pk])))
    for expected in (
        "Dispute dp_1 (fraudulent), $49.00",
        "Course: Proofs, $49.00: Granted",
        "Access to Proofs: given",
        "Watched: 1 viewings, 1 minutes played, first 2026-03-01 11:30:00 UTC",
        "Lessons: 1 of 2 opened, 1 seen to the end",
        "not recorded by this platform",
    ):
        assert expected in text, expected
    assert len(text) < 20_000


def test_evidence_takes_as_many_statements_for_many_viewings_as_for_one(dispute):
    client, page = operator(), reverse("admin:payments_dispute_evidence_as_csv", args=[dispute.pk])
    body(client.get(page))
    few = statements(lambda: body(client.get(page)))
    one = PlaybackSession.objects.exclude(played_at=None).get()
    for _ in range(5):
        one.pk, one.public_id = None, uuid.uuid4()
        one.save(force_insert=True)
    assert statements(lambda: body(client.get(page))) == few <= 20


def test_a_dispute_whose_order_is_gone_has_no_evidence(dispute):
    dispute.payment.order.delete()
    client = operator()
    page = reverse("admin:payments_dispute_evidence_as_csv", args=[dispute.pk])
    assert "The order is gone" in told(client.get(page, follow=True))
    assert evidence_for(Dispute.objects.get()) is None


def test_times_in_the_summary_are_never_guessed(dispute):
    PlaybackSession.objects.all().delete()
    assert "first never, last never" in summary(evidence_for(dispute))
