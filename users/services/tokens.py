from dataclasses import dataclass, field

from django.core.management import call_command
from django.db import transaction
from django.utils import timezone
from rest_framework_simplejwt.exceptions import TokenError
from rest_framework_simplejwt.token_blacklist.models import BlacklistedToken, OutstandingToken
from rest_framework_simplejwt.tokens import RefreshToken

from users.models import User
from users.services.attempts import flush_attempts
from users.services.errors import CredentialsChanged


@dataclass(frozen=True, kw_only=True)
class TokenPair:
    """An access token (15 minutes) and the refresh token (14 days, once) that renews it."""

    access: str = field(repr=False)
    refresh: str = field(repr=False)


def issue_tokens(user: User) -> TokenPair:
    """A new pair for a user whose password was just checked.

    The account is locked and compared, so that a password change in between ends this log-in as well: raises
    `CredentialsChanged`.
    """
    with transaction.atomic():
        locked = User.objects.select_for_update(no_key=True).filter(pk=user.pk, password=user.password, is_active=True)
        if locked.first() is None:
            raise CredentialsChanged
        return _pair(user)


def rotate_refresh_token(raw: str) -> TokenPair:
    """Trade a refresh token for a new pair, once: of two callers with the same token one wins.

    Raises simplejwt's `TokenError` for a token that is forged, expired, used, or of a closed account.
    """
    token = RefreshToken(raw)  # type: ignore[arg-type]
    with transaction.atomic():
        user = User.objects.select_for_update(no_key=True).filter(pk=token["user_id"], is_active=True).first()
        if user is None:
            raise TokenError("Token is of an account that is closed")
        token.check_blacklist()
        token.blacklist()
        return _pair(user)


def end_refresh_token(raw: str) -> None:
    """Log out: the refresh token works no more. Raises simplejwt's `TokenError` when it did not work before."""
    RefreshToken(raw).blacklist()  # type: ignore[arg-type]


def end_refresh_tokens(user: User) -> int:
    """Log the user out everywhere; gives the number of refresh tokens ended. Access tokens live to their own end.

    The account is locked, so that a token traded in at the same moment leaves no successor behind.
    """
    with transaction.atomic():
        User.objects.select_for_update(no_key=True).get(pk=user.pk)
        open_tokens = OutstandingToken.objects.filter(user=user, blacklistedtoken=None, expires_at__gt=timezone.now())
        ended = BlacklistedToken.objects.bulk_create(
            [BlacklistedToken(token=token) for token in open_tokens], ignore_conflicts=True
        )
    return len(ended)


def flush_expired_tokens() -> None:
    """Delete refresh tokens past their end, and counts of attempts whose window is over."""
    call_command("flushexpiredtokens")
    flush_attempts()


def _pair(user: User) -> TokenPair:
    refresh = RefreshToken.for_user(user)
    return TokenPair(access=str(refresh.access_token), refresh=str(refresh))
