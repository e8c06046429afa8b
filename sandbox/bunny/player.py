"""The player: a page behind a token with an end, and the player.js interface
(https://docs.bunny.net/stream/token-authentication, https://docs.bunny.net/stream/playback-api)."""

import hashlib
import hmac
import time
from pathlib import Path

from flask import Blueprint, Response, make_response, render_template, request, send_file

from sandbox.bunny.library import BunnySandbox, UnknownVideo, VideoStatus
from sandbox.context import SandboxContext
from sandbox.vdocipher.player import SAMPLE

STATIC = Path(__file__).parent / "static"


def create_blueprint(context: SandboxContext, bunny: BunnySandbox) -> Blueprint:
    """The pages at /bunny/embed/<library>/<video> and the script at /bunny/playerjs/."""
    blueprint = Blueprint("bunny_player", __name__, url_prefix="/bunny", template_folder="templates")

    @blueprint.get(f"/embed/{context.config.bunny_library_id}/<guid>")
    def page(guid: str) -> Response:
        refusal = _refusal(context, bunny, guid)
        video = None if refusal else bunny.find(guid)
        response = make_response(render_template("bunny_player.html", video=video, refusal=refusal))
        response.status_code = {"": 200, "not found": 404}.get(refusal, 403)
        response.headers["Cache-Control"] = "no-store"
        return response

    @blueprint.get("/embed/sample.webm")
    def sample() -> Response:
        return send_file(SAMPLE, mimetype="video/webm", conditional=True)

    @blueprint.get("/playerjs/<any('playerjs.js', 'player_page.js'):name>")
    def script(name: str) -> Response:
        return send_file(STATIC / name, mimetype="text/javascript", max_age=0)

    return blueprint


def token(key: str, guid: str, expires: str) -> str:
    return hashlib.sha256(f"{key}{guid}{expires}".encode()).hexdigest()


def _refusal(context: SandboxContext, bunny: BunnySandbox, guid: str) -> str:
    """Why this page plays nothing; empty when it does."""
    expires = request.args.get("expires", "")
    expected = token(context.config.bunny_token_key, guid, expires)
    if not hmac.compare_digest(request.args.get("token", "").encode(), expected.encode()):
        return "invalid token"
    if not expires.isdecimal() or int(expires) < time.time():
        return "expired token"
    try:
        is_playable = bunny.find(guid)["status"] == VideoStatus.FINISHED
    except UnknownVideo:
        return "not found"
    return "" if is_playable else "not ready"
