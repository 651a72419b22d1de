"""Bodies of requests, cut out of the stream to the byte: the next request begins where one ends."""

import re
from collections.abc import Callable
from typing import Protocol

from protocol.errors import TooLarge
from transport.refusals import BadRequest

# What chunks cost beyond their data: bodies in pieces of a byte or two would keep the event loop
# busy for long, so the frame of the chunks may not outgrow the data by more than this.
OVERHEAD_BYTES = 16 * 1024
LINE_BYTES = 512

_SIZE_LINE = re.compile(rb"([0-9A-Fa-f]{1,15})(?:[\t ]*;[\t -~\x80-\xff]*)?\r\n")
_TRAILER = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+:[\t -~\x80-\xff]*\r\n")
_CR_LF = b"\r\n"


class Body(Protocol):
    """Takes its own bytes from the front of a buffer."""

    def take(self, buffer: bytearray) -> bool:
        """Move what belongs to the body out of ``buffer``; whether the body is whole."""

    def whole(self) -> bytes:
        """The body, once it is whole."""

    def drain(self) -> bytes:
        """What was taken since the last call; for a body that is used while it comes."""


def body_of(length: int | None, limit: int) -> Body:
    """The reader of a body of ``length`` bytes, or of a chunked one where it is ``None``.

    Raises:
        TooLarge: The length is over the limit, which is known before a byte of it has come.

    """
    if length is None:
        return Chunked(limit)
    if length > limit:
        raise TooLarge("The body", limit=limit, unit="bytes")
    return Counted(length)


class Counted:
    """A body whose length is known."""

    __slots__ = ("_data", "_left")

    def __init__(self, length: int) -> None:
        self._data = bytearray()
        self._left = length

    def take(self, buffer: bytearray) -> bool:
        """Move what belongs to the body out of ``buffer``; whether the body is whole."""
        if self._left:
            part = buffer[: self._left]
            del buffer[: self._left]
            self._data += part
            self._left -= len(part)
        return not self._left

    def whole(self) -> bytes:
        """The body, once it is whole."""
        return bytes(self._data)

    def drain(self) -> bytes:
        """What was taken since the last call."""
        data = bytes(self._data)
        self._data.clear()
        return data


class Chunked:
    """A body in chunks; their extensions and the trailer are read over and forgotten.

    Raises, while it takes: BadRequest for what is no chunk, TooLarge past the limit.
    """

    __slots__ = ("_data", "_left", "_limit", "_overhead", "_size", "_step")

    def __init__(self, limit: int) -> None:
        self._data = bytearray()
        self._left = 0
        self._limit = limit
        self._overhead = 0
        self._size = 0
        self._step: Callable[[bytearray], bool] = self._take_size

    def take(self, buffer: bytearray) -> bool:
        """Move what belongs to the body out of ``buffer``; whether the body is whole."""
        while self._step != self._take_nothing:
            if not self._step(buffer):
                return False
        return True

    def whole(self) -> bytes:
        """The body, once it is whole."""
        return bytes(self._data)

    def drain(self) -> bytes:
        """What was taken since the last call."""
        data = bytes(self._data)
        self._data.clear()
        return data

    def _take_size(self, buffer: bytearray) -> bool:
        line = self._take_line(buffer)
        if line is None:
            return False
        size = _SIZE_LINE.fullmatch(line)
        if size is None:
            raise BadRequest("a chunk has no proper size")
        self._left = int(size[1], 16)
        self._size += self._left
        if self._size > self._limit:
            raise TooLarge("The body", limit=self._limit, unit="bytes")
        self._step = self._take_data if self._left else self._take_trailer
        return True

    def _take_data(self, buffer: bytearray) -> bool:
        part = buffer[: self._left]
        del buffer[: self._left]
        self._data += part
        self._left -= len(part)
        if not self._left:
            self._step = self._take_end
        return not self._left

    def _take_end(self, buffer: bytearray) -> bool:
        if not _CR_LF.startswith(buffer[:2]):
            raise BadRequest("a chunk is longer than it says")
        if len(buffer) < len(_CR_LF):
            return False
        del buffer[:2]
        self._step = self._take_size
        return True

    def _take_trailer(self, buffer: bytearray) -> bool:
        line = self._take_line(buffer)
        if line is None:
            return False
        if line == _CR_LF:
            self._step = self._take_nothing
        elif not _TRAILER.fullmatch(line):
            raise BadRequest("its trailer is malformed")
        return True

    def _take_nothing(self, _: bytearray) -> bool:
        return False

    def _take_line(self, buffer: bytearray) -> bytes | None:
        """The next line with its end, or ``None`` while it is not all there."""
        end = buffer.find(b"\n", 0, LINE_BYTES) + 1
        if not end:
            if len(buffer) >= LINE_BYTES:
                raise BadRequest("a line between its chunks is too long")
            return None
        line = bytes(buffer[:end])
        del buffer[:end]
        self._overhead += end
        if self._overhead > self._size + OVERHEAD_BYTES:
            raise BadRequest("its chunks are too small")
        return line
