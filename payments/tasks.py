from datetime import timedelta

from celery import shared_task

from payments.models import Refund
from payments.services import account_check, expiry, pruning, refunds
from payments.services import reconcile as reconciliation


@shared_task(name="payments.expire_orders")
def expire_orders() -> None:
    expiry.expire_orders()


@shared_task(name="payments.send_refund")
def send_refund(refund_id: int) -> None:
    refunds.send_refund(Refund.objects.get(pk=refund_id))


@shared_task(name="payments.resume_refunds")
def resume_refunds() -> None:
    refunds.resume_refunds()


@shared_task(name="payments.reconcile")
def reconcile(hours: int) -> None:
    reconciliation.reconcile(window=timedelta(hours=hours))


@shared_task(name="payments.prune_webhook_events")
def prune_webhook_events() -> None:
    pruning.prune_webhook_events()


@shared_task(name="payments.check_account")
def check_account() -> None:
    account_check.report_account()
