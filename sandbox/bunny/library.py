"""The videos of one library: the API's numbers for their states, and the hooks' other numbers."""

import time
import uuid
from enum import IntEnum
from typing import Any

from sandbox.bunny import hooks
from sandbox.bunny.hooks import HookStatus
from sandbox.context import SandboxContext
from sandbox.later import Later
from sandbox.vdocipher.library import READY as MEDIA
from sandbox.vdocipher.uploads import outcome_of

VIDEOS = "bunny.videos"
SAMPLE_LENGTH_S = 48


class VideoStatus(IntEnum):
    """What `status` of the API means (https://docs.bunny.net/reference/video_getvideo)."""

    CREATED = 0
    UPLOADED = 1
    PROCESSING = 2
    TRANSCODING = 3
    FINISHED = 4
    ERROR = 5
    UPLOAD_FAILED = 6


class UnknownVideo(LookupError):
    """No video of the library has this id."""


class BunnySandbox:
    """One library; what is uploaded becomes playable, or fails, after a while."""

    def __init__(self, context: SandboxContext) -> None:
        self.context = context
        self._later = Later(context.store.lock)

    def start(self) -> None:
        """Take up again what was being encoded when the sandbox last stopped."""
        for video in self.context.store.values(VIDEOS):
            if video["encoded_at"] is not None:
                self._later.call(max(0.0, video["encoded_at"] - time.time()), self._settle, video["guid"])

    def stop(self) -> None:
        self._later.stop()

    def add_video(
        self,
        title: str = "Sample",
        status: int = VideoStatus.FINISHED,
        length: int = SAMPLE_LENGTH_S,
        guid: str | None = None,
    ) -> str:
        """Put a video into the library and give its id; `status` is the API's number, `length` in seconds."""
        guid = guid or str(uuid.uuid4())
        is_finished = status == VideoStatus.FINISHED
        record = {
            "guid": guid,
            "title": title,
            "status": int(status),
            "length": length if is_finished else 0,
            "encode_progress": 100 if is_finished else 0,
            "storage_size": 0,
            "uploaded_at": time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime()),
            "encoded_at": None,
            "becomes": None,
        }
        self.context.store.put(VIDEOS, guid, record)
        return guid

    def find(self, guid: str) -> dict[str, Any]:
        """The record of one video; raises UnknownVideo."""
        video = self.context.store.get(VIDEOS, guid)
        if video is None:
            raise UnknownVideo(guid)
        return video

    def all(self) -> list[dict[str, Any]]:
        return self.context.store.values(VIDEOS)

    def change(self, guid: str, **values: Any) -> dict[str, Any]:
        """Change fields of one video; raises UnknownVideo."""
        with self.context.store.lock:
            video = self.find(guid) | values
            self.context.store.put(VIDEOS, guid, video)
        return video

    def delete(self, guid: str) -> None:
        """Raises UnknownVideo."""
        with self.context.store.lock:
            self.find(guid)
            self.context.store.delete(VIDEOS, guid)

    def set_status(self, guid: str, status: int, *, send_hook: int | None = None, percent: int | None = None) -> None:
        """Give a video one of the API's numbers; with `send_hook`, one of the hooks' numbers, tell so."""
        values = {"status": int(status), "encoded_at": None, "becomes": None}
        if status == VideoStatus.FINISHED:
            values |= {"encode_progress": 100}
        self.change(guid, **values, **({} if percent is None else {"encode_progress": percent}))
        if send_hook is not None:
            self.tell(guid, send_hook)

    def tell(self, guid: str, number: int) -> None:
        """Send the hook that says this of a video."""
        hooks.send(self.context, guid, number)

    def receive_file(self, guid: str, *, size_bytes: int, head: bytes) -> None:
        """Begin to encode an uploaded file, of which the first bytes tell what it is."""
        becomes = VideoStatus.FINISHED if outcome_of(head) == MEDIA else VideoStatus.ERROR
        pause_s = self.context.config.bunny_encode_s
        self.change(
            guid,
            status=int(VideoStatus.UPLOADED),
            storage_size=size_bytes,
            encoded_at=time.time() + pause_s,
            becomes=int(becomes),
        )
        self.tell(guid, HookStatus.UPLOAD_FINISHED)
        self._later.call(pause_s, self._settle, guid)

    def _settle(self, guid: str) -> None:
        with self.context.store.lock:
            video = None if self._later.is_stopped else self.context.store.get(VIDEOS, guid)
            if video is None or video["becomes"] is None:
                return
            is_playable = video["becomes"] == VideoStatus.FINISHED
            self.change(guid, length=SAMPLE_LENGTH_S if is_playable else 0)
            self.set_status(guid, video["becomes"])
        for number in (HookStatus.RESOLUTION_FINISHED, HookStatus.FINISHED) if is_playable else (HookStatus.FAILED,):
            self.tell(guid, number)
