import hashlib
import hmac
import time


def signature_header(payload: bytes, secret: str, *, at: int | None = None) -> str:
    """The `Stripe-Signature` of a payload: https://docs.stripe.com/webhooks#verify-manually"""
    timestamp = int(time.time()) if at is None else at
    digest = hmac.new(secret.encode(), f"{timestamp}.".encode() + payload, hashlib.sha256).hexdigest()
    return f"t={timestamp},v1={digest}"
