from collections.abc import Iterator
from operator import itemgetter
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from flask import Flask, Response, jsonify, render_template, request
from werkzeug.exceptions import HTTPException

from sandbox import bunny, cloudflare, control, interference, mail, stripe, vdocipher
from sandbox.bunny.library import BunnySandbox
from sandbox.calls import Calls
from sandbox.cloudflare.stand_in import CloudflareSandbox
from sandbox.context import SandboxContext
from sandbox.mail import Mailbox
from sandbox.stripe import StripeSandbox
from sandbox.vdocipher.library import Library

VIDEOS_SHOWN = 50


def create_app(
    context: SandboxContext,
    *,
    calls: Calls,
    mailbox: Mailbox,
    stripe_sandbox: StripeSandbox,
    library: Library,
    cloudflare_sandbox: CloudflareSandbox,
    bunny_sandbox: BunnySandbox,
    smtp_address: str,
) -> Flask:
    """Every stand-in, the inbox and the control page as one application."""
    app = Flask("sandbox", template_folder="templates", static_folder=None)
    interference.install(app, context, calls)
    app.register_blueprint(control.create_blueprint(context, calls))
    app.register_blueprint(mail.create_blueprint(mailbox))
    app.register_blueprint(stripe.create_blueprint(context, stripe_sandbox), url_prefix="/stripe")
    blueprints = vdocipher.create_blueprints(context, library)
    blueprints += cloudflare.create_blueprints(context, cloudflare_sandbox)
    blueprints += bunny.create_blueprints(context, bunny_sandbox)
    for blueprint in blueprints:
        app.register_blueprint(blueprint)

    @app.get("/")
    def start() -> str:
        videos = [*_videos(library, cloudflare_sandbox)]
        return render_template(
            "start.html",
            base_url=context.base_url,
            smtp_address=smtp_address,
            cloudflare_api_url=f"{context.base_url}/cloudflare/client/v4",
            cloudflare_playback_url=cloudflare_sandbox.library.playback_url,
            mail_count=len(mailbox.messages()),
            videos=sorted(videos, key=itemgetter("at"), reverse=True)[:VIDEOS_SHOWN],
            video_count=len(videos),
        )

    @app.get("/favicon.ico")
    def no_icon() -> tuple[str, int]:
        return "", 204

    @app.errorhandler(HTTPException)
    def explain(error: HTTPException) -> HTTPException | tuple[Response, int]:
        if interference.api_service(request.path) is None:
            return error
        return jsonify({"message": error.name}), error.code or 500

    app.wsgi_app = stripe.served_at_root(app.wsgi_app)  # type: ignore[method-assign]
    return app


def _videos(library: Library, cloudflare_sandbox: CloudflareSandbox) -> Iterator[dict[str, Any]]:
    """What the start page says of each video at either host."""
    for video in library.newest_first():
        yield {
            "host": "VdoCipher",
            "title": video["title"],
            "id": video["id"],
            "status": video["status"],
            "at": video["upload_time"],
        }
    for video in cloudflare_sandbox.library.oldest_first():
        status = cloudflare_sandbox.library.shown(video)["status"]
        yield {
            "host": "Cloudflare Stream",
            "title": video["meta"].get("name", ""),
            "id": video["uid"],
            "status": " ".join(filter(None, (status["state"], status["errorReasonCode"]))),
            "at": video["created"],
        }


def secrets_of(context: SandboxContext) -> Iterator[str]:
    """What the log of calls must never show."""
    config = context.config
    yield from (config.stripe_secret_key, config.vdocipher_api_secret, config.stripe_webhook_secret)
    yield from (config.cloudflare_api_token, config.cloudflare_webhook_secret)
    yield from (config.bunny_api_key, config.bunny_token_key, config.bunny_read_only_key)
    yield from (context.webhooks.stripe_secret, context.webhooks.cloudflare_secret)
    yield from (value for _, value in parse_qsl(urlsplit(context.webhooks.vdocipher_url).query))
