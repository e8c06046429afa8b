"""What belongs to the account and not to one video: keys, the one webhook, the plan's limits."""

import base64
import json
import secrets
import uuid
from functools import cache
from typing import Any

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.algorithms import RSAAlgorithm

from sandbox.cloudflare import clock
from sandbox.cloudflare.envelope import Refusal, bad_request, not_found
from sandbox.context import SandboxContext

KEYS = "cloudflare.keys"
ACCOUNT = "cloudflare.account"
KEYS_AT_MOST = 1000
ALLOCATED_MINUTES, QUEUED_LIMIT = 100_000, 120


class Account:
    """Signing keys, the webhook subscription and the quota, kept in the sandbox's store."""

    def __init__(self, context: SandboxContext) -> None:
        self._context = context
        self.signing_key = context.config.cloudflare_signing_jwk or key_of_this_process()

    def start(self) -> None:
        """Take up the subscription that a client made before the sandbox was last stopped."""
        known = self._context.store.get(ACCOUNT, "webhook")
        if known:
            webhooks = self._context.webhooks
            webhooks.cloudflare_url, webhooks.cloudflare_secret = known["url"], known["secret"]

    # Keys: https://developers.cloudflare.com/stream/viewing-videos/securing-your-stream/

    def create_key(self) -> dict[str, Any]:
        """A new key pair: id, pem and jwk (both base64, shown this once), created."""
        if len(self.list_keys()) >= KEYS_AT_MOST:
            raise bad_request(f"an account has at most {KEYS_AT_MOST} keys")
        private, jwk = _new_key()
        record = {"id": jwk["kid"], "created": clock.written(clock.now()), "jwk": jwk, "revoked": False}
        self._context.store.put(KEYS, jwk["kid"], record)
        pem = private.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
        )
        return {
            "id": record["id"],
            "pem": base64.b64encode(pem).decode(),
            "jwk": encoded_jwk(jwk),
            "created": record["created"],
        }

    def list_keys(self) -> list[dict[str, Any]]:
        return [{"id": key["id"], "created": key["created"]} for key in self._keys().values()]

    def revoke_key(self, key_id: str) -> None:
        """End a key and every token signed with it; raises Refusal when it is unknown."""
        key = self._keys().get(key_id)
        if key is None:
            raise not_found()
        self._context.store.put(KEYS, key_id, key | {"revoked": True})

    def public_jwk(self, key_id: str) -> dict[str, Any] | None:
        """The key that a token names, None when it is unknown or revoked."""
        key = self._keys().get(key_id)
        return {name: key["jwk"][name] for name in ("kty", "n", "e")} if key else None

    def own_jwk(self) -> dict[str, Any]:
        """The key with which the token endpoint signs."""
        return dict(json.loads(base64.b64decode(self.signing_key)))

    def _keys(self) -> dict[str, dict[str, Any]]:
        configured = self.own_jwk()
        kept = {key["id"]: key for key in self._context.store.values(KEYS)}
        first = {"id": configured["kid"], "created": clock.written(0), "jwk": configured, "revoked": False}
        return {key_id: key for key_id, key in ({first["id"]: first} | kept).items() if not key["revoked"]}

    # Webhook: https://developers.cloudflare.com/stream/manage-video-library/using-webhooks/

    def subscribe(self, url: str) -> dict[str, Any]:
        """Send hooks to this address and to no other; the secret stays until a new one is asked for."""
        webhooks = self._context.webhooks
        webhooks.cloudflare_url = url
        webhooks.cloudflare_secret = webhooks.cloudflare_secret or secrets.token_hex(16)
        self._keep_subscription()
        return self.subscription()

    def new_webhook_secret(self) -> str:
        self._context.webhooks.cloudflare_secret = secrets.token_hex(16)
        self._keep_subscription()
        return self._context.webhooks.cloudflare_secret

    def subscription(self) -> dict[str, Any]:
        """The subscription as the API shows it; raises Refusal when there is none."""
        webhooks = self._context.webhooks
        if not webhooks.cloudflare_url:
            raise not_found()
        known = self._context.store.get(ACCOUNT, "webhook") or {"modified": clock.now()}
        return {
            "notificationUrl": webhooks.cloudflare_url,
            "notification_url": webhooks.cloudflare_url,
            "modified": clock.written(known["modified"]),
            "secret": webhooks.cloudflare_secret,
        }

    def unsubscribe(self) -> None:
        self.subscription()
        self._context.webhooks.cloudflare_url = ""
        self._context.store.delete(ACCOUNT, "webhook")

    def _keep_subscription(self) -> None:
        webhooks = self._context.webhooks
        record = {"url": webhooks.cloudflare_url, "secret": webhooks.cloudflare_secret, "modified": clock.now()}
        self._context.store.put(ACCOUNT, "webhook", record)

    # Plan

    def quota(self) -> dict[str, int]:
        usual = {"allocated_minutes": ALLOCATED_MINUTES, "queued_limit": QUEUED_LIMIT}
        return usual | (self._context.store.get(ACCOUNT, "quota") or {})

    def set_quota(self, **values: int | None) -> None:
        given = {name: value for name, value in values.items() if value is not None}
        self._context.store.put(ACCOUNT, "quota", self.quota() | given)


def refuse_credentials(message: str, status: int) -> Refusal:
    return Refusal(status, 10000, message)


def encoded_jwk(jwk: dict[str, Any]) -> str:
    return base64.b64encode(json.dumps(jwk).encode()).decode()


def new_signing_key() -> str:
    """A signing key as the API gives it away once: the base64 of a private JWK that carries its id."""
    return encoded_jwk(_new_key()[1])


@cache
def key_of_this_process() -> str:
    return new_signing_key()


def _new_key() -> tuple[rsa.RSAPrivateKey, dict[str, Any]]:
    private = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    members = dict(RSAAlgorithm.to_jwk(private, as_dict=True))
    members.pop("key_ops", None)
    return private, {"use": "sig", "kty": "RSA", "kid": uuid.uuid4().hex, "alg": "RS256"} | members
