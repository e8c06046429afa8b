"""A `multipart/form-data` body that is read while it is sent, so that a large file needs no memory."""

import os
import secrets
from collections.abc import Iterator, Mapping
from typing import IO

BLOCK_BYTES = 64 * 1024
FormFile = tuple[str, bytes | IO[bytes], str]


class FormBody:
    """Fields in their order, then files: (file name, bytes or open file, content type) by field.

    An open file is sent from where it stands; one whose size cannot be asked by seeking says it by `len()`.
    """

    def __init__(self, fields: Mapping[str, str], files: Mapping[str, FormFile]) -> None:
        boundary = secrets.token_hex(16)
        self.content_type = f"multipart/form-data; boundary={boundary}"
        self._pieces: list[bytes | IO[bytes]] = []
        for name, value in fields.items():
            self._pieces.append(f"--{boundary}\r\n{_disposition(name)}\r\n\r\n{value}\r\n".encode())
        for name, (filename, content, content_type) in files.items():
            head = f"--{boundary}\r\n{_disposition(name, filename)}\r\nContent-Type: {_header(content_type)}\r\n\r\n"
            self._pieces += [head.encode(), content, b"\r\n"]
        self._pieces.append(f"--{boundary}--\r\n".encode())
        self._size = sum(size_of(piece) for piece in self._pieces)
        self._blocks = self._read_blocks()

    def __len__(self) -> int:
        return self._size

    def __iter__(self) -> Iterator[bytes]:
        return self._blocks

    def read(self, size: int = -1) -> bytes:
        """The next block, empty at the end. Blocks have the size that suits this body, whatever is asked for."""
        return next(self._blocks, b"")

    def _read_blocks(self) -> Iterator[bytes]:
        for piece in self._pieces:
            if isinstance(piece, bytes):
                yield piece
            else:
                while block := piece.read(BLOCK_BYTES):
                    yield block


def size_of(content: bytes | IO[bytes]) -> int:
    """The bytes that are left to send; raises OSError when they cannot be told."""
    if hasattr(content, "__len__"):
        return len(content)
    start = content.tell()
    content.seek(0, os.SEEK_END)
    end = content.tell()
    content.seek(start)
    return end - start


def _disposition(name: str, filename: str | None = None) -> str:
    text = f'Content-Disposition: form-data; name="{_quoted(name)}"'
    return text if filename is None else f'{text}; filename="{_quoted(filename)}"'


def _quoted(text: str) -> str:
    """As browsers write it: https://html.spec.whatwg.org/multipage/form-control-infrastructure.html#multipart-form-data"""
    return text.replace('"', "%22").replace("\r", "%0D").replace("\n", "%0A")


def _header(text: str) -> str:
    return "".join(character for character in text if character.isprintable()) or "application/octet-stream"
