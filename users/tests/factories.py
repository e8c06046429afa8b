import itertools
from typing import Any

from django.utils import timezone
from rest_framework.test import APIClient
from rest_framework_simplejwt.tokens import RefreshToken

from users.models import User

PASSWORD = "correct horse battery"
_numbers = itertools.count(1)


def make_user(**overrides: Any) -> User:
    """A user with the password `PASSWORD` and a verified address, unless `email_verified_at=None` is passed."""
    number = next(_numbers)
    values = {
        "email": f"student{number}@example.test",
        "username": f"student{number}",
        "password": PASSWORD,
        "email_verified_at": timezone.now(),
    } | overrides
    return User.objects.create_user(**values)


def auth_client(user: User) -> APIClient:
    """A client that sends a real bearer token of this user."""
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {RefreshToken.for_user(user).access_token}")
    return client
