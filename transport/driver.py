"""One WebSocket: between asyncio's transport and websockets' protocol, which does no I/O."""

import asyncio
import struct
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import cast

from websockets.frames import CloseCode
from websockets.protocol import State

from protocol.connection import ConnectionGone
from transport.arrivals import Arrivals
from transport.inbound import Inbound
from transport.reader import READ_BYTES
from transport.traffic import Flow
from upstreams.rings import let_go

REASON_BYTES = 123  # of a close frame (RFC 6455 5.5)
UNSENT_BYTES = 32 * 1024  # kept for a client; above it, it is waited for
# Below the minute after which most proxies cut what is silent. Who has said nothing from one ping
# to the next is gone.
PING_S = 45.0
CLOSE_S = 4.0  # a client that never closes its end holds up a stop for this long


def text_frame(data: bytes) -> bytes:
    """A whole text frame as a server sends it, unmasked (RFC 6455 5.2).

    The same that websockets' ``send_text`` makes, in a fraction of the time: it is what we do most.
    """
    size = len(data)
    if size < 126:  # noqa: PLR2004 (the lengths that one byte tells)
        return b"\x81%c%b" % (size, data)
    if size < 1 << 16:
        return struct.pack("!BBH", 0x81, 126, size) + data
    return struct.pack("!BBQ", 0x81, 127, size) + data


@dataclass(slots=True)
class Shared:
    """What all sockets have in common.

    ``buffer`` is where each is read into, ``flow`` counts, ``arrivals`` bounds what waits.
    """

    flow: Flow
    arrivals: Arrivals
    buffer: bytearray = field(default_factory=lambda: bytearray(READ_BYTES))


class Socket(asyncio.BufferedProtocol):
    """A WebSocket whose client can neither hold up the others nor make us keep what it sends.

    asyncio reads 256 kB at a time: filled with empty frames they would hold up the event loop for
    half a second, so a smaller buffer is read into, the same one for all sockets. Nothing more is
    read while a message waits: one client can make us keep the one that is being dealt with, one
    more, and ``READ_BYTES``.

    It is a ``protocol.connection.Connection``. Thousands are idle: what an idle one does not need
    is made when it is needed.
    """

    __slots__ = (
        "_arrived",
        "_drained",
        "_gone",
        "_is_ending",
        "_is_heard",
        "_is_lost",
        "_shared",
        "_timer",
        "inbound",
        "transport",
    )

    def __init__(self, inbound: Inbound, shared: Shared) -> None:
        self.inbound = inbound
        self.transport: asyncio.Transport
        self._shared = shared
        self._timer: asyncio.TimerHandle | None = None  # of the next ping, or of the end
        self._arrived: asyncio.Future[None] | None = None  # somebody waits for a message
        self._drained: asyncio.Event | None = None  # the client is slow
        self._gone: asyncio.Event | None = None  # somebody waits for the end
        self._is_heard = True  # the client has said something since the last ping
        self._is_ending = False
        self._is_lost = False

    @property
    def subprotocol(self) -> str | None:
        """The subprotocol both sides agreed on, if any."""
        return self.inbound.subprotocol

    async def frames(self) -> AsyncIterator[str | bytes]:
        """The client's frames in order; ends when the client has left, however it left."""
        while (message := await self._next()) is not None:
            yield message
            self.inbound.deal()
            self._note()

    async def send(self, frame: str, *, within_s: float | None = None) -> None:
        """See protocol.connection."""
        # asyncio takes what is written to a broken transport, and does not wait: nor may we.
        if self.inbound.state is not State.OPEN or self.transport.is_closing():
            raise ConnectionGone
        data = frame.encode()
        self._shared.flow.sent += len(data)
        self.transport.write(text_frame(data))
        if self._drained is not None:
            async with asyncio.timeout(within_s):
                await self._drained.wait()
            if self._is_lost:
                raise ConnectionGone

    async def close(self, code: int = 1000, reason: str = "") -> None:
        """Close with a code; does nothing when it is closed already."""
        self.leave(code, reason)
        if not self._is_lost:
            self._gone = self._gone or asyncio.Event()
            await self._gone.wait()

    def leave(self, code: int, reason: str) -> None:
        """Begin to close with a code; nothing that comes is dealt with any more."""
        if self.inbound.state is State.OPEN:
            self.inbound.send_close(code, reason.encode()[:REASON_BYTES].decode(errors="ignore"))
            self.inbound.drop()
            self.flush()
            self._note()

    def give_up(self) -> None:
        """Cut the client off, with a word if it is reading."""
        self.inbound.fail(CloseCode.TRY_AGAIN_LATER, "too much has come at once")
        self.inbound.drop()
        self.flush()
        self.transport.abort()

    # what asyncio calls

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin to look after the client."""
        self.transport = cast("asyncio.Transport", transport)
        self.transport.set_write_buffer_limits(UNSENT_BYTES)
        self._set_timer(PING_S, self._keep_alive)

    def get_buffer(self, sizehint: int) -> bytearray:  # noqa: ARG002 (asyncio's own name)
        """Where the next bytes are to be put."""
        return self._shared.buffer

    def buffer_updated(self, nbytes: int) -> None:
        """Take in what came."""
        self._shared.flow.received += nbytes
        self.take_in(bytes(memoryview(self._shared.buffer)[:nbytes]))

    def take_in(self, data: bytes) -> None:
        """Take in frames."""
        self._is_heard = True
        self.inbound.receive_data(data)
        self.inbound.events_received()  # it has collected what is of interest
        self.flush()
        self._offer()
        self._note()

    def eof_received(self) -> None:
        """Let asyncio close the socket: nothing more comes."""
        self.inbound.receive_eof()
        self.flush()

    def pause_writing(self) -> None:
        """Wait for the client, and answer no ping meanwhile."""
        self._drained = asyncio.Event()
        self.inbound.is_unread = True

    def resume_writing(self) -> None:
        """Go on writing."""
        self._let_write()
        self.inbound.read_again()
        self.flush()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 (asyncio's own name)
        """Forget the client, and tell all who wait for it."""
        self._is_lost = True
        self.inbound.end()
        self._shared.arrivals.note(self, 0)
        self._set_timer(None)
        self._let_write()
        self._let_read()
        if self._gone is not None:
            self._gone.set()
        let_go(self.transport)

    # what comes

    async def _next(self) -> str | bytes | None:
        """The next message; ``None`` when there is none, and none comes any more."""
        while not self.inbound.waiting:
            if self._is_lost:
                return None
            self._arrived = asyncio.get_running_loop().create_future()
            await self._arrived
        message = self.inbound.take()
        if not self.inbound.waiting:
            self.transport.resume_reading()
        return message

    def _offer(self) -> None:
        """Give a message to who waits for it; read no more while there is another."""
        taken = self._arrived is not None and not self._arrived.done()
        if self.inbound.waiting > taken and not self._is_ending:
            self.transport.pause_reading()
        if self.inbound.waiting:
            self._let_read()

    def _let_read(self) -> None:
        if self._arrived is not None and not self._arrived.done():
            self._arrived.set_result(None)
        self._arrived = None

    def _note(self) -> None:
        if not self.transport.is_closing():
            self._shared.arrivals.note(self, self.inbound.held)

    # what goes

    def flush(self) -> None:
        """Write what is to be sent; a client that is to be gone has ``CLOSE_S`` for it."""
        writes = self.inbound.data_to_send()
        if writes:
            self.transport.write(b"".join(writes))
            if not writes[-1]:  # websockets' sign of the end
                self._write_eof()
        if self.inbound.state is not State.OPEN and not self._is_ending:
            self._is_ending = True
            self.transport.resume_reading()
            self._set_timer(CLOSE_S, self.transport.abort)

    def _write_eof(self) -> None:
        try:
            self.transport.write_eof()
        except OSError:  # the client has reset the connection, and asyncio does not know yet
            self.transport.abort()

    def _let_write(self) -> None:
        if self._drained is not None:
            self._drained.set()
            self._drained = None

    # time

    def _keep_alive(self) -> None:
        """Ask whether the client is there, or give it up when it has not answered."""
        self._set_timer(PING_S, self._keep_alive)
        if self.inbound.is_unread or self.inbound.waiting:
            return  # it could not be asked, or not be heard
        if self._is_heard:
            self._is_heard = False
            self.inbound.send_ping(b"")
        else:
            self.inbound.fail(CloseCode.INTERNAL_ERROR, "no answer to a ping")
        self.flush()

    def _set_timer(self, after_s: float | None, call: Callable[[], None] | None = None) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if after_s is not None and call is not None:
            self._timer = asyncio.get_running_loop().call_later(after_s, call)
