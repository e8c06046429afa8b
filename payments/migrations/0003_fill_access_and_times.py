from django.db import migrations
from django.db.models import F

COMPLETED, REFUNDED = 2, -2


def fill(apps, schema_editor):
    """Orders from before: what was fulfilled has been granted, and a payment came when its order was paid."""
    OrderItem, Payment, WebhookEvent = (
        apps.get_model('payments', name) for name in ('OrderItem', 'Payment', 'WebhookEvent')
    )
    OrderItem.objects.filter(order__fulfilled_at__isnull=False).update(access='granted')
    settled = Payment.objects.filter(status__in=[COMPLETED, REFUNDED])
    for payment in settled.select_related('order').iterator():
        order = payment.order
        payment.paid_at = (order and order.paid_at) or payment.updated_at
        payment.save(update_fields=['paid_at'])
    WebhookEvent.objects.update(occurred_at=F('received_at'))


class Migration(migrations.Migration):

    dependencies = [
        ('payments', '0002_money_back'),
    ]

    operations = [
        migrations.RunPython(fill, migrations.RunPython.noop),
    ]
