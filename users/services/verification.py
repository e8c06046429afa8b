from django.db import transaction
from django.utils import timezone

from users.models import User
from users.services.errors import LinkUsed
from users.services.links import read_verification_token, verification_token
from users.services.mails import VERIFY_EMAIL, owe

__all__ = ["send_verification", "verification_token", "verify_email"]


def send_verification(*, email: str) -> None:
    """Mail a fresh link to the unverified account of this address; links sent before stay good until one is used.

    Does and costs the same when there is no such account.
    """
    with transaction.atomic():
        owe(VERIFY_EMAIL, User.objects.with_email(email).values_list("pk", flat=True).first())


def verify_email(*, token: str) -> User:
    """Verify the address that the token was sent to, once: raises `LinkUsed`, `LinkExpired` or `LinkInvalid`."""
    user = read_verification_token(token)
    verified = User.objects.filter(pk=user.pk, email=user.email, email_verified_at=None, is_active=True).update(
        email_verified_at=timezone.now()
    )
    if not verified:
        raise LinkUsed
    user.refresh_from_db()
    return user
