"""Pieces of an answer that follow each other closely are read as one."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import pytest

from tests.providers.tiny_server import Seen, TinyServer, Wire
from upstreams.connection import MUCH_BYTES
from upstreams.direct import Body, DirectTransport

HEAD = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
END = b"0\r\n\r\n"
LONG_S, SHORT_S = 60.0, 0.01
LIMITS = httpx.Limits(max_connections=1, max_keepalive_connections=1, keepalive_expiry=60)


def chunk(text: bytes) -> bytes:
    """A piece of a body."""
    return b"%x\r\n%b\r\n" % (len(text), text)


class Service:
    """Sends one part after the other, each when it is told."""

    def __init__(self, *parts: bytes) -> None:
        self.parts = parts
        self.told: asyncio.Queue[None] = asyncio.Queue()

    async def __call__(self, _: Seen, wire: Wire) -> None:
        """Answer a call."""
        await wire.raw(HEAD)
        for part in self.parts:
            await self.told.get()
            if not part:
                wire.cut()
                return
            await wire.raw(part)

    def go_on(self, parts: int = 1) -> None:
        """Send so many more."""
        for _ in range(parts):
            self.told.put_nowait(None)


@asynccontextmanager
async def answered(service: Service, lull_s: float) -> AsyncIterator[AsyncIterator[bytes]]:
    """The pieces of an answer that has begun with ``a``, with that lull behind each."""
    transport = DirectTransport(LIMITS)
    async with TinyServer(service) as server, transport, asyncio.timeout(10):
        reply = await transport.handle_async_request(httpx.Request("GET", server.url))
        assert isinstance(reply.stream, Body)
        reply.stream.lull_s = lull_s
        pieces = aiter(reply.stream)
        service.go_on()
        assert await anext(pieces) == b"a"
        yield pieces
        await reply.aclose()


async def test_first_piece_is_told_at_once_and_the_others_with_the_end() -> None:
    """The end of an answer ends the lull."""
    service = Service(chunk(b"a"), chunk(b"b"), chunk(b"c"), END)
    async with answered(service, LONG_S) as pieces:
        service.go_on(3)
        assert [piece async for piece in pieces] == [b"bc"]


async def test_piece_waits_no_longer_than_the_lull() -> None:
    """However slowly the next ones come."""
    service = Service(chunk(b"a"), chunk(b"b"), chunk(b"c"))
    async with answered(service, SHORT_S) as pieces:
        for piece in (b"b", b"c"):
            service.go_on()
            assert await anext(pieces) == piece


async def test_much_is_told_in_a_lull() -> None:
    """No more is held back than that."""
    much = b"b" * MUCH_BYTES
    service = Service(chunk(b"a"), chunk(much))
    async with answered(service, LONG_S) as pieces:
        service.go_on()
        came = b""
        while len(came) < len(much):
            came += await anext(pieces)
        assert came == much


async def test_connection_that_breaks_off_in_a_lull_tells_what_has_come() -> None:
    """Then that it has broken off."""
    service = Service(chunk(b"a"), chunk(b"b"), b"")
    async with answered(service, LONG_S) as pieces:
        service.go_on(2)
        assert await anext(pieces) == b"b"
        with pytest.raises(httpx.TransportError):
            await anext(pieces)
