"""Cutting a stream of bytes into lines."""


class LineTooLong(Exception):
    """No end of line came within the limit."""


class Lines:
    """The lines in a stream of chunks; holds at most one unfinished line, of bounded length."""

    def __init__(self, *, limit: int) -> None:
        self._limit = limit
        self._parts: list[bytes] = []
        self._held = 0

    def feed(self, chunk: bytes) -> list[bytes]:
        """The lines that are complete with this chunk, without their ends.

        Raises:
            LineTooLong: A line has grown over the limit.

        """
        *ended, rest = chunk.split(b"\n")
        if ended:
            ended[0] = self._join(ended[0])
        self._hold(rest)
        if ended and len(max(ended, key=len)) > self._limit:
            raise LineTooLong
        return ended

    def rest(self) -> list[bytes]:
        """The last line where the stream ended without an end of line; else nothing."""
        line = self._join(b"")
        return [line] if line else []

    def _join(self, part: bytes) -> bytes:
        line = b"".join((*self._parts, part)) if self._parts else part
        self._parts.clear()
        self._held = 0
        return line

    def _hold(self, part: bytes) -> None:
        self._held += len(part)
        if self._held > self._limit:
            raise LineTooLong
        if part:
            self._parts.append(part)
