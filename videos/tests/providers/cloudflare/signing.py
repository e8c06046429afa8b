import time

from conftest import CLOUDFLARE_WEBHOOK_SECRET
from sandbox.cloudflare import hooks
from videos.tests.providers.contract_webhooks import Hook


def signed(body, *, secret=CLOUDFLARE_WEBHOOK_SECRET, at=None):
    """A hook as the host signs it, now unless told otherwise."""
    at = time.time() if at is None else at
    return Hook(body=body, headers={"Webhook-Signature": hooks.signature_header(secret, body, int(at))})
