import pytest
from django.contrib.auth import get_user_model
from django.test import Client
from django.urls import reverse

from mailing.models import OutgoingMail
from mailing.services import Message


@pytest.fixture
def admin_client() -> Client:
    client = Client()
    client.force_login(get_user_model().objects.create_superuser(email="admin@example.test", username="admin"))
    return client


@pytest.mark.django_db(transaction=True)
def test_an_operator_sees_a_mail_that_was_given_up_and_sends_it_again(sandbox, renderers, admin_client):
    renderers["greeting"] = lambda reference: Message(
        to="ada@example.test", subject="Hello", template="mail/password_changed", context={"link": "https://a.test"}
    )
    mail = OutgoingMail.objects.create(
        kind="greeting", key="1", status="given_up", attempts=10, last_error="SMTPServerDisconnected (smtplib.py:398)"
    )
    changelist = reverse("admin:mailing_outgoingmail_changelist")
    assert "SMTPServerDisconnected" in admin_client.get(changelist).content.decode()
    answer = admin_client.post(changelist, {"action": "start_over", "_selected_action": [mail.pk]}, follow=True)
    assert "1 mails are being sent again." in answer.content.decode()
    assert len(sandbox.messages()) == 1


@pytest.mark.django_db
def test_mails_cannot_be_written_changed_or_deleted_by_hand(admin_client):
    mail = OutgoingMail.objects.create(kind="greeting", key="1")
    change = reverse("admin:mailing_outgoingmail_change", args=[mail.pk])
    assert admin_client.get(change).status_code == 200
    assert admin_client.post(change, {"kind": "other"}).status_code == 403
    assert admin_client.get(reverse("admin:mailing_outgoingmail_add")).status_code == 403
    assert admin_client.get(reverse("admin:mailing_outgoingmail_delete", args=[mail.pk])).status_code == 403
