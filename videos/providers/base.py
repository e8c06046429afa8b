"""What every video host can be asked, and the refusal where it cannot do it."""

import json
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import IO, Any, ClassVar, NoReturn

from django.core.checks import CheckMessage

from videos.providers import reading
from videos.providers.exceptions import UnsupportedOperation, VideoProviderError, WebhookRejected
from videos.providers.types import (
    AssetInfo,
    CaptionFile,
    HostStatistics,
    HostStorage,
    HostUsage,
    Ping,
    Playback,
    PlaybackRequest,
    Preparation,
    Protection,
    Ticket,
    UploadRequest,
    WebhookEvent,
    Workload,
)


@dataclass(frozen=True, kw_only=True)
class VideoProvider(ABC):
    """The adapter to one kind of host; a subclass adds its OPTIONS as fields, secrets with `repr=False`.

    A field may name the environment variable that fills it: `field(metadata={"variable": "SOME_SECRET"})`. Methods
    raise `VideoProviderError` and hold no lock or transaction; each may wait for the host.
    """

    alias: str

    protections: ClassVar[tuple[Protection, ...]] = (Protection.OPEN,)
    """The protections this host can give, strongest first."""

    grants_locally: ClassVar[bool] = False
    """`get_playback` waits for nobody: it is then called inside a transaction, and its errors leave no session."""

    plays_by_otp: ClassVar[bool] = False
    """`get_playback` gives a one-time password for VdoCipher's player, which a lesson carries."""

    ids_are_pasted: ClassVar[bool] = True
    """People know its ids, from its dashboard, and may give one for a video without naming the host."""

    supports_upload: ClassVar[bool] = False
    supports_file: ClassVar[bool] = False
    supports_import: ClassVar[bool] = False
    supports_retranscode: ClassVar[bool] = False
    supports_rename: ClassVar[bool] = False
    supports_delete: ClassVar[bool] = False
    supports_captions: ClassVar[bool] = False
    supports_thumbnails: ClassVar[bool] = False
    supports_usage: ClassVar[bool] = False
    supports_storage: ClassVar[bool] = False
    supports_statistics: ClassVar[bool] = False
    supports_workload: ClassVar[bool] = False
    supports_webhook: ClassVar[bool] = False
    supports_ping: ClassVar[bool] = False

    METHODS_BY_FLAG: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "supports_upload": ("create_upload",),
        "supports_file": ("receive_file",),
        "supports_import": ("import_url",),
        "supports_retranscode": ("retranscode", "preparation"),
        "supports_rename": ("rename",),
        "supports_delete": ("delete",),
        "supports_captions": ("put_caption", "delete_caption"),
        "supports_thumbnails": ("thumbnail_url",),
        "supports_usage": ("usage",),
        "supports_storage": ("storage",),
        "supports_statistics": ("statistics",),
        "supports_workload": ("workload",),
        "supports_webhook": ("parse_webhook",),
        "supports_ping": ("ping",),
    }

    def protection_for(self, wanted: str) -> Protection:
        """What a new copy has for which this protection is wanted: open where it may be, else the host's strongest."""
        if wanted == Protection.OPEN and Protection.OPEN in self.protections:
            return Protection.OPEN
        return self.protections[0]

    @property
    def player_origins(self) -> tuple[str, ...]:
        """The origins that players and their scripts come from, for the embedding page's Content-Security-Policy."""
        return ()

    @property
    def media_origins(self) -> tuple[str, ...]:
        """The origins that a player of the page's own loads files from, and nothing else: no script, no frame."""
        return ()

    @abstractmethod
    def get_asset(self, host_id: str) -> AssetInfo:
        """What the host says about one copy; raises AssetNotFound. For background work, never in a viewer's request."""

    @abstractmethod
    def get_playback(self, request: PlaybackRequest) -> Playback:
        """What a player needs to play now; answers or raises within 4 s."""

    def create_upload(self, request: UploadRequest) -> Ticket:
        """What a browser needs to upload straight to the host; raises Rejected (file_too_large) before any call."""
        self._refuse("create_upload")

    def receive_file(self, host_id: str, file: IO[bytes], *, size_bytes: int) -> None:
        """Take an open file for a copy that `create_upload` made, in place of the upload by its ticket.

        Only for a host that is in this process; the others are sent to by their tickets.
        """
        self._refuse("receive_file")

    def import_url(self, url: str, *, title: str) -> str:
        """Let the host fetch a file by itself; gives the host's id."""
        self._refuse("import_url")

    def retranscode(
        self,
        host_id: str,
        *,
        quality: str | None = None,
        protection: Protection | None = None,
        requested_by: str = "",
    ) -> None:
        """Have the copy prepared again out of its original; what plays now plays on until that is done.

        None leaves quality or protection as it is, an empty quality is the host's usual one; `requested_by` names the
        person to the host without telling who it is. Raises Rejected: `transcode_running`, `source_gone`.
        """
        self._refuse("retranscode")

    def preparation(self, host_id: str) -> Preparation | None:
        """How far the copy's preparation is, None before its file came; waits for nobody."""
        self._refuse("preparation")

    def rename(self, host_id: str, title: str) -> None:
        """Give the copy another title at the host."""
        self._refuse("rename")

    def delete(self, host_id: str) -> None:
        """Remove the copy at the host; a copy already gone is no error."""
        self._refuse("delete")

    def put_caption(self, host_id: str, caption: CaptionFile) -> None:
        """Give the copy captions in one language, in place of those it had.

        Raises Rejected (not_ready) while the host takes none yet, Rejected (caption_refused) when it wants none.
        """
        self._refuse("put_caption")

    def delete_caption(self, host_id: str, language: str) -> None:
        """Remove the captions in one language; captions already gone are no error."""
        self._refuse("delete_caption")

    def thumbnail_url(
        self, host_id: str, *, second: float, width: int | None = None, height: int | None = None, ttl_s: int = 3600
    ) -> str:
        """The address of a picture at that second, in pixels, good for about `ttl_s`; waits for nobody."""
        self._refuse("thumbnail_url")

    def usage(self, day: date) -> list[HostUsage]:
        """What the copies of this account cost on one UTC day. For background work."""
        self._refuse("usage")

    def storage(self) -> HostStorage:
        """What this account keeps at the host. For background work."""
        self._refuse("storage")

    def statistics(self, since: date, until: date) -> list[HostStatistics]:
        """What the host counted from `since` up to, without, `until`. For background work."""
        self._refuse("statistics")

    def workload(self) -> Workload:
        """What the host is at; waits for nobody."""
        self._refuse("workload")

    def parse_webhook(self, *, headers: Mapping[str, str], query: Mapping[str, str], body: bytes) -> list[WebhookEvent]:
        """The events of one hook, once it is proven to come from the host; raises WebhookRejected."""
        self._refuse("parse_webhook")

    def ping(self) -> Ping:
        """Whether the host answers and takes our credentials; raises nothing when it does not."""
        self._refuse("ping")

    def check(self) -> list[CheckMessage]:
        """What is wrong with the options, found without network."""
        return []

    def _timed(self, call: Callable[[], object]) -> Ping:
        """The outcome of one call as a ping."""
        started = time.monotonic()
        error_code = ""
        try:
            call()
        except VideoProviderError as error:
            error_code = error.code
        response_ms = (time.monotonic() - started) * 1000
        return Ping(is_reachable=not error_code, response_ms=response_ms, error_code=error_code)

    def _hook_object(self, body: bytes) -> dict[str, Any]:
        """The JSON object that a proven hook carries, storable; raises WebhookRejected (malformed)."""
        try:
            data = reading.storable(json.loads(body))
        except (ValueError, RecursionError):
            data = None
        if not isinstance(data, dict):
            raise WebhookRejected(f"{self.alias}: the hook is not a JSON object.", code="malformed")
        return data

    def _refuse(self, operation: str) -> NoReturn:
        raise UnsupportedOperation(f"{self.alias} does not support {operation}.")
