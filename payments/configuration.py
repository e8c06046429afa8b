"""Whether the payment settings may be used as they are; asked at start-up by `checks` and at use by `stripe`."""

from dataclasses import dataclass
from urllib.parse import urlsplit

from django.conf import settings

STRIPE_HOST = "api.stripe.com"
SANDBOX_KEY_PREFIX = "sk_test_sandbox_"
LIVE_KEY_PREFIXES = ("sk_live_", "rk_live_")
# Stripe takes 30 minutes to 24 hours; a minute at each end is left for clocks that differ:
# https://docs.stripe.com/api/checkout/sessions/create#create_checkout_session-expires_at
CHECKOUT_MINUTES = range(31, 24 * 60)
POLICIES = {
    "PAYMENTS_DOUBLE_PAYMENT": ("refund", "flag"),
    "PAYMENTS_DISPUTE_OPENED": ("suspend", "flag"),
    "PAYMENTS_DISPUTE_WON": ("restore", "flag"),
    "PAYMENTS_DISPUTE_LOST": ("revoke", "flag"),
}
_LOOPBACK = ("127.0.0.1", "localhost", "::1")


@dataclass(frozen=True)
class Problem:
    """A setting that makes payments unsafe (`forbids_use`) or incomplete."""

    id: str
    message: str
    hint: str
    forbids_use: bool


def is_enabled() -> bool:
    return bool(settings.STRIPE_SECRET_KEY)


def is_live() -> bool:
    return settings.STRIPE_SECRET_KEY.startswith(LIVE_KEY_PREFIXES)


def webhook_secrets() -> list[str]:
    """The signing secrets accepted now, several while one is being replaced; an empty one never counts."""
    return [secret for secret in settings.STRIPE_WEBHOOK_SECRETS if secret.strip()]


def problems() -> list[Problem]:
    """Everything that is wrong with the payment settings; nothing while payments are off."""
    if not is_enabled():
        return []
    found = []
    if not webhook_secrets():
        found.append(
            Problem(
                "payments.E001",
                "STRIPE_SECRET_KEY is set, but STRIPE_WEBHOOK_SECRET is empty: paid orders would not be noticed.",
                "Set STRIPE_WEBHOOK_SECRET to the signing secret of the webhook endpoint.",
                forbids_use=False,
            )
        )
    if is_live() and settings.DEBUG:
        found.append(
            Problem(
                "payments.E002",
                "STRIPE_SECRET_KEY is a live key while DEBUG is on.",
                "Use a test key (sk_test_…) for development, or turn DEBUG off.",
                forbids_use=True,
            )
        )
    if not _is_safe_api_base():
        found.append(
            Problem(
                "payments.E003",
                f"STRIPE_API_BASE leads away from {STRIPE_HOST}.",
                f"A stand-in must be on loopback, and STRIPE_SECRET_KEY must begin with {SANDBOX_KEY_PREFIX}.",
                forbids_use=True,
            )
        )
    if settings.PAYMENTS_CHECKOUT_MINUTES not in CHECKOUT_MINUTES:
        found.append(
            Problem(
                "payments.E004",
                f"PAYMENTS_CHECKOUT_MINUTES is {settings.PAYMENTS_CHECKOUT_MINUTES}: Stripe would refuse every order.",
                f"Set it to {CHECKOUT_MINUTES[0]} at least and {CHECKOUT_MINUTES[-1]} at most.",
                forbids_use=False,
            )
        )
    if settings.PAYMENTS_EVENTS_KEPT_DAYS < 1:
        found.append(
            Problem(
                "payments.E006",
                f"PAYMENTS_EVENTS_KEPT_DAYS is {settings.PAYMENTS_EVENTS_KEPT_DAYS}: no event would be known again.",
                "Set it to 1 at least; Stripe sends an event again for up to 30 days.",
                forbids_use=False,
            )
        )
    return found + _unknown_policies()


def _unknown_policies() -> list[Problem]:
    return [
        Problem(
            "payments.E005",
            f"{name} is {getattr(settings, name)!r}, which is no policy.",
            f"Set it to {' or '.join(known)}.",
            forbids_use=True,
        )
        for name, known in POLICIES.items()
        if getattr(settings, name) not in known
    ]


def _is_safe_api_base() -> bool:
    try:
        base = urlsplit(settings.STRIPE_API_BASE)
        host = base.hostname
    except ValueError:
        return False
    if host == STRIPE_HOST:
        return base.scheme == "https" and not settings.STRIPE_SECRET_KEY.startswith(SANDBOX_KEY_PREFIX)
    return host in _LOOPBACK and settings.STRIPE_SECRET_KEY.startswith(SANDBOX_KEY_PREFIX)
