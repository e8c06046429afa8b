"""Copies from an address: what a thread of its own downloads, from this machine alone."""

from http.client import HTTPConnection, HTTPException
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import urlsplit

from sandbox.cloudflare.library import Library
from sandbox.cloudflare.video import DOWNLOADING

CHUNK_BYTES = 256 * 1024
TIMEOUT_S = 20


def start(library: Library, uid: str) -> None:
    """Begin to download what a video is a copy of; whatever goes wrong is the origin's fault."""
    library.work(_fetch, library, uid, library.find(uid)["source"])


def resume(library: Library) -> None:
    """Begin again what was not finished when the sandbox last stopped."""
    for video in library.oldest_first():
        if video["state"] == DOWNLOADING and video["source"]:
            start(library, video["uid"])


def _fetch(library: Library, uid: str, address: str) -> None:
    try:
        _download(address, library.file_of(uid))
    except (OSError, HTTPException, ValueError):
        library.fail_download(uid)
    else:
        library.receive_file(uid)


def _download(address: str, path: Path) -> None:
    parts = urlsplit(address)
    host = "127.0.0.1" if parts.hostname == "localhost" else str(parts.hostname)
    if parts.scheme != "http" or not ip_address(host).is_loopback:
        raise ValueError("only addresses of this machine are fetched")
    connection = HTTPConnection(host, parts.port or 80, timeout=TIMEOUT_S)
    try:
        target = parts._replace(scheme="", netloc="", fragment="").geturl() or "/"
        connection.request("GET", target, headers={"Host": parts.netloc})
        answer = connection.getresponse()
        if answer.status != 200:
            raise ValueError(f"the origin answered {answer.status}")
        with path.open("wb") as file:
            while chunk := answer.read(CHUNK_BYTES):
                file.write(chunk)
    finally:
        connection.close()
