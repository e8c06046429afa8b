import django.db.models.expressions
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('payments', '0003_fill_access_and_times'),
    ]

    operations = [
        migrations.AddConstraint(
            model_name='payment',
            constraint=models.CheckConstraint(condition=models.Q(('amount_minor__gte', django.db.models.expressions.CombinedExpression(models.F('discount_minor'), '+', models.F('refunded_minor')))), name='payment_refund_within_paid'),
        ),
        migrations.AddConstraint(
            model_name='payment',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('status__in', [2, -2]), _negated=True), ('paid_at__isnull', False), _connector='OR'), name='payment_settled_has_time'),
        ),
    ]
