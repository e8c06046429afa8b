import hashlib
import hmac
import time


def signature_header(payload: bytes, secret: str) -> str:
    """The `Stripe-Signature` of a payload sent now: https://docs.stripe.com/webhooks#verify-manually"""
    timestamp = int(time.time())
    digest = hmac.new(secret.encode(), f"{timestamp}.".encode() + payload, hashlib.sha256).hexdigest()
    return f"t={timestamp},v1={digest}"
