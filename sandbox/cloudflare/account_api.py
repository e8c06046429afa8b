from urllib.parse import urlsplit

from flask import Blueprint, Response, request

from sandbox.cloudflare.envelope import bad_request, json_body, ok
from sandbox.cloudflare.stand_in import CloudflareSandbox

STREAM = "/accounts/<account_id>/stream"


def add_routes(blueprint: Blueprint, cloudflare: CloudflareSandbox) -> None:
    """Signing keys, the webhook and the storage in use."""
    account, library = cloudflare.account, cloudflare.library

    @blueprint.post(f"{STREAM}/keys")
    def create_key() -> Response:
        return ok(account.create_key())

    @blueprint.get(f"{STREAM}/keys")
    def list_keys() -> Response:
        return ok(account.list_keys())

    @blueprint.delete(f"{STREAM}/keys/<key_id>")
    def revoke_key(key_id: str) -> Response:
        account.revoke_key(key_id)
        return ok("Revoked")

    @blueprint.put(f"{STREAM}/webhook")
    def subscribe() -> Response:
        body = json_body()
        url = body.get("notificationUrl") or body.get("notification_url")
        if not isinstance(url, str) or urlsplit(url).scheme not in ("http", "https") or not urlsplit(url).netloc:
            raise bad_request("notificationUrl must be a http or https address")
        return ok(account.subscribe(url))

    @blueprint.get(f"{STREAM}/webhook")
    def subscription() -> Response:
        return ok(account.subscription())

    @blueprint.delete(f"{STREAM}/webhook")
    def unsubscribe() -> Response:
        account.unsubscribe()
        return ok("")

    @blueprint.get(f"{STREAM}/storage-usage")
    def storage_usage() -> Response:
        creator = request.args.get("creator") or None
        videos = [video for video in library.oldest_first() if creator in (None, video["creator"])]
        usage = {
            "totalStorageMinutes": round(library.minutes_used(creator)),
            "totalStorageMinutesLimit": account.quota()["allocated_minutes"],
            "videoCount": len(videos),
        }
        return ok(usage | ({"creator": creator} if creator else {}))
