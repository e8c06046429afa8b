"""Small files that come through this server: kept on disk, then sent to the host by whatever ticket it gave."""

import base64
import io
import logging
import tempfile
from typing import IO, TYPE_CHECKING, Protocol, cast
from urllib.parse import urljoin

from django.utils import timezone

from videos import conf
from videos.models import Asset, Video
from videos.providers import http, reading
from videos.providers.exceptions import MalformedResponse, ProviderUnavailable, Rejected, VideoProviderError
from videos.providers.registry import providers
from videos.providers.types import FormPostTicket, MultipartTicket, NoTicket, PutTicket, Ticket, TusTicket
from videos.services.errors import FileTooLarge, HostUnavailable, InvalidRequest
from videos.services.host_calls import ask_host, give_connection_back
from videos.services.reaping import give_up, has_file
from videos.services.uploads import replace_file

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractBaseUser

logger = logging.getLogger(__name__)

BLOCK_BYTES = 64 * 1024
IN_MEMORY_BYTES = 1024 * 1024
FRUITLESS_TRIES = 3
_TUS = {"Tus-Resumable": "1.0.0"}


class Readable(Protocol):
    """Where a body comes from."""

    def read(self, size: int, /) -> bytes: ...


def send_file(
    *,
    video: Video,
    actor: "AbstractBaseUser",
    stream: Readable,
    size_bytes: int,
    filename: str,
    content_type: str,
    provider_alias: str = "",
) -> Asset:
    """Take a whole file and send it to a host as a new copy of the video, as `replace_file` would.

    Memory stays flat; the file lies on disk meanwhile. Raises FileTooLarge, InvalidRequest (`body_incomplete` when
    fewer bytes come than were announced) and as `replace_file`.
    """
    if size_bytes > conf.file_max_bytes():
        raise FileTooLarge(conf.file_max_bytes())
    with tempfile.SpooledTemporaryFile(max_size=IN_MEMORY_BYTES) as file:
        _receive(stream, file, size_bytes)
        asset, ticket = replace_file(
            video=video,
            actor=actor,
            filename=filename,
            size_bytes=size_bytes,
            content_type=content_type,
            provider_alias=provider_alias,
        )
        _pass_on(asset, ticket, file, size_bytes=size_bytes, content_type=content_type)
    Asset.objects.filter(pk=asset.pk).update(next_poll_at=timezone.now(), poll_attempts=0)
    conf.enqueue("videos.refresh_asset", asset.pk)
    asset.refresh_from_db()
    return asset


def send(ticket: Ticket, *, alias: str, file: IO[bytes], size_bytes: int, filename: str, content_type: str) -> None:
    """Send an open file by a ticket; raises VideoProviderError."""
    match ticket:
        case FormPostTicket():
            _send_form(ticket, alias, file, filename=filename, content_type=content_type)
        case PutTicket():
            _call(alias, "PUT", ticket.url, headers=dict(ticket.headers), content=file)
        case TusTicket():
            _send_chunks(ticket, alias, file, size_bytes)
        case MultipartTicket():
            raise ProviderUnavailable(f"{alias}: a file in parts is sent by browsers alone.")
        case NoTicket():
            return


def _receive(stream: Readable, file: IO[bytes], size_bytes: int) -> None:
    give_connection_back()
    left = size_bytes
    while left and (block := stream.read(min(BLOCK_BYTES, left))):
        file.write(block)
        left -= len(block)
    if left:
        # A server may end a body that was cut off just as one that is complete.
        raise InvalidRequest("body_incomplete", attr="file", detail=f"{left} of {size_bytes} bytes did not arrive.")
    file.seek(0)


def _pass_on(asset: Asset, ticket: Ticket, file: IO[bytes], *, size_bytes: int, content_type: str) -> None:
    give_connection_back()
    try:
        ask_host(lambda: _hand_over(asset, ticket, file, size_bytes=size_bytes, content_type=content_type))
    except VideoProviderError as error:
        if _arrived_all_the_same(asset, error):
            return
        logger.warning("A file did not get to the video host %s: %s", asset.provider, error)
        give_up(asset)
        if isinstance(error, Rejected):
            raise InvalidRequest(error.code, attr="file", detail="The video host refused the file.") from error
        raise HostUnavailable() from error
    except BaseException:
        give_up(asset)
        raise


def _hand_over(asset: Asset, ticket: Ticket, file: IO[bytes], *, size_bytes: int, content_type: str) -> None:
    provider = providers[asset.provider]
    if provider.supports_file:
        provider.receive_file(asset.host_id, file, size_bytes=size_bytes)
        return
    send(
        ticket,
        alias=asset.provider,
        file=file,
        size_bytes=size_bytes,
        filename=asset.source_name,
        content_type=content_type or "application/octet-stream",
    )


def _arrived_all_the_same(asset: Asset, error: VideoProviderError) -> bool:
    """Whether it was the host's answer that got lost, and not the file."""
    if not isinstance(error, ProviderUnavailable):
        return False
    try:
        return has_file(asset)
    except VideoProviderError:
        logger.warning("Whether the file of asset %s arrived could not be found out", asset.pk)
        return False


def _send_form(ticket: FormPostTicket, alias: str, file: IO[bytes], *, filename: str, content_type: str) -> None:
    call = http.HostCall(
        alias=alias,
        method="POST",
        url=ticket.url,
        fields=ticket.fields,
        files={ticket.file_field: (filename, file, content_type)},
        patience=http.TRANSFER,
        is_repeatable=False,
    )
    http.fetch(call)


def _send_chunks(ticket: TusTicket, alias: str, file: IO[bytes], size_bytes: int) -> None:
    """tus 1.0.0 from the beginning, as the ticket is new: https://tus.io/protocols/resumable-upload"""
    url = ticket.upload_url or _create(ticket, alias, size_bytes)
    offset = furthest = fruitless = 0
    while offset < size_bytes:
        chunk = cast(IO[bytes], Section(file, offset, min(ticket.chunk_size, size_bytes - offset)))
        headers = {**ticket.headers, "Upload-Offset": str(offset), "Content-Type": "application/offset+octet-stream"}
        try:
            answer = _call(alias, "PATCH", url, headers=headers, content=chunk)
            offset = _told_offset(answer, alias, size_bytes)
        except ProviderUnavailable:
            offset = _offset(ticket, alias, url, size_bytes)
        # Counted against the furthest: a host may also go back and forth.
        fruitless = 0 if offset > furthest else fruitless + 1
        furthest = max(furthest, offset)
        if fruitless == FRUITLESS_TRIES:
            raise ProviderUnavailable(f"{alias}: the upload does not move on.")


def _create(ticket: TusTicket, alias: str, size_bytes: int) -> str:
    pairs = (f"{name} {base64.b64encode(value.encode()).decode()}" for name, value in ticket.metadata.items())
    headers = {**ticket.headers, "Upload-Length": str(size_bytes), "Upload-Metadata": ",".join(pairs)}
    answer = _call(alias, "POST", ticket.endpoint, headers=headers, content=b"")
    location = answer.headers.get("Location", "")
    if not location:
        raise MalformedResponse(f"{alias}: an upload was created without an address.")
    return urljoin(ticket.endpoint, location)


def _offset(ticket: TusTicket, alias: str, url: str, size_bytes: int) -> int:
    return _told_offset(_call(alias, "HEAD", url, headers=dict(ticket.headers)), alias, size_bytes)


def _told_offset(answer: http.HostAnswer, alias: str, size_bytes: int) -> int:
    offset = reading.whole_number(answer.headers.get("Upload-Offset"))
    if offset is None or offset > size_bytes:
        raise MalformedResponse(f"{alias}: no Upload-Offset within the file.")
    return offset


def _call(
    alias: str, method: str, url: str, *, headers: dict[str, str], content: "bytes | IO[bytes] | None" = None
) -> http.HostAnswer:
    is_tus = method in ("HEAD", "PATCH", "POST")
    call = http.HostCall(
        alias=alias,
        method=method,
        url=url,
        headers=_TUS | headers if is_tus else headers,
        content=content,
        patience=http.BACKGROUND if method == "HEAD" else http.TRANSFER,
        is_repeatable=method == "HEAD",
    )
    return http.fetch(call)


class Section(io.RawIOBase):
    """Some bytes of an open file, read while they are sent."""

    def __init__(self, file: IO[bytes], start: int, size: int) -> None:
        super().__init__()
        self._file = file
        self._size = self._left = size
        self._file.seek(start)

    def __len__(self) -> int:
        return self._size

    def tell(self) -> int:
        return self._size - self._left

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        block = self._file.read(min(len(buffer), self._left))
        buffer[: len(block)] = block
        self._left -= len(block)
        return len(block)
