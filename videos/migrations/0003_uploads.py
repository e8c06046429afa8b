from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('videos', '0002_tags_and_subject'),
    ]

    operations = [
        migrations.AddField(
            model_name='asset',
            name='announced_status',
            field=models.CharField(blank=True, editable=False, help_text='The settled status that listeners were last told.', max_length=16),
        ),
        migrations.AddField(
            model_name='asset',
            name='failure_code',
            field=models.CharField(blank=True, max_length=64),
        ),
        migrations.AddField(
            model_name='asset',
            name='is_next',
            field=models.BooleanField(default=False, help_text="Takes the current copy's place once it is ready."),
        ),
        migrations.AddField(
            model_name='asset',
            name='passed_over',
            field=models.JSONField(blank=True, default=list, help_text='Hosts that were asked before and could not take the file: alias and code.'),
        ),
        migrations.AddField(
            model_name='asset',
            name='progress_percent',
            field=models.PositiveSmallIntegerField(blank=True, help_text="Of the host's processing.", null=True),
        ),
        migrations.AddField(
            model_name='asset',
            name='source_name',
            field=models.CharField(blank=True, help_text='Name of the uploaded file.', max_length=255),
        ),
        migrations.AddField(
            model_name='asset',
            name='upload_expires_at',
            field=models.DateTimeField(blank=True, help_text='End of the upload ticket.', null=True),
        ),
        migrations.AddField(
            model_name='asset',
            name='uploaded_at',
            field=models.DateTimeField(blank=True, help_text='When the host first had the file.', null=True),
        ),
        migrations.AlterField(
            model_name='asset',
            name='failure_reason',
            field=models.CharField(blank=True, help_text='In words that a teacher understands.', max_length=255),
        ),
        migrations.AddIndex(
            model_name='asset',
            index=models.Index(condition=models.Q(('status', 'waiting'), ('upload_expires_at__isnull', False)), fields=['upload_expires_at'], name='asset_upload_due'),
        ),
        migrations.AddConstraint(
            model_name='asset',
            constraint=models.UniqueConstraint(condition=models.Q(('is_next', True)), fields=('video',), name='asset_one_next_per_video'),
        ),
        migrations.AddConstraint(
            model_name='asset',
            constraint=models.CheckConstraint(condition=models.Q(('is_current', True), ('is_next', True), _negated=True), name='asset_current_or_next'),
        ),
    ]
