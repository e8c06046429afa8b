from django.apps import AppConfig


class PaymentsConfig(AppConfig):
    name = "payments"
    default_auto_field = "django.db.models.BigAutoField"
    verbose_name = "Payments"

    def ready(self) -> None:
        from mailing.services import register  # noqa: PLC0415  # models are loaded by now, not before
        from payments import checks  # noqa: F401, PLC0415
        from payments.services import mails  # noqa: PLC0415

        register(mails.ORDER_CONFIRMATION, mails.render_order_confirmation)
        register(mails.PAYMENT_FAILED, mails.render_payment_failed)
        register(mails.REFUND_ISSUED, mails.render_refund_issued)
        register(mails.DISPUTE_OPENED, mails.render_dispute_opened)
        register(mails.DISPUTE_CLOSED, mails.render_dispute_closed)
