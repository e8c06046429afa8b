import django.db.models.deletion
import django.db.models.functions.text
from django.db import migrations, models


def open_to_nobody_without_a_tier(apps, schema_editor):
    """A video for a tier that names none was open to nobody: `entitled` says so."""
    apps.get_model('videos', 'Video').objects.filter(access_level='tier', required_tier='').update(
        access_level='entitled'
    )


class Migration(migrations.Migration):

    dependencies = [
        ('contenttypes', '0002_remove_content_type_name'),
        ('videos', '0001_initial'),
    ]

    operations = [
        migrations.RunPython(open_to_nobody_without_a_tier, migrations.RunPython.noop, elidable=True),
        migrations.CreateModel(
            name='Tag',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.SlugField(unique=True)),
            ],
            options={
                'ordering': ['name'],
            },
        ),
        migrations.AddField(
            model_name='video',
            name='caption_tracks',
            field=models.JSONField(blank=True, default=list, editable=False, help_text='Languages and labels of the captions.'),
        ),
        migrations.AddField(
            model_name='video',
            name='metadata',
            field=models.JSONField(blank=True, default=dict, help_text='Whatever the host project keeps with a video.'),
        ),
        migrations.AddField(
            model_name='video',
            name='subject_id',
            field=models.CharField(blank=True, help_text='Key of the object that this video belongs to.', max_length=64),
        ),
        migrations.AddField(
            model_name='video',
            name='subject_type',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='contenttypes.contenttype'),
        ),
        migrations.AddConstraint(
            model_name='tag',
            constraint=models.CheckConstraint(condition=models.Q(('name', django.db.models.functions.text.Lower('name'))), name='tag_lower_case'),
        ),
        migrations.AddField(
            model_name='video',
            name='tags',
            field=models.ManyToManyField(blank=True, related_name='videos', to='videos.tag'),
        ),
        migrations.AddIndex(
            model_name='video',
            index=models.Index(fields=['subject_type', 'subject_id'], name='video_by_subject'),
        ),
        migrations.AddConstraint(
            model_name='video',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('access_level', 'tier'), _negated=True), models.Q(('required_tier', ''), _negated=True), _connector='OR'), name='video_tier_level_names_a_tier'),
        ),
    ]
