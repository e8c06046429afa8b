import io
from typing import IO


class Section(io.RawIOBase):
    """A stretch of an open file as a file of its own; closing it closes the file."""

    def __init__(self, file: IO[bytes], first: int, length: int) -> None:
        self._file = file
        self._left = length
        file.seek(first)

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1, /) -> bytes:
        block = self._file.read(self._left if size < 0 else min(size, self._left))
        self._left -= len(block)
        return block

    def close(self) -> None:
        self._file.close()
        super().close()
