import threading

import pytest
from django.db import connection

from mailing.models import OutgoingMail
from mailing.services import Message, send

WORKERS = 8


@pytest.mark.django_db(transaction=True)
def test_eight_workers_with_the_same_doorbell_send_one_mail(sandbox, renderers):
    renderers["greeting"] = lambda reference: Message(
        to="ada@example.test", subject="Hello", template="mail/password_changed", context={"link": "https://a.test"}
    )
    mail = OutgoingMail.objects.create(kind="greeting", key="1")
    barrier, outcomes = threading.Barrier(WORKERS), []

    def work():
        barrier.wait()
        try:
            outcomes.append(send(mail.pk))
        finally:
            connection.close()

    threads = [threading.Thread(target=work) for _ in range(WORKERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == [False] * (WORKERS - 1) + [True]
    assert len(sandbox.messages()) == 1
    mail.refresh_from_db()
    assert mail.attempts == 1
