from celery import shared_task

from mailing import services


@shared_task(name="mailing.send")
def send(mail_id: int) -> None:
    services.send(mail_id)


@shared_task(name="mailing.sweep")
def sweep() -> None:
    services.sweep()
