import secrets
import time
from typing import Any

from sandbox.context import SandboxContext
from sandbox.later import Later
from sandbox.vdocipher import hooks

VIDEOS = "vdocipher.videos"
USAGE = "vdocipher.usage"
USAGE_FORM = "vdocipher.usage_form"
SAMPLE_LENGTH_S = 48
PRE_UPLOAD, QUEUED, READY = "PRE-Upload", "Queued", "ready"
ENCODING_ERROR, NOT_MEDIA = "Encoding error", "Not a media file"


class UnknownVideo(LookupError):
    """No video has this id."""


class Library:
    """The videos of the account and the slow work on them: what is queued becomes ready, or fails, after a while."""

    def __init__(self, context: SandboxContext) -> None:
        self.context = context
        self._later = Later(context.store.lock)

    def start(self) -> None:
        """Take up again what was queued when the sandbox last stopped."""
        for video in self.context.store.values(VIDEOS):
            if video["status"] == QUEUED and video["encoded_at"] is not None:
                self._later.call(max(0.0, video["encoded_at"] - time.time()), self._settle, video["id"])

    def stop(self) -> None:
        self._later.stop()

    def add(
        self,
        *,
        title: str,
        status: str = READY,
        length_s: int = SAMPLE_LENGTH_S,
        video_id: str | None = None,
        folder: str = "root",
        tags: list[str] | None = None,
    ) -> str:
        """Add a video, or replace the one with this id, and give its id: 32 lowercase hex characters."""
        video_id = video_id or secrets.token_hex(16)
        record = {
            "id": video_id,
            "title": title,
            "upload_time": int(time.time()),
            "length": length_s,
            "status": status,
            "folder": folder,
            "tags": tags,
            "size_bytes": 0,
            "encoded_at": None,
            "becomes": None,
        }
        self.context.store.put(VIDEOS, video_id, record)
        return video_id

    def find(self, video_id: str) -> dict[str, Any]:
        """The record of one video; raises UnknownVideo."""
        video = self.context.store.get(VIDEOS, video_id)
        if video is None:
            raise UnknownVideo(video_id)
        return video

    def newest_first(self) -> list[dict[str, Any]]:
        return self.context.store.values(VIDEOS)[::-1]

    def change(self, video_id: str, **values: Any) -> dict[str, Any]:
        """Change fields of one video; raises UnknownVideo."""
        with self.context.store.lock:
            video = self.find(video_id) | values
            self.context.store.put(VIDEOS, video_id, video)
        return video

    def delete(self, video_ids: list[str]) -> int:
        """Delete the videos that exist and give how many did."""
        with self.context.store.lock:
            known = {video_id for video_id in video_ids if self.context.store.get(VIDEOS, video_id)}
            for video_id in known:
                self.context.store.delete(VIDEOS, video_id)
        return len(known)

    def set_status(self, video_id: str, word: str, *, send_hook: bool = True) -> None:
        """Give a video one of the host's status words; only `ready` has a hook. Raises UnknownVideo."""
        video = self.change(video_id, status=word, encoded_at=None, becomes=None)
        if send_hook and word == READY:
            hooks.send_ready(self.context, video)

    def receive_file(self, video_id: str, *, size_bytes: int, becomes: str) -> None:
        """Queue an uploaded or imported file; after the configured time the video takes the status `becomes`."""
        pause_s = self.context.config.vdocipher_encode_s
        with self.context.store.lock:
            video = self.context.store.get(VIDEOS, video_id)
            if video is None or video["status"] != PRE_UPLOAD:
                return
            self.change(
                video_id, status=QUEUED, size_bytes=size_bytes, encoded_at=time.time() + pause_s, becomes=becomes
            )
        self._later.call(pause_s, self._settle, video_id)

    def count_usage(self, video_id: str, kb: int, date: str | None = None) -> None:
        """Add kilobytes delivered to a UTC day, today unless `date` (YYYY-MM-DD) is given."""
        date = date or time.strftime("%Y-%m-%d", time.gmtime())
        key = f"{date} {video_id}"
        with self.context.store.lock:
            known = self.context.store.get(USAGE, key) or {"date": date, "video": video_id, "kb": 0}
            self.context.store.put(USAGE, key, known | {"kb": known["kb"] + kb})

    @property
    def usage_has_extra_columns(self) -> bool:
        return self.context.store.get(USAGE_FORM, "columns") is not None

    def give_usage_extra_columns(self) -> None:
        """Answer the usage of a day with four columns and CRLF from now on."""
        self.context.store.put(USAGE_FORM, "columns", {"extra": True})

    def usage(self, date: str) -> list[tuple[str, int]]:
        """Kilobytes delivered per video on one UTC day."""
        return [(row["video"], row["kb"]) for row in self.context.store.values(USAGE) if row["date"] == date]

    def _settle(self, video_id: str) -> None:
        with self.context.store.lock:
            video = None if self._later.is_stopped else self.context.store.get(VIDEOS, video_id)
            if video is None or video["status"] != QUEUED or video["becomes"] is None:
                return
            word = video["becomes"]
            length_s = SAMPLE_LENGTH_S if word == READY else 0
            self.change(video_id, length=length_s)
        self.set_status(video_id, word)
