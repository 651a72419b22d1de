"""A reply is gone as soon as nobody reads it any more."""

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
