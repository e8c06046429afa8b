from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from flask import Blueprint, Response, jsonify, make_response, render_template, request, send_file

from sandbox.context import SandboxContext
from sandbox.vdocipher import otp
from sandbox.vdocipher.api import meta_of
from sandbox.vdocipher.library import Library

Answer = Response | tuple[Response, int]

STATIC = Path(__file__).parent / "static"
SAMPLE = STATIC / "sample.webm"
SAMPLE_KB = SAMPLE.stat().st_size // 1000


def create_blueprint(context: SandboxContext, library: Library) -> Blueprint:
    """The player page, its script interface, and the pictures and the clip it shows."""
    blueprint = Blueprint("vdocipher_player", __name__, url_prefix="/vdocipher", template_folder="templates")

    @blueprint.get("/player/v2/")
    def page() -> Response:
        viewing: dict[str, Any] | None = None
        error: dict[str, Any] | None = None
        if request.method == "GET":
            try:
                viewing = _redeem(context, library, request.args, _host(request.referrer))
            except otp.LicenceError as refusal:
                error = {"code": refusal.code, "text": refusal.text}
        options = {name: request.args.get(name, "") for name in ("autoplay", "controls", "loop")}
        # Embedded it waits for autoplay=true, as the real player does; opened by itself, somebody came to see it play.
        if request.headers.get("Sec-Fetch-Dest") == "document":
            options["autoplay"] = options["autoplay"] or "true"
        html = render_template("player.html", viewing=viewing, error=error, options=options)
        response = make_response(html, 403 if error else 200)
        return _never_stored(response)

    @blueprint.post("/player/v2/licence")
    def licence() -> Answer:
        """For `loadVideo`: a new video in a page that is already open."""
        body = request.get_json(force=True, silent=True)
        values = body if isinstance(body, dict) else {}
        try:
            viewing = _redeem(context, library, values, _host(values.get("referrer")))
        except otp.LicenceError as refusal:
            return _never_stored(jsonify({"code": refusal.code, "text": refusal.text})), 403
        return _never_stored(jsonify(viewing))

    @blueprint.get("/player/v2/api.js")
    def script() -> Response:
        response = send_file(STATIC / "api.js", mimetype="text/javascript", max_age=0)
        response.headers["Access-Control-Allow-Origin"] = "*"
        return response

    @blueprint.get("/player/v2/player_page.js")
    def page_script() -> Response:
        return send_file(STATIC / "player_page.js", mimetype="text/javascript", max_age=0)

    @blueprint.get("/player/v2/sample.webm")
    def sample() -> Response:
        return send_file(SAMPLE, mimetype="video/webm", conditional=True)

    @blueprint.get("/posters/<name>")
    def poster(name: str) -> Response:
        return send_file(STATIC / "poster.jpeg", mimetype="image/jpeg")

    return blueprint


def _redeem(context: SandboxContext, library: Library, values: Any, referrer_host: str) -> dict[str, Any]:
    one_time, info = str(values.get("otp") or ""), str(values.get("playbackInfo") or "")
    result = otp.redeem(library, one_time, info, referrer_host=referrer_host, address=request.remote_addr or "")
    library.count_usage(result["video"]["id"], SAMPLE_KB)
    return {"meta": meta_of(context, result["video"]), "watermark": result["watermark"]}


def _host(referrer: Any) -> str:
    return urlsplit(referrer).hostname or "" if isinstance(referrer, str) else ""


def _never_stored(response: Response) -> Response:
    response.headers["Cache-Control"] = "no-store"
    return response
