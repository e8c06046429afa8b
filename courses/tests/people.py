"""Accounts that are more than a student."""

from django.contrib.auth.models import Group

from users.models import User
from users.tests.factories import make_user


def make_staff(**overrides) -> User:
    """Somebody who runs the platform without being a superuser."""
    user = make_user(**{"is_staff": True} | overrides)
    user.groups.add(Group.objects.get(name="Staff"))
    return user


def make_instructor(**overrides) -> User:
    """Somebody who may enter the admin to work on their own courses."""
    user = make_user(**{"is_staff": True} | overrides)
    user.groups.add(Group.objects.get(name="Instructors"))
    return user
