from django.conf import settings
from django.core import signing
from django.utils.crypto import constant_time_compare, salted_hmac

from users.models import User
from users.services.errors import LinkExpired, LinkInvalid

_SALT = "users.verify-email"


def verification_token(user: User) -> str:
    """A signed token that proves, for `EMAIL_VERIFICATION_MAX_AGE_S`, that this user reads this very address."""
    return signing.dumps({"user": user.pk, "address": _fingerprint(user.email)}, salt=_SALT)


def read_verification_token(token: str) -> User:
    """The user of a token; raises `LinkExpired` or `LinkInvalid`, the latter too when the address has changed."""
    try:
        claims = signing.loads(token, salt=_SALT, max_age=settings.EMAIL_VERIFICATION_MAX_AGE_S)
    except signing.SignatureExpired:
        raise LinkExpired from None
    except signing.BadSignature:
        raise LinkInvalid from None
    user = User.objects.filter(pk=claims["user"], is_active=True).first()
    if user is None or not constant_time_compare(claims["address"], _fingerprint(user.email)):
        raise LinkInvalid
    return user


def _fingerprint(email: str) -> str:
    return salted_hmac(_SALT, email, algorithm="sha256").hexdigest()[:32]
