import django.db.models.deletion
import django.utils.timezone
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('videos', '0004_captions'),
    ]

    operations = [
        migrations.CreateModel(
            name='EngagementEvent',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('seq', models.BigIntegerField()),
                ('number', models.PositiveSmallIntegerField()),
                ('kind', models.CharField(choices=[('cta_click', 'call to action clicked'), ('like', 'liked'), ('unlike', 'like taken back'), ('share', 'shared')], max_length=16)),
                ('position_s', models.FloatField(default=0)),
                ('target', models.CharField(blank=True, help_text='What was clicked, or where it was shared.', max_length=200)),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now)),
            ],
            options={
                'ordering': ['id'],
            },
        ),
        migrations.CreateModel(
            name='VideoProgress',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('played', models.JSONField(default=list)),
                ('covered_ms', models.PositiveBigIntegerField(default=0)),
                ('duration_ms', models.PositiveBigIntegerField(null=True)),
                ('position_s', models.FloatField(default=0)),
                ('is_counted', models.BooleanField(default=True, help_text='Instructors and staff are not counted.')),
                ('version', models.PositiveBigIntegerField(default=0)),
                ('first_played_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('last_played_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('completed_at', models.DateTimeField(null=True)),
                ('liked_at', models.DateTimeField(null=True)),
                ('is_viewer_tallied', models.BooleanField(default=False)),
                ('is_completion_tallied', models.BooleanField(default=False)),
            ],
            options={
                'verbose_name_plural': 'video progress',
                'ordering': ['-last_played_at', '-id'],
            },
        ),
        migrations.AddField(
            model_name='playbacksession',
            name='bitrate_kbps',
            field=models.PositiveIntegerField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name='playbacksession',
            name='covered_ms',
            field=models.PositiveBigIntegerField(default=0, help_text='Distinct time seen.'),
        ),
        migrations.AddField(
            model_name='playbacksession',
            name='error_count',
            field=models.PositiveIntegerField(default=0),
        ),
        migrations.AddField(
            model_name='playbacksession',
            name='played',
            field=models.JSONField(default=list, help_text='Stretches seen, [[from, to, times], …] in ms.'),
        ),
        migrations.AddField(
            model_name='playbacksession',
            name='rolled_up',
            field=models.JSONField(blank=True, help_text='What of this session the figures hold already.', null=True),
        ),
        migrations.AddField(
            model_name='playbacksession',
            name='rollup_due_at',
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name='playbacksession',
            name='seen_seqs',
            field=models.JSONField(default=list, help_text='Heartbeats that were counted, [[first, last], …].'),
        ),
        migrations.AddField(
            model_name='playbacksession',
            name='stall_count',
            field=models.PositiveIntegerField(default=0),
        ),
        migrations.AddField(
            model_name='playbacksession',
            name='stall_ms',
            field=models.PositiveBigIntegerField(default=0),
        ),
        migrations.AddField(
            model_name='playbacksession',
            name='startup_ms',
            field=models.PositiveIntegerField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name='playbacksession',
            name='watched_ms',
            field=models.PositiveBigIntegerField(default=0, help_text='Time played, replays included.'),
        ),
        migrations.AddField(
            model_name='engagementevent',
            name='session',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='events', to='videos.playbacksession'),
        ),
        migrations.AddField(
            model_name='videoprogress',
            name='video',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='progress', to='videos.video'),
        ),
        migrations.AddField(
            model_name='videoprogress',
            name='viewer',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='progress', to='videos.viewer'),
        ),
        migrations.AddField(
            model_name='playbacksession',
            name='progress',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='sessions', to='videos.videoprogress'),
        ),
        migrations.AddIndex(
            model_name='playbacksession',
            index=models.Index(condition=models.Q(('rollup_due_at__isnull', False)), fields=['rollup_due_at'], name='session_rollup_due'),
        ),
        migrations.AddConstraint(
            model_name='engagementevent',
            constraint=models.UniqueConstraint(fields=('session', 'seq', 'number'), name='engagement_once'),
        ),
        migrations.AddConstraint(
            model_name='engagementevent',
            constraint=models.CheckConstraint(condition=models.Q(('kind__in', ['cta_click', 'like', 'unlike', 'share'])), name='engagement_kind_known'),
        ),
        migrations.AddIndex(
            model_name='videoprogress',
            index=models.Index(fields=['viewer', '-last_played_at'], name='progress_continue'),
        ),
        migrations.AddConstraint(
            model_name='videoprogress',
            constraint=models.UniqueConstraint(fields=('viewer', 'video'), name='progress_once_per_viewer_and_video'),
        ),
        migrations.AddConstraint(
            model_name='videoprogress',
            constraint=models.CheckConstraint(condition=models.Q(('position_s__gte', 0)), name='progress_position_not_negative'),
        ),
    ]
