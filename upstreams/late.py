"""Connections to sites that anybody may name, opened when they are first needed."""

from collections.abc import Callable

import httpx


class AddressRefused(httpx.ConnectError):
    """A name that stands for an address which must not be connected to."""


class LateTransport(httpx.AsyncBaseTransport):
    """What ``make`` gives, made at the first request: its import is a tenth of a start."""

    def __init__(self, make: Callable[[], httpx.AsyncBaseTransport]) -> None:
        self._make = make
        self._made: httpx.AsyncBaseTransport | None = None

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """The head of the reply; its body is read from the stream."""
        if self._made is None:
            self._made = self._make()
        return await self._made.handle_async_request(request)

    async def aclose(self) -> None:
        """Close all connections, if there was a request."""
        if self._made is not None:
            await self._made.aclose()
