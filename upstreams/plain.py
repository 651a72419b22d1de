"""An httpx client for calls that need nothing of it."""

from typing import Any

import httpx


class PlainClient(httpx.AsyncClient):
    """Hands each request to its transport: no cookies, no redirects.

    httpx's own way from ``send`` to the transport costs about as much as the transport. It is taken
    where the address has a name and a password, where somebody has hooks, and for its error where
    the client is closed.
    """

    def __init__(self, *, transport: httpx.AsyncBaseTransport, **options: Any) -> None:
        super().__init__(transport=transport, **options)
        self._plain = transport

    async def send(self, request: httpx.Request, **options: Any) -> httpx.Response:
        """The reply; unless ``stream`` is true with its body."""
        if self.is_closed or request.url.userinfo or any(self.event_hooks.values()):
            return await super().send(request, **options)
        response = await self._plain.handle_async_request(request)
        response.request = request
        if not options.get("stream"):
            await response.aread()
        return response
