"""Captions: one WebVTT file per language, once the video is ready
(https://developers.cloudflare.com/stream/edit-videos/adding-captions/)."""

import re
from typing import Any

from flask import Blueprint, Response, request

from sandbox.cloudflare.envelope import NOT_READY, TOO_LARGE, Refusal, bad_request, not_found, ok
from sandbox.cloudflare.stand_in import CloudflareSandbox
from sandbox.cloudflare.video import READY
from sandbox.store import Store

CAPTIONS = "cloudflare.captions"
CAPTIONS_OF_VIDEO = "/accounts/<account_id>/stream/<uid>/captions"
LARGEST_BYTES = 10 * 1024 * 1024
FORM_OVERHEAD_BYTES = 64 * 1024
LANGUAGE = re.compile(r"[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*")
LABELS = {"ar": "Arabic", "de": "German", "en": "English", "es": "Spanish", "fr": "French", "zh": "Chinese"}


def of_video(store: Store, uid: str) -> list[dict[str, Any]]:
    """The caption files of one video: {uid, language, vtt, generated}."""
    return [caption for caption in store.values(CAPTIONS) if caption["uid"] == uid]


def add_routes(blueprint: Blueprint, cloudflare: CloudflareSandbox) -> None:
    library, store = cloudflare.library, cloudflare.context.store

    @blueprint.get(CAPTIONS_OF_VIDEO)
    def list_captions(uid: str) -> Response:
        library.find(uid)
        return ok([shown(caption) for caption in of_video(store, uid)])

    @blueprint.put(f"{CAPTIONS_OF_VIDEO}/<language>")
    def put_caption(uid: str, language: str) -> Response:
        _require_ready(library.find(uid))
        if not LANGUAGE.fullmatch(language):
            raise bad_request("the language must be a BCP 47 tag")
        caption = {"uid": uid, "language": language, "vtt": _sent_file(), "generated": False}
        store.put(CAPTIONS, f"{uid} {language.lower()}", caption)
        return ok(shown(caption))

    @blueprint.post(f"{CAPTIONS_OF_VIDEO}/<language>/generate")
    def generate_caption(uid: str, language: str) -> Response:
        _require_ready(library.find(uid))
        vtt = "WEBVTT\n\n00:00:00.000 --> 00:00:02.000\n(sandbox)\n"
        caption = {"uid": uid, "language": language, "vtt": vtt, "generated": True}
        store.put(CAPTIONS, f"{uid} {language.lower()}", caption)
        return ok(shown(caption))

    @blueprint.get(f"{CAPTIONS_OF_VIDEO}/<language>")
    def retrieve_caption(uid: str, language: str) -> Response:
        return ok(shown(find(uid, language)))

    @blueprint.get(f"{CAPTIONS_OF_VIDEO}/<language>/vtt")
    def vtt(uid: str, language: str) -> Response:
        return Response(find(uid, language)["vtt"], content_type="text/vtt; charset=utf-8")

    @blueprint.delete(f"{CAPTIONS_OF_VIDEO}/<language>")
    def delete_caption(uid: str, language: str) -> Response:
        find(uid, language)
        store.delete(CAPTIONS, f"{uid} {language.lower()}")
        return ok("")

    def find(uid: str, language: str) -> dict[str, Any]:
        library.find(uid)
        caption = store.get(CAPTIONS, f"{uid} {language.lower()}")
        if caption is None:
            raise not_found()
        return caption


def _require_ready(video: dict[str, Any]) -> None:
    if video["state"] != READY:
        raise Refusal(400, NOT_READY, "Captions can be added only once the video is ready")


def _sent_file() -> str:
    if (request.content_length or 0) > LARGEST_BYTES + FORM_OVERHEAD_BYTES:
        raise _too_large()
    file = request.files.get("file")
    if file is None:
        raise bad_request("the form has no file")
    body = file.stream.read(LARGEST_BYTES + 1)
    if len(body) > LARGEST_BYTES:
        raise _too_large()
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise bad_request("the captions are not UTF-8") from error
    if not re.match(r"WEBVTT(\s|$)", text):
        raise bad_request("the captions are not WebVTT")
    return text


def _too_large() -> Refusal:
    return Refusal(413, TOO_LARGE, "Captions have at most 10 MB")


def shown(caption: dict[str, Any]) -> dict[str, Any]:
    """A caption as the API lists it."""
    label = LABELS.get(caption["language"].partition("-")[0].lower(), caption["language"])
    if caption["generated"]:
        label += " (auto-generated)"
    return {
        "language": caption["language"],
        "label": label,
        "generated": caption["generated"],
        "status": "ready",
    }
