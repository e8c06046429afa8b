"""Where videos come from: a reservation for a browser's form, a file of the server's own, an address to copy."""

import threading
from http.client import HTTPConnection, HTTPException
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import SplitResult, urlsplit

from flask import Blueprint, Response, request

from sandbox.cloudflare import editing, tus
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
        video = library.add(**values, meta=meta, state=DOWNLOADING)
        fetching = threading.Thread(target=_fetch, args=(cloudflare, video["uid"], parts), daemon=True)
        fetching.start()
        return ok(library.shown(video))


def _fetch(cloudflare: CloudflareSandbox, uid: str, parts: SplitResult) -> None:
    """Download from this machine alone; whatever goes wrong is the origin's fault."""
    try:
        _download(parts, cloudflare.library.file_of(uid))
    except (OSError, HTTPException, ValueError):
        cloudflare.library.fail_download(uid)
    else:
        cloudflare.library.receive_file(uid)


def _download(parts: SplitResult, path: Path) -> None:
    host = "127.0.0.1" if parts.hostname == "localhost" else str(parts.hostname)
    if parts.scheme != "http" or not ip_address(host).is_loopback:
        raise ValueError("only addresses of this machine are fetched")
    connection = HTTPConnection(host, parts.port or 80, timeout=DOWNLOAD_TIMEOUT_S)
    try:
        address = parts._replace(scheme="", netloc="", fragment="").geturl() or "/"
        connection.request("GET", address, headers={"Host": parts.netloc})
        answer = connection.getresponse()
        if answer.status != 200:
            raise ValueError(f"the origin answered {answer.status}")
        with path.open("wb") as file:
            while chunk := answer.read(CHUNK_BYTES):
                file.write(chunk)
    finally:
        connection.close()
