from django.contrib.auth.hashers import make_password
from django.contrib.auth.password_validation import validate_password
from django.contrib.auth.tokens import default_token_generator
from django.db import transaction
from django.utils import timezone
from django.utils.http import urlsafe_base64_decode

from users.models import User
from users.services.errors import CredentialsChanged, LinkInvalid, PasswordIncorrect
from users.services.mails import PASSWORD_CHANGED, PASSWORD_RESET, owe
from users.services.tokens import TokenPair, end_refresh_tokens, issue_tokens


def request_password_reset(*, email: str) -> None:
    """Mail a reset link to the account of this address; does and costs the same when there is none."""
    with transaction.atomic():
        owe(PASSWORD_RESET, User.objects.with_email(email).values_list("pk", flat=True).first())


def reset_password(*, uid: str, token: str, password: str) -> User:
    """Set a password by a mailed link, once; it logs out everywhere and verifies the address the link was sent to.

    Raises `LinkInvalid`, or Django's `ValidationError` for a password that is too weak.
    """
    user = _owner_of_link(uid, token)
    validate_password(password, user)
    hashed = make_password(password)
    with transaction.atomic():
        user = User.objects.select_for_update(no_key=True).get(pk=user.pk)
        if not (user.is_active and default_token_generator.check_token(user, token)):
            raise LinkInvalid
        user.email_verified_at = user.email_verified_at or timezone.now()
        _set_password(user, hashed)
    return user


def change_password(user: User, *, old_password: str, new_password: str) -> TokenPair:
    """Change the password of a signed-in user; every other log-in ends, and a new pair keeps this one.

    Raises `PasswordIncorrect`, or Django's `ValidationError` for a password that is too weak.
    """
    if not user.check_password(old_password):
        raise PasswordIncorrect
    validate_password(new_password, user)
    checked, hashed = user.password, make_password(new_password)
    with transaction.atomic():
        user = User.objects.select_for_update(no_key=True).get(pk=user.pk)
        if not user.is_active or user.password != checked:
            raise CredentialsChanged
        _set_password(user, hashed)
        return issue_tokens(user)


def _set_password(user: User, hashed: str) -> None:
    user.password = hashed
    user.save(update_fields=["password", "email_verified_at"])
    end_refresh_tokens(user)
    owe(PASSWORD_CHANGED, user.pk)


def _owner_of_link(uid: str, token: str) -> User:
    try:
        user = User.objects.filter(pk=int(urlsafe_base64_decode(uid)), is_active=True).first()
    except ValueError:
        raise LinkInvalid from None
    if user is None or not default_token_generator.check_token(user, token):
        raise LinkInvalid
    return user
