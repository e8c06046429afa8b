"""What Django fills in after every migrate, and anew after the flush that follows a test that commits."""

from typing import Any

from django.apps import apps
from django.contrib.auth.management import create_permissions
from django.contrib.auth.models import Group, Permission
from django.contrib.contenttypes.management import create_contenttypes
from django.contrib.contenttypes.models import ContentType
from django.core.management.color import no_style
from django.db import connection
from django.db.models.signals import post_migrate

from eleven_tutors.groups import give_groups_their_permissions

STANDING = (ContentType, Permission, Group, Group.permissions.through)


def copy_standing_rows() -> None:
    """Put these rows back from a copy after each flush from now on: working them out takes 20 times as long."""
    rows = {model: list(model._default_manager.all()) for model in STANDING}
    with_groups = apps.get_app_config("payments")
    parted = [
        post_migrate.disconnect(dispatch_uid="django.contrib.auth.management.create_permissions"),
        post_migrate.disconnect(create_contenttypes),
        post_migrate.disconnect(give_groups_their_permissions, sender=with_groups),
    ]
    assert all(parted), parted

    def put_back() -> None:
        ContentType.objects.clear_cache()
        for model, copies in rows.items():
            model._default_manager.bulk_create(copies)
        with connection.cursor() as cursor:
            for statement in connection.ops.sequence_reset_sql(no_style(), STANDING):
                cursor.execute(statement)

    def fill_in(sender: Any, **kwargs: Any) -> None:
        if "plan" in kwargs:  # of a migrate; a flush has none
            create_contenttypes(**kwargs)
            create_permissions(**kwargs)
            if sender is with_groups:
                give_groups_their_permissions(sender=sender, **kwargs)
        elif sender.label == ContentType._meta.app_label:
            put_back()

    post_migrate.connect(fill_in, weak=False)
