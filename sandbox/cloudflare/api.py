"""Cloudflare Stream's API, with the answers its clients see (https://developers.cloudflare.com/api/resources/stream/)."""

import hmac
from typing import Any

from flask import Blueprint, Response, g, request

from sandbox.cloudflare import account_api, analytics, captions, creation, editing, listing, tokens, tus
from sandbox.cloudflare.envelope import AUTHENTICATION, Refusal, field, json_body, ok
from sandbox.cloudflare.stand_in import CloudflareSandbox
from sandbox.context import SandboxContext

STREAM = "/accounts/<account_id>/stream"


def create_blueprint(context: SandboxContext, cloudflare: CloudflareSandbox) -> Blueprint:
    """The API at /cloudflare/client/v4."""
    blueprint = Blueprint("cloudflare_api", __name__, url_prefix="/cloudflare/client/v4")

    @blueprint.url_value_preprocessor
    def take_account(endpoint: str | None, values: dict[str, Any] | None) -> None:
        g.cloudflare_account = values.pop("account_id", None) if values else None

    @blueprint.before_request
    def authenticate() -> None:
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        if scheme != "Bearer" or not token.strip():
            raise Refusal(401, AUTHENTICATION, "Authentication error")
        if not hmac.compare_digest(token.strip().encode(), context.config.cloudflare_api_token.encode()):
            raise Refusal(403, AUTHENTICATION, "Authentication error")
        if g.cloudflare_account not in (None, context.config.cloudflare_account_id):
            raise Refusal(403, AUTHENTICATION, "Authentication error")

    @blueprint.errorhandler(Refusal)
    def refuse(error: Refusal) -> Response:
        return error.answer()

    analytics.add_routes(blueprint, context)
    account_api.add_routes(blueprint, cloudflare)
    creation.add_routes(blueprint, context, cloudflare)
    captions.add_routes(blueprint, cloudflare)
    tus.add_server_routes(blueprint, cloudflare)
    _add_video_routes(blueprint, cloudflare)
    return blueprint


def _add_video_routes(blueprint: Blueprint, cloudflare: CloudflareSandbox) -> None:
    library = cloudflare.library

    @blueprint.get(STREAM)
    def list_videos() -> Response:
        videos = listing.filtered(library.oldest_first(), request.args)
        counts = {}
        if request.args.get("include_counts") == "true":
            counts = {"total": len(library.oldest_first()), "range": len(videos)}
        page = videos[: listing.limit(request.args)]
        return ok([library.shown(video) for video in page], **counts)

    @blueprint.get(f"{STREAM}/<uid>")
    def retrieve(uid: str) -> Response:
        return ok(library.shown(library.find(uid)))

    @blueprint.post(f"{STREAM}/<uid>")
    def edit(uid: str) -> Response:
        library.find(uid)
        return ok(library.shown(library.change(uid, **editing.changes(json_body()))))

    @blueprint.delete(f"{STREAM}/<uid>")
    def delete(uid: str) -> Response:
        library.delete(uid)
        return Response(status=200)

    @blueprint.get(f"{STREAM}/<uid>/embed")
    def embed(uid: str) -> Response:
        library.find(uid)
        address = f"{library.playback_url}/{uid}/iframe"
        allowed = "accelerometer; gyroscope; autoplay; encrypted-media; picture-in-picture;"
        return Response(f'<iframe src="{address}" allow="{allowed}" allowfullscreen></iframe>', mimetype="text/html")

    @blueprint.post(f"{STREAM}/<uid>/token")
    def issue_token(uid: str) -> Response:
        library.find(uid)
        body = json_body(required=False)
        field(body, "accessRules", list)
        return ok({"token": tokens.issue(cloudflare.account, uid, body)})
