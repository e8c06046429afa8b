import django.db.models.deletion
import django.utils.timezone
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('videos', '0005_progress'),
    ]

    operations = [
        migrations.CreateModel(
            name='WebhookEvent',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('provider', models.CharField(max_length=64)),
                ('key', models.CharField(help_text="The host's id of the event, or a digest of what it says.", max_length=128)),
                ('host_id', models.CharField(blank=True, max_length=255)),
                ('kind', models.CharField(max_length=32)),
                ('host_kind', models.CharField(blank=True, max_length=64)),
                ('payload', models.JSONField(blank=True, default=dict)),
                ('times_received', models.PositiveIntegerField(default=1)),
                ('received_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('handled_at', models.DateTimeField(blank=True, null=True)),
                ('last_error', models.CharField(blank=True, max_length=255)),
            ],
            options={
                'ordering': ['-id'],
            },
        ),
        migrations.CreateModel(
            name='WebhookRefusal',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('provider', models.CharField(max_length=64)),
                ('day', models.DateField()),
                ('code', models.CharField(max_length=64)),
                ('count', models.PositiveBigIntegerField(default=0)),
                ('last_at', models.DateTimeField(default=django.utils.timezone.now)),
            ],
            options={
                'ordering': ['-day', 'provider', 'code'],
            },
        ),
        migrations.AddField(
            model_name='webhookevent',
            name='asset',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='webhook_events', to='videos.asset'),
        ),
        migrations.AddConstraint(
            model_name='webhookrefusal',
            constraint=models.UniqueConstraint(fields=('provider', 'day', 'code'), name='video_hook_refusal_per_day'),
        ),
        migrations.AddIndex(
            model_name='webhookevent',
            index=models.Index(condition=models.Q(('handled_at', None)), fields=['received_at'], name='video_hook_unhandled'),
        ),
        migrations.AddIndex(
            model_name='webhookevent',
            index=models.Index(fields=['asset'], name='video_hook_by_asset'),
        ),
        migrations.AddConstraint(
            model_name='webhookevent',
            constraint=models.UniqueConstraint(fields=('provider', 'key'), name='video_hook_once'),
        ),
    ]
