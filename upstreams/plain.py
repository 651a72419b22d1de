"""An httpx client for calls that need little of it."""

from collections.abc import Mapping
from contextlib import AsyncExitStack
from typing import Any

import httpx

BODIED = frozenset({"POST", "PUT", "PATCH"})  # have a body even where that is empty
PLAIN = frozenset({"content", "headers"})  # what a request may be given here


class PlainClient(httpx.AsyncClient):
    """Writes each request and hands it to its transport, without cookies.

    httpx's own way there costs more than the transport. It is taken for a request that wants more
    than fields and bytes, where the address has a name and a password, where a reply that leads
    elsewhere is to be followed (the first request is made twice then), and for its error where the
    client is closed.
    """

    def __init__(self, *, transport: httpx.AsyncBaseTransport, **options: Any) -> None:
        super().__init__(transport=transport, **options)
        self._plain = transport
        self._usual = {name.lower(): (name, value) for name, value in self.headers.raw}

    def build_request(self, method: str, url: httpx.URL | str, **options: Any) -> httpx.Request:
        """The request, as httpx writes it."""
        wanted = options.pop("timeout", httpx.USE_CLIENT_DEFAULT)
        patience = self.timeout if wanted is httpx.USE_CLIENT_DEFAULT else httpx.Timeout(wanted)
        given = {name: value for name, value in options.items() if value is not None}
        content, own = given.get("content"), given.get("headers", {})
        if not (given.keys() <= PLAIN and isinstance(content, bytes | None) and type(own) is dict):
            return super().build_request(method, url, timeout=patience, **options)
        where = httpx.URL(url)
        fields = self._fields(where, own, content or (b"" if method in BODIED else None))
        body, told = httpx.ByteStream(content or b""), {"timeout": patience.as_dict()}
        return httpx.Request(method, where, headers=fields, stream=body, extensions=told)

    async def send(self, request: httpx.Request, **options: Any) -> httpx.Response:
        """The reply; unless ``stream`` is true with its body."""
        if self.is_closed or request.url.userinfo:
            return await super().send(request, **options)
        response = await self._plain.handle_async_request(request)
        response.request = request
        leads_on = response.has_redirect_location and options.get("follow_redirects") is True
        hooks = self.event_hooks["response"]
        if options.get("stream") and not (leads_on or hooks):
            return response
        async with AsyncExitStack() as held:
            held.push_async_callback(response.aclose)
            if leads_on:
                await response.aclose()  # gives back its place, which the next call may need
                return await super().send(request, **options)
            for hook in hooks:
                await hook(response)
            if options.get("stream"):
                held.pop_all()
            else:
                await response.aread()
        return response

    def _fields(
        self, where: httpx.URL, own: Mapping[str, str], content: bytes | None
    ) -> list[tuple[bytes, bytes]]:
        """The fields of a request, its own in place of the usual ones; raises UnicodeError."""
        told = {
            name.lower().encode(): (name.encode(), text.encode("ascii"))
            for name, text in own.items()
        }
        if content is not None:
            told[b"content-length"] = (b"Content-Length", b"%d" % len(content))
        host = {b"host": (b"Host", where.netloc)}
        return [*(host | self._usual | told).values()]
