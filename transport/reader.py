"""Cuts what comes from a client into requests; knows nothing of sockets."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from protocol.base import Value
from transport.body import Body, body_of
from transport.head import Head, check_beginning, read_head
from transport.refusals import HeadTooLarge

READ_BYTES = 16 * 1024  # from a socket at once

_END = b"\r\n\r\n"
_LINE = rb"(?im)^%b:[ \t]*([!-~]+)[ \t]*\r$"  # a field of a head that was not read as a whole


@dataclass(frozen=True, slots=True)
class ReadLimits:
    """How many bytes a head and a body may have.

    ``streamed`` names those requests, by method and path, whose body is used while it comes, and
    how many bytes each may have.
    """

    head_bytes: int
    body_bytes: int
    streamed: Mapping[tuple[str, str], int] = field(default_factory=dict)


class Incoming(Value, frozen=True):
    """A whole request; of an upgrade, ``data`` is what came after the head.

    Of a streamed one it is empty: its body is taken with ``RequestReader.piece``.
    """

    head: Head
    data: bytes
    is_streamed: bool = False


class RequestReader:
    """Keeps what has come until it is a whole request.

    One request is taken at a time; what follows it stays in the buffer, whose owner stops reading
    from the socket when there is too much of it.
    """

    __slots__ = ("_body", "_buffer", "_head", "_limits", "_seen")

    def __init__(self, limits: ReadLimits) -> None:
        self._limits = limits
        self._buffer = bytearray()
        self._seen = 0
        self._head: Head | None = None
        self._body: Body | None = None

    @property
    def waiting(self) -> int:
        """Bytes that nobody has taken yet."""
        return len(self._buffer)

    @property
    def begun(self) -> bool:
        """Whether a part of a request is here."""
        return self._head is not None or bool(self._buffer)

    @property
    def expects_continue(self) -> bool:
        """Whether the client wants to be asked for the body whose head is here."""
        return self._head is not None and self._head.expects_continue and not self._buffer

    def feed(self, data: bytes) -> None:
        """Take in what came."""
        self._buffer += data

    def next(self) -> Incoming | None:
        """The next whole request, or ``None`` while it is not all there.

        Raises a ServiceError for what is no request, or too large: nothing can be read after it.
        """
        if self._head is None:
            self._head = self._read_head()
        if self._head is None:
            return None
        if self._head.is_upgrade:
            return Incoming(self._head, bytes(self._buffer))
        limit = self._limits.streamed.get((self._head.method, self._head.path.rstrip("/")))
        if limit is not None:
            self._body = body_of(self._head.length, limit)
            return Incoming(self._head, b"", is_streamed=True)
        return self._read_body(self._head)

    def piece(self) -> tuple[bytes, bool]:
        """What has come of a streamed body since the last call, and whether that was its end.

        Raises a ServiceError for what is no body, or too large: nothing can be read after it.
        """
        assert self._body is not None
        whole = self._body.take(self._buffer)
        data = self._body.drain()
        if whole:
            self._head = self._body = None
        return data, whole

    def field(self, name: str) -> str:
        """What a field of the request says, as far as that is known of one that is refused."""
        if self._head is not None:
            return self._head.headers.get(name, "")
        found = re.search(_LINE % name.encode(), self._buffer)
        return found[1].decode("ascii") if found else ""

    @property
    def host(self) -> str:
        """Who was asked, as far as that is known."""
        return self._head.host if self._head is not None else self.field("host")

    def _read_head(self) -> Head | None:
        while self._buffer.startswith(b"\r\n"):  # RFC 9112 2.2: empty lines before a request
            del self._buffer[:2]
        end = self._buffer.find(_END, max(self._seen - len(_END), 0)) + len(_END)
        complete = end >= len(_END)
        if (end if complete else len(self._buffer)) > self._limits.head_bytes:
            raise HeadTooLarge("in all", limit=self._limits.head_bytes, unit="bytes")
        if not complete:
            check_beginning(self._buffer, self._seen)
            self._seen = len(self._buffer)
            return None
        head = read_head(bytes(self._buffer[:end]))
        self._seen = 0
        del self._buffer[:end]
        return head

    def _read_body(self, head: Head) -> Incoming | None:
        if self._body is None:
            self._body = body_of(head.length, self._limits.body_bytes)
        if not self._body.take(self._buffer):
            return None
        incoming = Incoming(head, self._body.whole())
        self._head = self._body = None
        return incoming
