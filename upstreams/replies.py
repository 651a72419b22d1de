"""Replies that go when nobody holds them any more."""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import httpx


@asynccontextmanager
async def released(
    asking: AbstractAsyncContextManager[httpx.Response],
) -> AsyncIterator[httpx.Response]:
    """The reply that ``AsyncClient.stream`` gives, closed and let go at the end."""
    async with asking as response:
        try:
            yield response
        finally:
            await response.aclose()
            # It holds its stream and that holds it: with request and head forty objects a call
            # would wait for the collector, which looks at older ones hardly ever.
            response.stream = httpx.ByteStream(b"")
