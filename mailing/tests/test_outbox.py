from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from mailing import services
from mailing.models import OutgoingMail
from mailing.services import Message, queue_mail, send, sweep

TEMPLATE = "mail/password_changed"
LINK = "https://school.test/reset-password?a=1&b=2"


def message(**overrides) -> Message:
    return Message(
        **{"to": "ada@example.test", "subject": "Hello", "template": TEMPLATE, "context": {"link": LINK}} | overrides
    )


def make_mail(**overrides) -> OutgoingMail:
    return OutgoingMail.objects.create(**{"kind": "greeting", "key": "1", "reference": {"user_id": 7}} | overrides)


@pytest.fixture
def closed_port(settings):
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_PORT = 1


@pytest.mark.django_db(transaction=True)
def test_a_queued_mail_goes_out_in_both_forms_once_its_cause_is_committed(sandbox, renderers):
    renderers["greeting"] = lambda reference: message(subject=f"Hello {reference['name_id']}")
    with transaction.atomic():
        mail = queue_mail(kind="greeting", key="a", reference={"name_id": 3})
        assert sandbox.messages() == []
    [received] = sandbox.messages()
    assert (received["to"], received["subject"]) == (["ada@example.test"], "Hello 3")
    assert LINK in received["text"].splitlines()
    assert 'href="https://school.test/reset-password?a=1&amp;b=2"' in received["html"]
    mail.refresh_from_db()
    assert (mail.status, mail.attempts) == (OutgoingMail.Status.SENT, 1)
    assert mail.sent_at is not None


@pytest.mark.django_db(transaction=True)
def test_a_cause_that_is_rolled_back_owes_no_mail(sandbox, renderers):
    renderers["greeting"] = lambda reference: message()
    with transaction.atomic():
        queue_mail(kind="greeting", key="a", reference={})
        transaction.set_rollback(True)
    assert (sandbox.messages(), OutgoingMail.objects.count()) == ([], 0)


@pytest.mark.django_db(transaction=True)
def test_the_same_cause_twice_owes_one_mail(sandbox, renderers):
    renderers["greeting"] = lambda reference: message()
    first = queue_mail(kind="greeting", key="a", reference={})
    assert queue_mail(kind="greeting", key="a", reference={}) == first
    assert send(first.pk) is False
    assert len(sandbox.messages()) == 1


@pytest.mark.django_db
def test_a_renderer_with_nothing_left_to_say_drops_the_mail(sandbox, renderers):
    renderers["greeting"] = lambda reference: None
    mail = make_mail()
    assert send(mail.pk) is False
    mail.refresh_from_db()
    assert (mail.status, mail.sent_at) == (OutgoingMail.Status.DROPPED, None)
    assert sweep() == 0


@pytest.mark.django_db
def test_a_line_break_in_a_subject_does_not_reach_the_headers(sandbox, renderers):
    renderers["greeting"] = lambda reference: message(subject="Your course\r\nBcc: all@example.test")
    assert send(make_mail().pk) is True
    [received] = sandbox.messages()
    assert (received["subject"], received["to"]) == ("Your course Bcc: all@example.test", ["ada@example.test"])


@pytest.mark.django_db
def test_a_dead_mail_server_delays_the_mail_and_is_noted_without_addresses(closed_port, renderers):
    renderers["greeting"] = lambda reference: message()
    mail = make_mail()
    before = timezone.now()
    assert send(mail.pk) is False
    mail.refresh_from_db()
    assert (mail.status, mail.attempts) == (OutgoingMail.Status.WAITING, 1)
    assert mail.last_error.startswith("ConnectionRefusedError 111")
    assert timedelta(seconds=29) < mail.due_at - before < timedelta(seconds=40)


@pytest.mark.django_db
def test_a_delayed_mail_goes_out_when_its_time_has_come(sandbox, renderers, settings):
    renderers["greeting"] = lambda reference: message()
    mail, port = make_mail(), settings.EMAIL_PORT
    settings.EMAIL_PORT = 1
    send(mail.pk)
    settings.EMAIL_PORT = port
    assert send(mail.pk) is False
    OutgoingMail.objects.update(due_at=timezone.now())
    assert send(mail.pk) is True
    mail.refresh_from_db()
    assert (mail.attempts, mail.last_error) == (2, "")


@pytest.mark.django_db
def test_what_a_renderer_says_in_an_error_is_not_kept(renderers):
    def broken(reference):
        raise ValueError("no course for ada@example.test")

    renderers["greeting"] = broken
    mail = make_mail()
    send(mail.pk)
    mail.refresh_from_db()
    assert mail.last_error.startswith("ValueError (test_outbox.py:")
    assert "ada" not in mail.last_error


@pytest.mark.django_db
def test_a_kind_that_nobody_renders_stays_owed(renderers):
    mail = make_mail(kind="forgotten")
    assert send(mail.pk) is False
    mail.refresh_from_db()
    assert (mail.status, mail.last_error.split()[0]) == (OutgoingMail.Status.WAITING, "KeyError")


@pytest.mark.django_db
def test_the_last_failed_attempt_gives_the_mail_up_visibly(closed_port, renderers, caplog):
    renderers["greeting"] = lambda reference: message()
    mail = make_mail(attempts=services.MAX_ATTEMPTS - 1)
    send(mail.pk)
    mail.refresh_from_db()
    assert (mail.status, mail.attempts) == (OutgoingMail.Status.GIVEN_UP, services.MAX_ATTEMPTS)
    assert [record.levelname for record in caplog.records] == ["ERROR"]
    OutgoingMail.objects.update(due_at=timezone.now())
    assert (send(mail.pk), sweep()) == (False, 0)


@pytest.mark.django_db
def test_a_mail_whose_workers_all_died_is_given_up_by_the_sweep(renderers):
    mail = make_mail(attempts=services.MAX_ATTEMPTS)
    assert sweep() == 0
    mail.refresh_from_db()
    assert mail.status == OutgoingMail.Status.GIVEN_UP


def test_waiting_doubles_up_to_six_hours():
    waits = [services.backoff(attempts).total_seconds() for attempts in (1, 2, 3, 10, 12)]
    assert waits == [30, 60, 120, 15360, 21600]


@pytest.mark.django_db
def test_a_mail_being_sent_is_left_alone_until_its_lease_ends(sandbox, renderers):
    mail = make_mail()

    def render(reference):
        assert send(mail.pk) is False
        return message()

    renderers["greeting"] = render
    assert send(mail.pk) is True
    assert len(sandbox.messages()) == 1


@pytest.mark.django_db
def test_a_worker_that_comes_back_after_its_lease_does_not_undo_what_the_next_one_noted(renderers):
    mail = make_mail()

    def failing(reference):
        raise LookupError

    def overtaken(reference):
        renderers["greeting"] = failing
        OutgoingMail.objects.update(due_at=timezone.now())
        send(mail.pk)
        raise ValueError

    renderers["greeting"] = overtaken
    send(mail.pk)
    mail.refresh_from_db()
    assert (mail.status, mail.last_error.split()[0], mail.attempts) == (OutgoingMail.Status.WAITING, "LookupError", 2)


@pytest.mark.django_db(transaction=True)
def test_the_sweep_sends_what_is_due_and_nothing_else(sandbox, renderers):
    renderers["greeting"] = lambda reference: message(subject=str(reference["n"]))
    now = timezone.now()
    make_mail(key="due", reference={"n": 1}, due_at=now - timedelta(minutes=1))
    make_mail(key="older", reference={"n": 2}, due_at=now - timedelta(hours=1))
    make_mail(key="later", reference={"n": 3}, due_at=now + timedelta(hours=1))
    assert sweep() == 2
    assert {received["subject"] for received in sandbox.messages()} == {"1", "2"}


@pytest.mark.django_db
def test_a_sweep_takes_one_batch(monkeypatch, renderers):
    monkeypatch.setattr(services, "SWEEP_BATCH", 2)
    for n in range(3):
        make_mail(key=str(n))
    assert sweep() == 2


@pytest.mark.django_db
def test_a_sent_mail_must_say_when():
    with pytest.raises(IntegrityError), transaction.atomic():
        make_mail(status=OutgoingMail.Status.SENT)
