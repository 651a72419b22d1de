"""One connection to a service, which takes one call after the other."""

import asyncio
import select
from collections.abc import Callable
from contextlib import nullcontext

import httpx

from upstreams.reply import Reply
from upstreams.rings import let_go

READ_BYTES = 64 * 1024  # from a socket at once
HELD_BYTES = 64 * 1024  # of a body that nobody reads; more is left to the network
MUCH_BYTES = 16 * 1024  # of a body: told at once, also in a lull


class Connection(asyncio.BufferedProtocol):
    """Sends a request and tells the reply: HTTP/1.1, in the errors of httpx.

    Whoever has asked reads or not, and calls ``finish`` in the end. ``buffer`` is read into, and
    may be that of all connections: asyncio would ask for 256 kB of memory at each read, which cuts
    the program's into pieces, so that it grows for hours.
    """

    def __init__(self, buffer: bytearray) -> None:
        self._buffer = memoryview(buffer)
        self.idle_since_s = 0.0  # its owner's to set
        self._transport: asyncio.Transport
        self._reply: Reply | None = None
        self._waiter: asyncio.Future[None] | None = None
        self._failure: tuple[type[httpx.TransportError], str] | None = None
        self._is_full = False
        self._is_paused = False
        self._lull: asyncio.TimerHandle | None = None  # until then what comes is kept together

    @property
    def is_open(self) -> bool:
        """As far as the event loop has heard."""
        return not self._transport.is_closing()

    @property
    def is_silent(self) -> bool:
        """Whether nothing has come meanwhile, not even its end, of which the loop may not know."""
        if not self.is_open:
            return False
        poll = select.poll()
        poll.register(self._transport.get_extra_info("socket"), select.POLLIN)
        return not poll.poll(0)

    async def ask(self, request: bytes, *, write_s: float | None, read_s: float | None) -> Reply:
        """The reply, once its head has come; raises errors of httpx."""
        self._reply = reply = Reply()
        self._transport.write(request)
        if self._is_full:  # a service that refuses may do so before it has heard all
            written = lambda: not self._is_full or bool(reply.status)  # noqa: E731
            await self._until(written, write_s, httpx.WriteTimeout)
        await self._until(lambda: bool(reply.status), read_s, httpx.ReadTimeout)
        return reply

    async def read(self, *, read_s: float | None, lull_s: float = 0.0) -> bytes:
        """All that has come of the body since, at least a byte; nothing at its end.

        What comes in the ``lull_s`` seconds after is kept for the next read, unless the body ends
        or it is much.
        """
        reply = self._reply
        assert reply is not None
        await self._until(lambda: self._is_due(reply), read_s, httpx.ReadTimeout)
        self._resume()
        self._end_lull()
        if lull_s and not reply.is_whole:
            self._lull = asyncio.get_running_loop().call_later(lull_s, self._end_lull)
        return reply.take()

    def _is_due(self, reply: Reply) -> bool:
        """Whether there is something to tell now."""
        least = 1 if self._lull is None else MUCH_BYTES
        return reply.is_whole or reply.held >= least

    def _end_lull(self) -> None:
        if self._lull is not None:
            self._lull.cancel()
            self._lull = None
        self._wake()

    def finish(self) -> bool:
        """Let the reply go; whether another call may be made, else the connection is closed."""
        reply, self._reply = self._reply, None
        self._end_lull()
        if reply is not None:
            reply.let_go()
            self._resume()
        is_idle = reply is not None and reply.leaves_open and self.is_open
        if not is_idle or self._transport.get_write_buffer_size():
            self.close()
        return self.is_open

    def close(self) -> None:
        """Close it at once; whoever reads gets an error."""
        self._fail(httpx.ReadError, "the connection was closed here")
        self._transport.abort()

    async def _until(
        self, ready: Callable[[], bool], within_s: float | None, late: type[httpx.TimeoutException]
    ) -> None:
        try:
            async with asyncio.timeout(within_s) if within_s is not None else nullcontext():
                while not ready():
                    await self._news()
        except TimeoutError:
            raise late("it took too long") from None

    async def _news(self) -> None:
        """Wait until something has happened."""
        if self._failure is not None:
            kind, problem = self._failure
            raise kind(problem)
        self._waiter = asyncio.get_running_loop().create_future()
        await self._waiter

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def _resume(self) -> None:
        if self._is_paused:
            self._is_paused = False
            self._transport.resume_reading()

    def _fail(self, kind: type[httpx.TransportError], problem: str) -> None:
        self._failure = self._failure or (kind, problem)
        self._end_lull()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """See asyncio.BufferedProtocol, as for the following."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def get_buffer(self, sizehint: int) -> memoryview:  # noqa: ARG002 (asyncio's own name)
        """Where what comes is read into."""
        return self._buffer

    def buffer_updated(self, nbytes: int) -> None:
        """Nothing may come that nobody has asked for."""
        if self._reply is None:
            self.close()
            return
        try:
            self._reply.feed(self._buffer[:nbytes])
        except httpx.RemoteProtocolError as error:
            self._fail(httpx.RemoteProtocolError, str(error))
            self.close()
            return
        if self._reply.held > HELD_BYTES and not self._is_paused:
            self._is_paused = True
            self._transport.pause_reading()
        if self._lull is None or self._is_due(self._reply):
            self._wake()

    def connection_lost(self, error: Exception | None) -> None:
        """The end of the reply, where no other was announced."""
        if error is not None:
            self._fail(httpx.ReadError, "the connection broke off")
        elif self._failure is None and (self._reply is None or not self._reply.end()):
            self._fail(httpx.RemoteProtocolError, "the connection was closed within the reply")
        self._wake()
        let_go(self._transport)

    def pause_writing(self) -> None:
        """The other side does not read."""
        self._is_full = True

    def resume_writing(self) -> None:
        """It does again."""
        self._is_full = False
        self._wake()
