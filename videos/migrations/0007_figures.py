import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('videos', '0006_webhook_events'),
    ]

    operations = [
        migrations.CreateModel(
            name='AssetRetention',
            fields=[
                ('asset', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name='retention', serialize=False, to='videos.asset')),
                ('counts', models.BinaryField(default=bytes)),
                ('updated_at', models.DateTimeField(auto_now=True)),
            ],
            options={
                'verbose_name_plural': 'asset retention',
            },
        ),
        migrations.CreateModel(
            name='VideoDay',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('views', models.BigIntegerField(default=0)),
                ('viewers', models.BigIntegerField(default=0, help_text='Who watched for the first time.')),
                ('completions', models.BigIntegerField(default=0, help_text='Who completed for the first time.')),
                ('watched_ms', models.BigIntegerField(default=0)),
                ('coverage_permille_sum', models.BigIntegerField(default=0)),
                ('coverage_count', models.BigIntegerField(default=0, help_text='Views of a video whose length was known.')),
                ('cta_clicks', models.BigIntegerField(default=0)),
                ('likes', models.BigIntegerField(default=0)),
                ('shares', models.BigIntegerField(default=0)),
                ('startup_ms_sum', models.BigIntegerField(default=0)),
                ('startup_count', models.BigIntegerField(default=0)),
                ('stall_ms_sum', models.BigIntegerField(default=0)),
                ('stall_count', models.BigIntegerField(default=0)),
                ('error_count', models.BigIntegerField(default=0)),
                ('day', models.DateField()),
            ],
            options={
                'ordering': ['-day'],
            },
        ),
        migrations.CreateModel(
            name='VideoFigures',
            fields=[
                ('views', models.BigIntegerField(default=0)),
                ('viewers', models.BigIntegerField(default=0, help_text='Who watched for the first time.')),
                ('completions', models.BigIntegerField(default=0, help_text='Who completed for the first time.')),
                ('watched_ms', models.BigIntegerField(default=0)),
                ('coverage_permille_sum', models.BigIntegerField(default=0)),
                ('coverage_count', models.BigIntegerField(default=0, help_text='Views of a video whose length was known.')),
                ('cta_clicks', models.BigIntegerField(default=0)),
                ('likes', models.BigIntegerField(default=0)),
                ('shares', models.BigIntegerField(default=0)),
                ('startup_ms_sum', models.BigIntegerField(default=0)),
                ('startup_count', models.BigIntegerField(default=0)),
                ('stall_ms_sum', models.BigIntegerField(default=0)),
                ('stall_count', models.BigIntegerField(default=0)),
                ('error_count', models.BigIntegerField(default=0)),
                ('video', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name='figures', serialize=False, to='videos.video')),
                ('updated_at', models.DateTimeField(auto_now=True)),
            ],
            options={
                'verbose_name_plural': 'video figures',
            },
        ),
        migrations.AddField(
            model_name='videoday',
            name='video',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='days', to='videos.video'),
        ),
        migrations.AddIndex(
            model_name='videofigures',
            index=models.Index(fields=['-views'], name='figures_by_views'),
        ),
        migrations.AddIndex(
            model_name='videoday',
            index=models.Index(fields=['day'], name='video_day_by_day'),
        ),
        migrations.AddConstraint(
            model_name='videoday',
            constraint=models.UniqueConstraint(fields=('video', 'day'), name='video_day_once'),
        ),
    ]
