from celery import shared_task

from payments.services import expiry


@shared_task(name="payments.expire_orders")
def expire_orders() -> None:
    expiry.expire_orders()
