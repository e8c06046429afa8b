from celery import shared_task

from courses.services import updates


@shared_task(name="courses.send_update")
def send_update(update_id: int) -> None:
    updates.send_update(update_id)


@shared_task(name="courses.send_updates")
def send_updates() -> None:
    updates.send_due()
