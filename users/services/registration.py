from django.contrib.auth.hashers import make_password
from django.db import IntegrityError, transaction

from users.models import HeldUsername, User
from users.services.errors import UsernameTaken
from users.services.mails import ALREADY_REGISTERED, VERIFY_EMAIL, owe


def register_user(*, email: str, username: str, password: str, first_name: str = "", last_name: str = "") -> None:
    """Open an account and mail a verification link, or mail the owner when the address has an account already.

    Nothing comes back, since a caller must not tell the two apart. Raises `UsernameTaken`, which depends on the
    username alone: usernames are public, and one asked for with a known address is held as if it had been given.
    """
    username = User.normalize_username(username)
    if is_username_taken(username):
        raise UsernameTaken
    user = User(
        email=User.objects.normalize_email(email),
        username=username,
        password=make_password(password),
        first_name=first_name,
        last_name=last_name,
    )
    try:
        with transaction.atomic():
            user.save(force_insert=True)
            owe(VERIFY_EMAIL, user.pk)
    except IntegrityError:
        _tell_owner(email=email, username=username)


def is_username_taken(username: str, *, by_other_than: User | None = None) -> bool:
    """Whether an account has this username or holds it, whatever its case."""
    users, holds = User.objects.with_username(username), HeldUsername.objects.with_username(username)
    if by_other_than is not None:
        users, holds = users.exclude(pk=by_other_than.pk), holds.exclude(user=by_other_than)
    return users.exists() or holds.exists()


def update_profile(user: User, **changes: str) -> User:
    """Change the names or the username of an account; raises `UsernameTaken`."""
    username = changes.get("username")
    if username is not None and is_username_taken(username, by_other_than=user):
        raise UsernameTaken
    for name, value in changes.items():
        setattr(user, name, value)
    try:
        with transaction.atomic():
            user.save(update_fields=list(changes))
    except IntegrityError:
        raise UsernameTaken from None
    return user


def _tell_owner(*, email: str, username: str) -> None:
    with transaction.atomic():
        owner = User.objects.with_email(email).first()
        if owner is None:
            raise UsernameTaken
        HeldUsername.objects.bulk_create([HeldUsername(username=username, user=owner)], ignore_conflicts=True)
        owe(ALREADY_REGISTERED, owner.pk)
