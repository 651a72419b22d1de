"""HTTP to services that the settings name: a transport for httpx at a third of its own's cost.

httpx's own passes each piece of a reply through five layers in Python, and looks at every
connection of its pool at each call.
"""

import asyncio
import re
from collections.abc import AsyncIterator, Mapping
from contextlib import ExitStack
from urllib.request import getproxies

import httpx

from upstreams.connection import READ_BYTES, Connection
from upstreams.replies import CLOSED_AT_ONCE

PORTS = {"http": 80, "https": 443}
SECOND_FAMILY_S = 0.25  # after which an address of the other family is tried beside the first
NUMERIC = re.compile(r"[0-9.]+|.*:.*")  # has one address; the race of several leaves rings behind
PROXIED = ("http", "https", "all")
Origin = tuple[str, str, int]
Timeouts = Mapping[str, float | None]

_LINE = re.compile(rb"[A-Z]+ [!-~]+")
_FIELD = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+: (?:[!-~\x80-\xff]+(?:[ \t]+[!-~\x80-\xff]+)*)?")


def direct(limits: httpx.Limits) -> httpx.AsyncBaseTransport | None:
    """A new ``DirectTransport``; ``None`` where the environment names proxies: httpx knows them.

    Raises OSError where the environment names certificates that cannot be used.
    """
    proxies = getproxies()
    if any(proxies.get(scheme) for scheme in PROXIED):
        return None
    return DirectTransport(limits)


class DirectTransport(httpx.AsyncBaseTransport):
    """Calls over a bounded number of connections, which are kept for a while for further ones."""

    def __init__(self, limits: httpx.Limits) -> None:
        """Open nothing yet; ``limits`` names each; idle connections come beside busy ones."""
        self._places = asyncio.Semaphore(limits.max_connections or 0)
        self._most_idle = limits.max_keepalive_connections or 0
        self._idle_s = limits.keepalive_expiry or 0.0
        self._idle: list[tuple[Origin, Connection]] = []  # the newest is the last
        self._busy: set[Connection] = set()
        self._buffer = bytearray(READ_BYTES)  # what is in there has been dealt with at once
        self._secure = httpx.create_ssl_context()
        self._secure.set_alpn_protocols(["http/1.1"])

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """The head of the reply; its body is read from the stream."""
        timeouts: Timeouts = request.extensions.get("timeout", {})
        origin, sent = origin_of(request.url), written(request, await request.aread())
        await self._place(timeouts.get("pool"))
        with ExitStack() as held:
            held.callback(self._places.release)
            kept = self._kept(origin)
            connection = kept or await self._connected(origin, timeouts.get("connect"))
            self._busy.add(connection)
            held.callback(self._finish, origin, connection)
            write_s, read_s = timeouts.get("write"), timeouts.get("read")
            reply = await connection.ask(sent, write_s=write_s, read_s=read_s)
            body = Body(connection, read_s, held.pop_all())
        return httpx.Response(
            reply.status, headers=reply.fields, stream=body, extensions={CLOSED_AT_ONCE: True}
        )

    async def aclose(self) -> None:
        """Close all connections; calls under way fail."""
        for connection in (*self._busy, *(idle for _, idle in self._idle)):
            connection.close()
        self._idle.clear()

    async def _place(self, pool_s: float | None) -> None:
        try:
            async with asyncio.timeout(pool_s):
                await self._places.acquire()
        except TimeoutError:
            raise httpx.PoolTimeout("too many calls are under way") from None

    async def _connected(self, origin: Origin, connect_s: float | None) -> Connection:
        scheme, host, port = origin
        secure = self._secure if scheme == "https" else None
        connecting = asyncio.get_running_loop().create_connection(
            lambda: Connection(self._buffer),
            host,
            port,
            ssl=secure,
            happy_eyeballs_delay=None if NUMERIC.fullmatch(host) else SECOND_FAMILY_S,
        )
        try:
            async with asyncio.timeout(connect_s):
                return (await connecting)[1]
        except TimeoutError as error:
            raise httpx.ConnectTimeout("it took too long to connect") from error
        except OSError as error:
            raise httpx.ConnectError("it cannot be connected to") from error

    def _kept(self, origin: Origin) -> Connection | None:
        """The connection to there that was in use last; those idle for too long are closed."""
        newest_s = asyncio.get_running_loop().time() - self._idle_s
        while self._idle and self._idle[0][1].idle_since_s < newest_s:
            self._idle.pop(0)[1].close()
        for at in reversed(range(len(self._idle))):
            if self._idle[at][0] == origin:
                connection = self._idle.pop(at)[1]
                if connection.is_silent:
                    return connection
                connection.close()
        return None

    def _finish(self, origin: Origin, connection: Connection) -> None:
        """Nobody reads the reply any more."""
        self._busy.discard(connection)
        if connection.finish():
            connection.idle_since_s = asyncio.get_running_loop().time()
            self._idle.append((origin, connection))
        if len(self._idle) > self._most_idle:
            self._idle.pop(0)[1].close()


class Body(httpx.AsyncByteStream):
    """The body of a reply, as httpx wants it: what has come together is one piece.

    ``lull_s`` is for how long after a piece what comes is kept together.
    """

    def __init__(self, connection: Connection, read_s: float | None, held: ExitStack) -> None:
        self.lull_s = 0.0
        self._connection = connection
        self._read_s = read_s
        self._held = held

    async def __aiter__(self) -> AsyncIterator[bytes]:
        read = self._connection.read
        while part := await read(read_s=self._read_s, lull_s=self.lull_s):
            yield part

    async def aclose(self) -> None:
        """Free the connection, or close it where more would come."""
        self._held.close()


def origin_of(url: httpx.URL) -> Origin:
    """Scheme, host and port; raises UnsupportedProtocol of httpx."""
    if url.scheme not in PORTS or not url.host:
        raise httpx.UnsupportedProtocol("its address is none of http or https")
    return url.scheme, url.raw_host.decode("ascii"), url.port or PORTS[url.scheme]


def written(request: httpx.Request, body: bytes) -> bytes:
    """The request as it is sent, with its body; raises LocalProtocolError of httpx.

    What a setting says may stand in the address and in a header: nothing in there ends a line.
    """
    line = b"%b %b" % (request.method.encode(), request.url.raw_path)
    fields = [b"%b: %b" % field for field in request.headers.raw]
    is_sound = _LINE.fullmatch(line) and all(map(_FIELD.fullmatch, fields))
    if not is_sound or "transfer-encoding" in request.headers:
        raise httpx.LocalProtocolError("the request cannot be sent")
    return b"\r\n".join((line + b" HTTP/1.1", *fields, b"", body))
