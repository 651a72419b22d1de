"""What a service says in answer to one call, as it comes in."""

from typing import Any

import httptools
import httpx

TALK_BYTES = 100 * 1024  # of what is no body: heads, fields behind a body, marks of chunks
FRAMED = frozenset({b"content-length", b"transfer-encoding"})


class Reply:
    """Status, fields and body of a reply, cut out of the stream by a parser in C.

    The ``on_`` methods are the parser's, which holds its reply until ``let_go``.
    """

    def __init__(self) -> None:
        self.status = 0  # once the head has come
        self.fields: list[tuple[bytes, bytes]] = []
        self.held = 0  # bytes of the body that nobody has taken yet
        self.is_whole = False
        self.leaves_open = False  # the connection may be used for another call, once it is whole
        self._parts: list[bytes] = []
        self._talk = 0
        self._parser: Any = httptools.HttpResponseParser(self)

    def feed(self, data: bytes | memoryview) -> None:
        """Take in what has come; raises RemoteProtocolError of httpx."""
        self._talk += len(data)
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade) as error:
            raise httpx.RemoteProtocolError("what came is no HTTP reply") from error
        if self._talk > TALK_BYTES:
            raise httpx.RemoteProtocolError("it says too much that is no body")

    def end(self) -> bool:
        """Nothing follows; whether that is the end of a whole reply."""
        if self.status and not FRAMED & {name.lower() for name, _ in self.fields}:
            self.is_whole = True
        return self.is_whole

    def take(self) -> bytes:
        """What has come of the body since, in one piece."""
        taken = self._parts[0] if len(self._parts) == 1 else b"".join(self._parts)
        self._parts.clear()
        self.held = 0
        return taken

    def let_go(self) -> None:
        """Nobody asks for the rest: reply and parser hold each other no longer."""
        self._parser = None

    def on_message_begin(self) -> None:
        """Another reply: the one that an interim one has announced, or one too much."""
        self.leaves_open = False
        if not self.is_whole:
            self.fields.clear()

    def on_header(self, name: bytes, value: bytes) -> None:
        """Keep a field of the head; those behind a body say nothing that is used."""
        if not self.status:
            self.fields.append((name, value))

    def on_headers_complete(self) -> None:
        """Note the status, if that is not an interim one."""
        status = self._parser.get_status_code()
        if not self.status and status >= httpx.codes.OK:
            self.status = status
            self._talk = 0

    def on_body(self, part: bytes) -> None:
        """Keep a part of the body."""
        if not self.is_whole:
            self._parts.append(part)
            self.held += len(part)
            self._talk = 0

    def on_message_complete(self) -> None:
        """Note the end, and whether the other side will take another call."""
        if self.status and not self.is_whole:
            self.is_whole = True
            self.leaves_open = self._parser.should_keep_alive()
