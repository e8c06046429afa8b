from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("videos", "0011_addresses_kept"),
    ]

    operations = [
        migrations.AddField(
            model_name="videoprogress",
            name="like_tallied_at",
            field=models.DateTimeField(help_text="The time of the like that the figures hold.", null=True),
        ),
    ]
