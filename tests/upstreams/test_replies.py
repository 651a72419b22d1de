"""A reply leaves nothing behind, however its reading ends."""

import asyncio
import gc
from collections.abc import AsyncIterator
from contextlib import suppress
from weakref import ref

import httpx
import pytest

from upstreams.replies import released

PIECES = (b"one, ", b"two")


class Body(httpx.AsyncByteStream):
    """The pieces of a reply, which breaks off behind them."""

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for piece in PIECES:
            yield piece
        raise httpx.ReadError("reset")


def answer(_: httpx.Request) -> httpx.Response:
    """A reply with that body."""
    return httpx.Response(200, stream=Body())


async def read_some(pieces: int) -> "list[ref[httpx.Response]]":
    """Read so many pieces of a reply; what is left of it."""
    left = []
    async with httpx.AsyncClient(transport=httpx.MockTransport(answer)) as client:
        with suppress(httpx.ReadError):
            async with released(client.stream("GET", "http://a.test")) as response:
                left.append(ref(response))
                body = response.aiter_raw()
                for _ in range(pieces):
                    await anext(body)
    return left


@pytest.mark.parametrize("pieces", [0, len(PIECES) + 1])
async def test_reply_does_not_wait_for_the_collector(pieces: int) -> None:
    """Unread or broken off: with what was asked, it is gone."""
    gc.disable()
    try:
        assert [left() for left in await read_some(pieces)] == [None]
    finally:
        gc.enable()


class SlowToClose(httpx.AsyncByteStream):
    """A body of which a connection is freed at the end, some moments after that began."""

    def __init__(self) -> None:
        self.closing = asyncio.Event()
        self.freed = False

    async def __aiter__(self) -> AsyncIterator[bytes]:
        yield b"all of it"

    async def aclose(self) -> None:
        """Take a moment, as httpcore does."""
        self.closing.set()
        for _ in range(3):
            await asyncio.sleep(0)
        self.freed = True


@pytest.mark.parametrize("reads", [True, False])
async def test_cancelled_while_it_is_closed_its_connection_is_freed(reads: bool) -> None:
    """At the end of the body, where the reading closes it, or behind."""
    body = SlowToClose()
    transport = httpx.MockTransport(lambda _: httpx.Response(200, stream=body))

    async def ask() -> None:
        async with (
            httpx.AsyncClient(transport=transport) as client,
            released(client.stream("GET", "http://a.test")) as response,
        ):
            pieces = response.aiter_raw()
            while reads:
                await anext(pieces)

    asking = asyncio.ensure_future(ask())
    await body.closing.wait()
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    assert body.freed
