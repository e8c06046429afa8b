from celery import shared_task

from users import services


@shared_task(name="users.flush_expired_tokens")
def flush_expired_tokens() -> None:
    services.flush_expired_tokens()
