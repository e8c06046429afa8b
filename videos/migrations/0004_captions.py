import django.db.models.deletion
import django.utils.timezone
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('videos', '0003_uploads'),
    ]

    operations = [
        migrations.CreateModel(
            name='Caption',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('language', models.CharField(help_text='BCP 47, such as en or pt-BR.', max_length=35)),
                ('label', models.CharField(max_length=100)),
                ('body', models.TextField()),
                ('digest', models.CharField(editable=False, max_length=64)),
                ('needs_check', models.BooleanField(default=False, help_text='The video was replaced by one of another length: does the timing still fit?')),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('updated_at', models.DateTimeField(auto_now=True)),
            ],
            options={
                'ordering': ['language'],
            },
        ),
        migrations.CreateModel(
            name='CaptionPush',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('language', models.CharField(max_length=35)),
                ('state', models.CharField(choices=[('due', 'to be sent'), ('removing', 'to be removed'), ('done', 'at the host'), ('failed', 'refused by the host')], default='due', max_length=16)),
                ('pushed_digest', models.CharField(blank=True, max_length=64)),
                ('attempts', models.PositiveSmallIntegerField(default=0)),
                ('due_at', models.DateTimeField(blank=True, default=django.utils.timezone.now, null=True)),
                ('last_error', models.CharField(blank=True, max_length=255)),
            ],
            options={
                'verbose_name_plural': 'caption pushes',
                'ordering': ['id'],
            },
        ),
        migrations.AddField(
            model_name='caption',
            name='video',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='captions', to='videos.video'),
        ),
        migrations.AddField(
            model_name='captionpush',
            name='asset',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='caption_pushes', to='videos.asset'),
        ),
        migrations.AddConstraint(
            model_name='caption',
            constraint=models.UniqueConstraint(fields=('video', 'language'), name='caption_once_per_language'),
        ),
        migrations.AddIndex(
            model_name='captionpush',
            index=models.Index(condition=models.Q(('due_at__isnull', False)), fields=['due_at'], name='push_due'),
        ),
        migrations.AddConstraint(
            model_name='captionpush',
            constraint=models.UniqueConstraint(fields=('asset', 'language'), name='push_once_per_asset_and_language'),
        ),
    ]
