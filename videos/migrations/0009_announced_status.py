from django.db import migrations


def take_as_announced(apps, schema_editor):
    """Listeners were told of these before this was noted, so that nobody is told again."""
    assets = apps.get_model("videos", "Asset").objects.using(schema_editor.connection.alias)
    for status in ("ready", "failed"):
        assets.filter(status=status, announced_status="").update(announced_status=status)


class Migration(migrations.Migration):
    dependencies = [("videos", "0008_unusual_use")]

    operations = [migrations.RunPython(take_as_announced, migrations.RunPython.noop, elidable=True)]
