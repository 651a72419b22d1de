"""Replies that leave nothing behind, however their reading ends."""

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

import httpx

CLOSED_AT_ONCE = "perplexica.closed_at_once"  # of a reply whose stream never waits as it is closed


async def to_the_end(work: Coroutine[Any, Any, None]) -> None:
    """Do the work, which must be short; who is cancelled meanwhile leaves when it is done."""
    working = asyncio.ensure_future(work)
    try:
        await asyncio.shield(working)
    except asyncio.CancelledError:
        await asyncio.wait({working})
        raise


class ClosedWhole(httpx.AsyncByteStream):
    """A stream that is closed to the end, once that has begun.

    httpcore waits a moment as it closes one; cancelled then, it would count the connection as in
    use for ever, and in the end all of its pool. It shields that from anyio's cancellations only.
    """

    def __init__(self, stream: httpx.AsyncByteStream) -> None:
        self._stream = stream

    def __aiter__(self) -> AsyncIterator[bytes]:
        return aiter(self._stream)

    async def aclose(self) -> None:
        """Close it."""
        await to_the_end(self._stream.aclose())


@asynccontextmanager
async def released(
    asking: AbstractAsyncContextManager[httpx.Response],
) -> AsyncIterator[httpx.Response]:
    """The reply that ``AsyncClient.stream`` gives, closed and let go at the end."""
    async with asking as response:
        assert isinstance(response.stream, httpx.AsyncByteStream)
        if CLOSED_AT_ONCE not in response.extensions:
            response.stream = ClosedWhole(response.stream)
        try:
            yield response
        finally:
            await response.aclose()
            # It holds its stream and that holds it: with request and head forty objects a call
            # would wait for the collector, which looks at older ones hardly ever.
            response.stream = httpx.ByteStream(b"")
