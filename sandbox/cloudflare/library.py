import secrets
import shutil
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from sandbox.cloudflare import clock, media
from sandbox.cloudflare.account import Account
from sandbox.cloudflare.envelope import STORAGE_EXCEEDED, TOO_MANY_QUEUED, Refusal, not_found
from sandbox.cloudflare.hooks import Hooks
from sandbox.cloudflare.video import DOWNLOADING, ERROR, IN_PROGRESS, PENDING, QUEUED, READY, UNKNOWN, rendered
from sandbox.context import SandboxContext
from sandbox.later import Later

VIDEOS = "cloudflare.videos"
SHORTEST_S = 0.1
STOP_TIMEOUT_S = 5.0


class Library:
    """The videos of the account, their files, and the slow work that turns one into the other."""

    def __init__(self, context: SandboxContext, account: Account, hooks: Hooks) -> None:
        self.context = context
        self._account = account
        self._hooks = hooks
        self._later = Later(context.store.lock)
        self._workers: set[threading.Thread] = set()
        state_dir = context.config.state_dir
        self._temporary = None if state_dir else tempfile.TemporaryDirectory(prefix="sandbox-cloudflare-")
        self.folder = state_dir / "cloudflare" if state_dir else Path(self._temporary.name)  # type: ignore[union-attr]

    @property
    def playback_url(self) -> str:
        return f"{self.context.base_url}/cloudflare/customer-{self.context.config.cloudflare_customer_code}"

    def start(self) -> None:
        """Take up again what was under way when the sandbox last stopped."""
        for video in self.context.store.values(VIDEOS):
            if video["ends_at"] is not None:
                self._later.call(max(0.0, video["ends_at"] - clock.now()), self._settle, video["uid"])

    def stop(self) -> None:
        self._later.stop()
        with self.context.store.lock:
            workers = list(self._workers)
        for worker in workers:
            worker.join(timeout=STOP_TIMEOUT_S)
        if self._temporary is not None:
            self._temporary.cleanup()

    def forget_files(self) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)

    def file_of(self, uid: str) -> Path:
        """Where a video's file is or goes; its folder exists."""
        self.folder.mkdir(parents=True, exist_ok=True)
        return self.folder / uid

    def add(self, **values: Any) -> dict[str, Any]:
        """Add a video that waits for its file, with these fields, and give its record."""
        at = clock.now()
        record = {
            "uid": secrets.token_hex(16),
            "creator": None,
            "meta": {},
            "state": PENDING,
            "pct": None,
            "error_code": "",
            "created": at,
            "modified": at,
            "uploaded": None,
            "upload_expiry": None,
            "ready_at": None,
            "started_at": None,
            "ends_at": None,
            "outcome": None,
            "source": "",
            "max_duration_s": None,
            "size": 0,
            "duration": UNKNOWN,
            "width": UNKNOWN,
            "height": UNKNOWN,
            "content_type": "",
            "require_signed": False,
            "allowed_origins": [],
            "thumbnail_pct": 0,
            "scheduled_deletion": None,
            "public_details": {"title": None, "share_link": None, "channel_link": None, "logo": None},
            **values,
        }
        self.context.store.put(VIDEOS, record["uid"], record)
        return record

    def find(self, uid: str) -> dict[str, Any]:
        """The record of one video; raises Refusal (404)."""
        video = self.context.store.get(VIDEOS, uid)
        if video is None:
            raise not_found()
        return video

    def oldest_first(self) -> list[dict[str, Any]]:
        return self.context.store.values(VIDEOS)

    def change(self, uid: str, **values: Any) -> dict[str, Any]:
        """Change fields of one video; raises Refusal (404)."""
        with self.context.store.lock:
            video = self.find(uid) | {"modified": clock.now()} | values
            self.context.store.put(VIDEOS, uid, video)
        return video

    def delete(self, uid: str) -> None:
        self.find(uid)
        self.context.store.delete(VIDEOS, uid)
        self.file_of(uid).unlink(missing_ok=True)

    def shown(self, record: dict[str, Any]) -> dict[str, Any]:
        return rendered(record, self.playback_url)

    def minutes_used(self, creator: str | None = None) -> float:
        """Minutes stored, and reserved by uploads that may still come; a creator of None is everybody."""
        return sum(_seconds_held(video) / 60 for video in self.oldest_first() if creator in (None, video["creator"]))

    def require_room(self) -> None:
        """Raise Refusal when the plan has no minutes left, or too many videos are being worked on."""
        quota = self._account.quota()
        used = self.minutes_used()
        if used >= quota["allocated_minutes"]:
            message = (
                f"Storage capacity exceeded: {used:.0f} minutes used, allocated {quota['allocated_minutes']} minutes"
            )
            raise Refusal(413, STORAGE_EXCEEDED, message)
        busy = sum(video["state"] in (DOWNLOADING, QUEUED, IN_PROGRESS) for video in self.oldest_first())
        if busy >= quota["queued_limit"]:
            message = f"Too many videos are queued or encoding: the limit is {quota['queued_limit']}"
            raise Refusal(429, TOO_MANY_QUEUED, message, Retry_After="60")

    def set_state(
        self, uid: str, state: str, *, error_code: str = "", pct: str | None = None, send_hook: bool = True
    ) -> None:
        """Give a video a state for good; an end of processing (ready, error) sends the hook. Raises Refusal (404)."""
        video = self.find(uid)
        outcome: dict[str, Any] = {"state": state, "error_code": error_code, "pct": pct, "ready_at": None}
        if state == ERROR:
            outcome["error_code"] = error_code or "ERR_UNKNOWN"
        if state == READY:
            outcome |= {"ready_at": clock.now(), "uploaded": video["uploaded"] or clock.now()}
            if video["duration"] == UNKNOWN:
                usual = media.Media()
                outcome |= {"duration": usual.duration_s, "width": usual.width, "height": usual.height}
        video = self.change(uid, ends_at=None, outcome=None, **outcome)
        if send_hook and state in (READY, ERROR):
            self._hooks.send(self.shown(video))

    def receive_file(self, uid: str) -> None:
        """Queue the file that is there now; after the configured time the video is ready, or has failed."""
        path = self.file_of(uid)
        with self.context.store.lock:
            video = self._unless_stopped(uid)
            if video is None:
                path.unlink(missing_ok=True)
                return
            outcome = _outcome(path, video["max_duration_s"])
            self._process(video, size=path.stat().st_size, outcome=outcome)

    def fail_download(self, uid: str) -> None:
        """What could not be fetched fails as the last step of its processing."""
        with self.context.store.lock:
            video = self._unless_stopped(uid)
            if video is not None:
                self._process(video, size=0, outcome={"error_code": "ERR_FETCH_ORIGIN_ERROR"})

    def work(self, act: Callable[..., None], *values: Any) -> None:
        """Do something slow on a thread that `stop` waits for."""
        worker = threading.Thread(target=act, args=values, name="cloudflare-work", daemon=True)
        with self.context.store.lock:
            self._workers = {other for other in self._workers if other.is_alive()} | {worker}
            worker.start()

    def _process(self, video: dict[str, Any], *, size: int, outcome: dict[str, Any]) -> None:
        at, pause_s = clock.now(), self.context.config.cloudflare_encode_s
        times = {"uploaded": at, "started_at": at, "ends_at": at + pause_s}
        self.change(video["uid"], state=QUEUED, size=size, outcome=outcome, **times)
        self._later.call(pause_s, self._settle, video["uid"])

    def _unless_stopped(self, uid: str) -> dict[str, Any] | None:
        return None if self._later.is_stopped else self.context.store.get(VIDEOS, uid)

    def _settle(self, uid: str) -> None:
        with self.context.store.lock:
            video = self._unless_stopped(uid)
            if video is None or video["outcome"] is None:
                return
            outcome = video["outcome"]
            if "error_code" not in outcome:
                self.change(uid, **outcome)
        self.set_state(uid, ERROR if "error_code" in outcome else READY, error_code=outcome.get("error_code", ""))


def _outcome(path: Path, max_duration_s: int | None) -> dict[str, Any]:
    try:
        found = media.examine(path)
    except media.NotAVideo:
        return {"error_code": "ERR_NON_VIDEO"}
    except media.BrokenVideo:
        return {"error_code": "ERR_MALFORMED_VIDEO"}
    if found.duration_s < SHORTEST_S:
        return {"error_code": "ERR_DURATION_TOO_SHORT"}
    if max_duration_s and found.duration_s > max_duration_s:
        return {"error_code": "ERR_DURATION_EXCEED_CONSTRAINT"}
    return {
        "duration": round(found.duration_s, 3),
        "width": found.width,
        "height": found.height,
        "content_type": found.content_type,
    }


def _seconds_held(video: dict[str, Any]) -> float:
    if video["state"] == ERROR:
        return 0
    if video["duration"] != UNKNOWN:
        return float(video["duration"])
    expired = video["upload_expiry"] is not None and video["upload_expiry"] <= clock.now()
    return 0 if video["state"] == PENDING and expired else float(video["max_duration_s"] or 0)
