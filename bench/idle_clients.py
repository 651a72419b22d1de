"""Holds many idle WebSocket sessions open: ``python -m bench.idle_clients PORT COUNT``.

Prints ``open 3.21``, with the seconds it took, once every session has had its signal, and closes
them all when its standard input ends. Raw sockets, a few hundred bytes each, so that the figures
are the server's.
"""

import asyncio
import sys

from bench.measure import allow_many_files

AT_ONCE = 100
DEADLINE_S = 120.0
SIGNAL = b'{"type":"signal","data":"open"}'
CLOSE = b"\x88\x80\x00\x00\x00\x00"  # masked, as a client's frames must be, with a mask of zeros
HANDSHAKE = (
    b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)


class IdleClient(asyncio.Protocol):
    """One session that asks nothing."""

    def __init__(self) -> None:
        loop = asyncio.get_running_loop()
        self.opened: asyncio.Future[None] = loop.create_future()
        self.closed: asyncio.Future[None] = loop.create_future()
        self._came = b""
        self._transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin the handshake."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        transport.write(HANDSHAKE)

    def data_received(self, data: bytes) -> None:
        """Wait for the signal; what comes later is let go."""
        if self.opened.done():
            return
        self._came += data
        if SIGNAL in self._came:
            self._came = b""
            self.opened.set_result(None)

    def connection_lost(self, exc: Exception | None) -> None:
        """Note the end."""
        if not self.opened.done():
            self.opened.set_exception(exc or EOFError(self._came.decode(errors="replace")))
        self.closed.set_result(None)

    def leave(self) -> None:
        """Say goodbye; the server closes."""
        self._transport.write(CLOSE)


async def _open(port: int, places: asyncio.Semaphore) -> IdleClient:
    loop = asyncio.get_running_loop()
    async with places:
        _, client = await loop.create_connection(IdleClient, "127.0.0.1", port)
        await client.opened
    return client


async def hold(port: int, count: int) -> None:
    """Open so many sessions, say so, and close them when standard input ends."""
    places, loop = asyncio.Semaphore(AT_ONCE), asyncio.get_running_loop()
    began = loop.time()
    async with asyncio.timeout(DEADLINE_S):
        clients = await asyncio.gather(*(_open(port, places) for _ in range(count)))
    print(f"open {loop.time() - began:.3f}", flush=True)
    await asyncio.to_thread(sys.stdin.read)
    for client in clients:
        client.leave()
    async with asyncio.timeout(DEADLINE_S):
        await asyncio.gather(*(client.closed for client in clients))
    print("closed", flush=True)


if __name__ == "__main__":
    allow_many_files()
    asyncio.run(hold(int(sys.argv[1]), int(sys.argv[2])))
