import django.db.models.deletion
import django.utils.timezone
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('videos', '0007_figures'),
    ]

    operations = [
        migrations.CreateModel(
            name='RefusedStart',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('code', models.CharField(max_length=64)),
                ('device_id', models.CharField(blank=True, max_length=64)),
                ('ip', models.GenericIPAddressField(blank=True, null=True)),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now)),
            ],
            options={
                'ordering': ['-id'],
            },
        ),
        migrations.CreateModel(
            name='UnusualUse',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(choices=[('many_addresses', 'watched from many networks'), ('many_devices', 'watched on many devices'), ('many_videos', 'many videos within an hour'), ('many_refusals', 'many refused starts')], max_length=32)),
                ('day', models.DateField()),
                ('figure', models.PositiveIntegerField()),
                ('limit', models.PositiveIntegerField()),
                ('first_seen_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('last_seen_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('dismissed_at', models.DateTimeField(blank=True, null=True)),
            ],
            options={
                'ordering': ['-day', '-id'],
            },
        ),
        migrations.AddField(
            model_name='refusedstart',
            name='video',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='refusals', to='videos.video'),
        ),
        migrations.AddField(
            model_name='refusedstart',
            name='viewer',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.CASCADE, related_name='refusals', to='videos.viewer'),
        ),
        migrations.AddField(
            model_name='unusualuse',
            name='viewer',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='unusual_uses', to='videos.viewer'),
        ),
        migrations.AddIndex(
            model_name='refusedstart',
            index=models.Index(fields=['created_at'], name='refused_start_by_time'),
        ),
        migrations.AddConstraint(
            model_name='unusualuse',
            constraint=models.UniqueConstraint(fields=('viewer', 'kind', 'day'), name='unusual_use_once_per_day'),
        ),
        migrations.AddConstraint(
            model_name='unusualuse',
            constraint=models.CheckConstraint(condition=models.Q(('kind__in', ['many_addresses', 'many_devices', 'many_videos', 'many_refusals'])), name='unusual_use_kind_known'),
        ),
    ]
