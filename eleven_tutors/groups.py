"""The two groups of people who work in the admin, and what each may do there."""

from typing import Any

from django.contrib.auth.models import Group, Permission

INSTRUCTORS, STAFF = "Instructors", "Staff"

_PERMISSIONS: dict[str, dict[str, list[str] | None]] = {
    INSTRUCTORS: {
        "courses": [
            "view_university",
            "view_course",
            "change_course",
            *(f"{verb}_{name}" for verb in ("view", "add", "change", "delete") for name in ("part", "lesson")),
            *(f"{verb}_lessonresource" for verb in ("view", "add", "change", "delete")),
            *(f"{verb}_courseupdate" for verb in ("view", "add", "change", "delete")),
            "view_enrollment",
        ],
        "videos": [
            "view_video",
            "add_video",
            "change_video",
            "view_asset",
            "view_playbacksession",
            *(f"{verb}_caption" for verb in ("view", "add", "change", "delete")),
        ],
    },
    STAFF: {
        "courses": None,
        "videos": None,
        "payments": None,
        "mailing": None,
        "users": ["view_user", "add_user", "change_user"],
    },
}


def give_groups_their_permissions(**kwargs: Any) -> None:
    """Let both groups exist with at least these permissions (None: all of the app); runs after every migrate."""
    for group_name, apps in _PERMISSIONS.items():
        group, _ = Group.objects.get_or_create(name=group_name)
        for app_label, codenames in apps.items():
            permissions = Permission.objects.filter(content_type__app_label=app_label)
            group.permissions.add(*(permissions if codenames is None else permissions.filter(codename__in=codenames)))
