import contextlib
import secrets
from collections.abc import Iterator
from typing import Any

from sandbox.cloudflare import clock
from sandbox.cloudflare.envelope import not_found
from sandbox.cloudflare.library import VIDEOS, Library
from sandbox.context import SandboxContext

UPLOADS = "cloudflare.uploads"
FORM, TUS = "form", "tus"


class Busy(Exception):
    """Somebody else is sending to the same upload at this moment."""


class Uploads:
    """The one-time addresses through which files come in."""

    def __init__(self, context: SandboxContext, library: Library) -> None:
        self._context = context
        self.library = library
        self._busy: set[str] = set()

    def start(self) -> None:
        """Process what was complete when the sandbox died before it could say so."""
        for upload in self._context.store.values(UPLOADS):
            known = self._context.store.get(VIDEOS, upload["uid"])
            if known and upload["kind"] == TUS and not upload["is_done"] and self.offset(upload) == upload["length"]:
                self.finish(upload)

    def open(self, kind: str, uid: str, *, expires_at: float | None, length: int | None = None) -> str:
        """A new upload for a video; gives the unguessable last part of its address."""
        key = secrets.token_urlsafe(24)
        record = {"key": key, "kind": kind, "uid": uid, "expires_at": expires_at, "length": length, "is_done": False}
        self._context.store.put(UPLOADS, key, record)
        return key

    def find(self, kind: str, key: str) -> dict[str, Any]:
        """The record of one upload; raises Refusal (404) when there is none, or its video is gone."""
        upload = self._context.store.get(UPLOADS, key)
        if upload is None or upload["kind"] != kind:
            raise not_found()
        self.library.find(upload["uid"])
        return upload

    def has_expired(self, upload: dict[str, Any]) -> bool:
        return upload["expires_at"] is not None and upload["expires_at"] <= clock.now()

    def finish(self, upload: dict[str, Any]) -> None:
        """The file is complete: nothing more comes in here, and its processing begins."""
        self._context.store.put(UPLOADS, upload["key"], upload | {"is_done": True})
        self.library.receive_file(upload["uid"])

    def offset(self, upload: dict[str, Any]) -> int:
        """How many bytes have arrived: the file itself is the record, so a crash loses none."""
        if upload["is_done"]:
            return int(upload["length"])
        path = self.library.file_of(upload["uid"])
        return path.stat().st_size if path.exists() else 0

    @contextlib.contextmanager
    def alone(self, key: str) -> Iterator[None]:
        """One sender at a time; raises Busy."""
        with self._context.store.lock:
            if key in self._busy:
                raise Busy
            self._busy.add(key)
        try:
            yield
        finally:
            self._busy.discard(key)
