"""Where videos come from: a reservation for a browser's form, a file of the server's own, an address to copy."""

from urllib.parse import urlsplit

from flask import Blueprint, Response, request

from sandbox.cloudflare import copying, editing, tus
from sandbox.cloudflare.envelope import bad_request, field, json_body, ok
from sandbox.cloudflare.forms import receive_form
from sandbox.cloudflare.stand_in import CloudflareSandbox
from sandbox.cloudflare.uploads import FORM
from sandbox.cloudflare.video import DOWNLOADING
from sandbox.context import SandboxContext

STREAM = "/accounts/<account_id>/stream"
CHUNK_BYTES = 256 * 1024
DOWNLOAD_TIMEOUT_S = 20


def add_routes(blueprint: Blueprint, context: SandboxContext, cloudflare: CloudflareSandbox) -> None:
    library = cloudflare.library

    @blueprint.post(f"{STREAM}/direct_upload")
    def reserve() -> Response:
        body = json_body()
        values = editing.shared(body) | {"max_duration_s": editing.max_duration(body.get("maxDurationSeconds"))}
        expires_at = editing.expiry(body.get("expiry"))
        library.require_room()
        video = library.add(**values, upload_expiry=expires_at)
        key = cloudflare.uploads.open(FORM, video["uid"], expires_at=expires_at)
        result = {"uploadURL": f"{context.base_url}/cloudflare/upload/{key}", "uid": video["uid"]}
        if video["scheduled_deletion"]:
            result["scheduledDeletion"] = video["scheduled_deletion"]
        return ok(result)

    @blueprint.post(STREAM)
    def upload() -> Response:
        """A small file in one form, or the beginning of a resumable upload."""
        if "Tus-Resumable" in request.headers:
            return tus.create(context, cloudflare)
        library.require_room()
        video = library.add()
        try:
            name = receive_form(library.file_of(video["uid"]))
        except BaseException:
            library.delete(video["uid"])
            raise
        library.change(video["uid"], meta={"name": name})
        library.receive_file(video["uid"])
        return ok(library.shown(library.find(video["uid"])))

    @blueprint.post(f"{STREAM}/copy")
    def copy() -> Response:
        body = json_body()
        address = field(body, "input", str) or field(body, "url", str) or ""
        parts = urlsplit(address)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise bad_request("input must be a http or https address")
        library.require_room()
        values = editing.shared(body)
        meta = {"downloaded-from": address, "name": parts.path.rpartition("/")[2]} | values.pop("meta", {})
        video = library.add(**values, meta=meta, state=DOWNLOADING, source=address)
        copying.start(library, video["uid"])
        return ok(library.shown(video))
