"""What viewers load: the player page, manifests, pictures and the file, each behind the same door
(https://developers.cloudflare.com/stream/viewing-videos/)."""

from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from flask import Blueprint, Response, make_response, render_template, request, send_file

from sandbox.cloudflare import analytics, captions, media, pictures, tokens
from sandbox.cloudflare.envelope import Refusal
from sandbox.cloudflare.stand_in import CloudflareSandbox
from sandbox.cloudflare.video import ERROR, READY
from sandbox.context import SandboxContext

STATIC = Path(__file__).parent / "static"
MOST_SECONDS_PER_REPORT = 120


class RefusedPlayback(Exception):
    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status


def create_blueprint(context: SandboxContext, cloudflare: CloudflareSandbox) -> Blueprint:
    """Playback at /cloudflare/customer-<code>/, and the player's script."""
    blueprint = Blueprint("cloudflare_playback", __name__, url_prefix="/cloudflare", template_folder="templates")
    at = f"/customer-{context.config.cloudflare_customer_code}/<reference>"

    def opened(reference: str) -> dict[str, Any]:
        """The ready video that a uid or a token names, for this viewer on this page; raises RefusedPlayback."""
        video = _named(cloudflare, reference)
        _check_origin(context, video)
        if video["state"] == ERROR:
            raise RefusedPlayback(424, "This video could not be processed.")
        if video["state"] != READY:
            raise RefusedPlayback(404, "This video is not ready yet.")
        return video

    @blueprint.get(f"{at}/iframe")
    @blueprint.get(f"{at}/watch")
    def page(reference: str) -> Response:
        try:
            video, refusal = opened(reference), None
        except RefusedPlayback as error:
            video, refusal = None, error
        options = {name: request.args.get(name, "") for name in ("autoplay", "muted", "loop", "controls", "poster")}
        options["start_time"] = pictures.seconds_of(request.args.get("startTime", ""))
        tracks = (
            [captions.shown(caption) for caption in captions.of_video(context.store, video["uid"])] if video else []
        )
        html = render_template("cloudflare_player.html", video=video, refusal=refusal, options=options, tracks=tracks)
        return make_response(html, refusal.status if refusal else 200)

    @blueprint.get(f"{at}/video")
    def file(reference: str) -> Response:
        video = opened(reference)
        path = cloudflare.library.file_of(video["uid"])
        if video["content_type"] and path.exists():
            return send_file(path.absolute(), mimetype=video["content_type"], conditional=True)
        return send_file(media.SAMPLE, mimetype="video/webm", conditional=True)

    @blueprint.get(f"{at}/manifest/video.m3u8")
    def hls(reference: str) -> Response:
        opened(reference)
        return Response(_text("sample.m3u8"), content_type="application/vnd.apple.mpegurl")

    @blueprint.get(f"{at}/manifest/video.mpd")
    def dash(reference: str) -> Response:
        opened(reference)
        return Response(_text("sample.mpd"), content_type="application/dash+xml")

    @blueprint.get(f"{at}/manifest/sample.mp4")
    def segment(reference: str) -> Response:
        opened(reference)
        return send_file(STATIC / "sample.mp4", mimetype="video/mp4", conditional=True)

    @blueprint.get(f"{at}/thumbnails/thumbnail.<kind>")
    def thumbnail(reference: str, kind: str) -> Response:
        video = opened(reference)
        if kind not in ("jpg", "gif"):
            raise RefusedPlayback(404, "Thumbnails are jpg or gif.")
        body = pictures.thumbnail(video, request.args, kind)
        return Response(body, content_type="image/jpeg" if kind == "jpg" else "image/gif")

    @blueprint.get(f"{at}/captions/<language>")
    def track(reference: str, language: str) -> Response:
        for caption in captions.of_video(context.store, opened(reference)["uid"]):
            if caption["language"] == language:
                return Response(caption["vtt"], content_type="text/vtt; charset=utf-8")
        raise RefusedPlayback(404, "There are no such captions.")

    @blueprint.post(f"{at}/played")
    def played(reference: str) -> Response:
        """The player page tells how many seconds it delivered."""
        seconds = min(float(pictures.seconds_of(request.get_data(as_text=True)[:20])), MOST_SECONDS_PER_REPORT)
        analytics.count(context.store, opened(reference)["uid"], seconds / 60, date=None, country="US")
        return Response(status=204)

    @blueprint.get("/embed/<any('sdk.latest.js', 'player_page.js'):name>")
    def script(name: str) -> Response:
        return send_file(STATIC / name, mimetype="text/javascript", max_age=0)

    @blueprint.errorhandler(RefusedPlayback)
    def refuse(error: RefusedPlayback) -> Response:
        return Response(str(error), status=error.status, content_type="text/plain; charset=utf-8")

    @blueprint.after_request
    def open_to_browsers(response: Response) -> Response:
        response.headers["Access-Control-Allow-Origin"] = "*"
        if not request.path.startswith("/cloudflare/embed/"):
            response.headers["Cache-Control"] = "no-store"
        return response

    return blueprint


def _named(cloudflare: CloudflareSandbox, reference: str) -> dict[str, Any]:
    uid = reference
    if tokens.is_token(reference):
        try:
            uid = tokens.open_token(cloudflare.account, reference, request.remote_addr or "")
        except tokens.RefusedToken as error:
            raise RefusedPlayback(error.status, str(error)) from error
    try:
        video = cloudflare.library.find(uid)
    except Refusal as error:
        raise RefusedPlayback(404, "There is no such video.") from error
    if video["require_signed"] and uid == reference:
        raise RefusedPlayback(401, "This video needs a signed token.")
    return video


def _check_origin(context: SandboxContext, video: dict[str, Any]) -> None:
    """The embedding page must be on the video's list, when it has one; the player's own page may load the rest."""
    if not video["allowed_origins"]:
        return
    referrer = urlsplit(request.referrer or "")
    if referrer.netloc == urlsplit(context.base_url).netloc and not request.path.endswith("/iframe"):
        return
    if not any(_covers(origin, referrer.netloc, referrer.hostname or "") for origin in video["allowed_origins"]):
        raise RefusedPlayback(403, "This page may not show the video.")


def _covers(allowed: str, netloc: str, hostname: str) -> bool:
    """`*.a.com` leaves out `a.com`; a port that is named must be the page's."""
    return fnmatchcase(netloc if ":" in allowed or hostname == "localhost" else hostname, allowed)


def _text(name: str) -> str:
    return (STATIC / name).read_text(encoding="utf-8")
