"""What each mail of this app says, worded when it is sent: links are signed then, and stored nowhere."""

import uuid
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.contrib.auth.tokens import default_token_generator
from django.utils.encoding import force_bytes
from django.utils.http import urlsafe_base64_encode

from mailing.models import OutgoingMail
from mailing.services import Message, queue_mail, register
from users.models import User
from users.services.links import verification_token

VERIFY_EMAIL = "users.verify_email"
ALREADY_REGISTERED = "users.already_registered"
PASSWORD_RESET = "users.password_reset"  # noqa: S105
PASSWORD_CHANGED = "users.password_changed"  # noqa: S105


def owe(kind: str, user_id: int | None) -> OutgoingMail:
    """Owe the user one more mail of this kind; without a user the row is written all the same and says nothing.

    So a request for an unknown address costs what one for a known address costs.
    """
    return queue_mail(kind=kind, key=uuid.uuid4().hex, reference={"user_id": user_id})


def register_mails() -> None:
    register(VERIFY_EMAIL, verify_email)
    register(ALREADY_REGISTERED, already_registered)
    register(PASSWORD_RESET, password_reset)
    register(PASSWORD_CHANGED, password_changed)


def verify_email(reference: dict[str, Any]) -> Message | None:
    user = _recipient(reference)
    if user is None or user.is_email_verified:
        return None
    return Message(
        to=user.email,
        subject="Confirm your e-mail address",
        template="mail/verify_email",
        context={
            "link": _page("verify-email", token=verification_token(user)),
            "hours": settings.EMAIL_VERIFICATION_MAX_AGE_S // 3600,
        },
    )


def already_registered(reference: dict[str, Any]) -> Message | None:
    """For an address that was never verified the mail carries a reset link.

    Whoever made that account need not own the address; the owner takes it over by setting a password.
    """
    user = _recipient(reference)
    if user is None:
        return None
    return Message(
        to=user.email,
        subject="You already have an account",
        template="mail/already_registered",
        context={
            "is_verified": user.is_email_verified,
            "login_link": _page("login"),
            "reset_link": _page("reset-password") if user.is_email_verified else _reset_link(user),
            "minutes": settings.PASSWORD_RESET_TIMEOUT // 60,
        },
    )


def password_reset(reference: dict[str, Any]) -> Message | None:
    user = _recipient(reference)
    if user is None:
        return None
    return Message(
        to=user.email,
        subject="Set a new password",
        template="mail/password_reset",
        context={"link": _reset_link(user), "minutes": settings.PASSWORD_RESET_TIMEOUT // 60},
    )


def password_changed(reference: dict[str, Any]) -> Message | None:
    user = _recipient(reference)
    if user is None:
        return None
    return Message(
        to=user.email,
        subject="Your password was changed",
        template="mail/password_changed",
        context={"link": _page("reset-password")},
    )


def _recipient(reference: dict[str, Any]) -> User | None:
    return User.objects.filter(pk=reference["user_id"], is_active=True).first()


def _reset_link(user: User) -> str:
    uid = urlsafe_base64_encode(force_bytes(user.pk))
    return _page("reset-password", uid=uid, token=default_token_generator.make_token(user))


def _page(path: str, **query: str) -> str:
    return f"{settings.FRONTEND_URL}/{path}" + (f"?{urlencode(query)}" if query else "")
