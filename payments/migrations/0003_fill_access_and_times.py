from django.db import migrations
from django.db.models import F, OuterRef, Q, Subquery
from django.db.models.functions import Coalesce

COMPLETED, REFUNDED = 2, -2
TOOK_MONEY = Q(status__in=[COMPLETED, REFUNDED]) | Q(failure_code__in=['user_gone', 'order_gone'])


def fill(apps, schema_editor):
    """Orders from before: what was fulfilled has been granted, and a payment came when its order was paid.

    One statement a table, however many rows there are.
    """
    Order, OrderItem, Payment, WebhookEvent = (
        apps.get_model('payments', name) for name in ('Order', 'OrderItem', 'Payment', 'WebhookEvent')
    )
    OrderItem.objects.filter(order__fulfilled_at__isnull=False).update(access='granted')
    order_paid_at = Subquery(Order.objects.filter(pk=OuterRef('order_id')).values('paid_at'))
    Payment.objects.filter(TOOK_MONEY).update(paid_at=Coalesce(order_paid_at, F('updated_at')))
    WebhookEvent.objects.update(occurred_at=F('received_at'))


class Migration(migrations.Migration):

    dependencies = [
        ('payments', '0002_money_back'),
    ]

    operations = [
        migrations.RunPython(fill, migrations.RunPython.noop),
    ]
