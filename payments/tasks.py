from celery import shared_task

from payments.models import Refund
from payments.services import expiry, refunds


@shared_task(name="payments.expire_orders")
def expire_orders() -> None:
    expiry.expire_orders()


@shared_task(name="payments.send_refund")
def send_refund(refund_id: int) -> None:
    refunds.send_refund(Refund.objects.get(pk=refund_id))
