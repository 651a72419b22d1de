"""Servers on every address of a network that has nothing but a loopback device.

All addresses there are this machine's, so that metadata services, private networks and the open
internet are at hand. The open ones serve a page at the ports of the web; a connection to anything
else is one to a canary, and is counted.
"""

import asyncio
from contextlib import AsyncExitStack, suppress
from typing import Self
from urllib.parse import parse_qs, quote, urlsplit

from upstreams.addresses import plain

PUBLIC = (
    *("93.184.216.34", "1.1.1.1", "8.8.8.8", "9.9.9.9", "151.101.1.69"),
    *("2606:4700::1111", "2001:4860:4860::8888", "2620:fe::fe"),
)
PLAIN, SECURE = (80, 8080), (443, 8443)
OTHERS = (21, 22, 25, 70, 389, 2628, 6379, 9200, 11434)
PORTS = (*PLAIN, *SECURE, *OTHERS)
ASIDE = ("127.9.9.9", "fd99::9")  # no canaries: who has an answer from there knows all were counted
PAGE = b"<title>Open</title><p>The lighthouse is 41 metres tall.</p>"
DEADLINE_S = 5.0


class Canaries:
    """``hits`` are the addresses and ports of canaries that were connected to."""

    def __init__(self) -> None:
        self.hits: list[tuple[str, int]] = []
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        for port in PORTS:
            server = await asyncio.start_server(self._accepted, ["0.0.0.0", "::"], port)
            await self._stack.enter_async_context(server)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    async def settled(self) -> None:
        """Return once all connections made before are counted: sockets take them in turn."""
        for host in ASIDE:
            for port in PORTS:
                reader, writer = await asyncio.open_connection(host, port)
                writer.write(b"GET / HTTP/1.1\r\n\r\n")
                with suppress(ConnectionError):  # it was taken, and closed before it was read
                    await reader.read()
                writer.close()

    async def _accepted(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        address, port = writer.get_extra_info("sockname")[:2]
        where = str(plain(address))
        is_open = where in PUBLIC and port in (*PLAIN, *SECURE)
        if not is_open and where not in ASIDE:
            self.hits.append((where, port))
        try:
            async with asyncio.timeout(DEADLINE_S):
                if port not in SECURE:
                    writer.write(reply(await reader.readuntil(b"\r\n\r\n")))
                    await writer.drain()
        except (TimeoutError, OSError, EOFError, asyncio.LimitOverrunError):
            pass
        finally:
            writer.close()


def moving(target: str, *, status: int = 302, hops: int = 1) -> str:
    """The path from which so many redirects lead to the target."""
    return f"/to?status={status}&hops={hops}&target={quote(target, safe='')}"


def reply(head: bytes) -> bytes:
    """A page, or one of the redirects of ``moving``."""
    target = head.split(b" ", 2)[1].decode("latin-1")
    asked = {key: values[0] for key, values in parse_qs(urlsplit(target).query).items()}
    if "target" not in asked:
        return _http(200, b"Content-Type: text/html\r\n", PAGE)
    to, status, hops = asked["target"], int(asked["status"]), int(asked["hops"]) - 1
    location = moving(to, status=status, hops=hops) if hops else to
    return _http(status, b"Location: " + location.encode() + b"\r\n", b"")


def _http(status: int, headers: bytes, body: bytes) -> bytes:
    length = b"Content-Length: %d\r\n" % len(body)
    return b"HTTP/1.1 %d X\r\nConnection: close\r\n%b%b\r\n%b" % (status, headers, length, body)
