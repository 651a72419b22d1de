"""WebSockets, by websockets' own connection: handing a socket to it, and our view of it."""

import asyncio
import logging
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import cast

import structlog
from websockets.asyncio.server import Server, ServerConnection
from websockets.datastructures import Headers
from websockets.exceptions import ConnectionClosed
from websockets.frames import CloseCode
from websockets.http11 import Request
from websockets.typing import Subprotocol

from access.gate import Gate
from access.proofs import NO_PROOF, Proof
from protocol.access import Identify
from protocol.connection import Connection, ConnectionGone
from protocol.frames import SUBPROTOCOL
from protocol.settings import Limits
from transport.arrivals import Arrivals
from transport.head import Head, tokens
from transport.inbound import Bucket, Inbound
from transport.reader import READ_BYTES, Incoming
from transport.refusals import VERSION, BadRequest, MethodNotAllowed, UpgradeRequired
from transport.traffic import Flow

log = structlog.get_logger()

REASON_BYTES = 123  # of a close frame (RFC 6455 5.5)
# Nothing more is read while a message waits: one client can make us keep the one that is being
# dealt with, one more, and READ_BYTES.
QUEUED_FRAMES = 0
PING_S = 30.0
CLOSE_S = 4.0  # a client that never closes its end holds up a stop for this long

_KEY = re.compile(r"[A-Za-z0-9+/]{22}==")
_HANDSHAKE = (
    b"GET / HTTP/1.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: %b\r\n"
)
# In the place of the head of each: nobody reads it any more, and with that of the answer it takes
# more than a kilobyte. Without any, websockets would take the next frame for a head (17.4).
_FORGOTTEN = Request("/", Headers())
_OFFER = f"Sec-WebSocket-Protocol: {SUBPROTOCOL}\r\n".encode()

Converse = Callable[[Connection, Mapping[str, str], Identify], Awaitable[None]]


@dataclass(slots=True)
class Shared:
    """What all sockets have in common: one thing more in each of them costs a kilobyte.

    ``buffer`` is where each is read into, ``flow`` counts, ``arrivals`` bounds what waits.
    """

    flow: Flow
    arrivals: Arrivals
    buffer: bytearray = field(default_factory=lambda: bytearray(READ_BYTES))


class Socket(ServerConnection, asyncio.BufferedProtocol):
    """A WebSocket whose client can neither hold up the others nor make us keep what it sends.

    asyncio reads 256 kB at a time: filled with empty frames they would hold up the event loop for
    half a second, so a smaller buffer is read into, the same one for all sockets.
    """

    query: Mapping[str, str] = {}  # replaced at the hand-over, emptied at the start
    proof: Proof = NO_PROOF
    shared: Shared
    _ending: asyncio.TimerHandle | None = None

    @property
    def inbound(self) -> Inbound:
        """What comes from the client."""
        return cast("Inbound", self.protocol)

    def get_buffer(self, sizehint: int) -> bytearray:  # noqa: ARG002 (asyncio's own name)
        """Where the next bytes are to be put."""
        return self.shared.buffer

    def buffer_updated(self, nbytes: int) -> None:
        """Take in what came."""
        self.shared.flow.received += nbytes
        self.take_in(bytes(memoryview(self.shared.buffer)[:nbytes]))

    def take_in(self, data: bytes) -> None:
        """Take in frames; a client that is to be gone has ``CLOSE_S`` for it."""
        self.data_received(data)
        self._note()
        if self.protocol.close_expected() and self._ending is None:
            self._ending = self.loop.call_later(CLOSE_S, self.transport.abort)

    def deal(self) -> None:
        """Let go of the message that was received last: it has been dealt with."""
        self.inbound.deal()
        self._note()

    def give_up(self) -> None:
        """Cut the client off, with a word if it is reading."""
        self.protocol.fail(CloseCode.TRY_AGAIN_LATER, "too much has come at once")
        self.send_data()
        self.transport.abort()

    def pause_writing(self) -> None:
        """Wait for the client, and answer no ping meanwhile."""
        super().pause_writing()
        self.inbound.is_unread = True

    def resume_writing(self) -> None:
        """Go on writing."""
        super().resume_writing()
        self.inbound.read_again()
        self.send_data()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the client."""
        super().connection_lost(exc)
        self.shared.arrivals.note(self, 0)
        if self._ending is not None:
            self._ending.cancel()

    def _note(self) -> None:
        if not self.transport.is_closing():
            self.shared.arrivals.note(self, self.inbound.held)


class SocketConnection:
    """What the program sees of a WebSocket: a ``protocol.connection.Connection``."""

    __slots__ = ("_socket",)

    def __init__(self, socket: Socket) -> None:
        self._socket = socket

    @property
    def subprotocol(self) -> str | None:
        """The subprotocol both sides agreed on, if any."""
        return self._socket.subprotocol

    async def frames(self) -> AsyncIterator[str | bytes]:
        """The client's frames in order; ends when the client has left, however it left."""
        try:
            while True:
                yield await self._socket.recv()
                self._socket.deal()
        except ConnectionClosed:
            return

    async def send(self, frame: str) -> None:
        """Send a text frame; waits while the client is slow; raises ConnectionGone."""
        try:
            self._socket.shared.flow.sent += len(frame) if frame.isascii() else len(frame.encode())
            await self._socket.send(frame)
        except ConnectionClosed as error:
            raise ConnectionGone from error

    async def close(self, code: int = 1000, reason: str = "") -> None:
        """Close with a code; does nothing when it is closed already."""
        short = reason.encode()[:REASON_BYTES].decode(errors="ignore")
        await self._socket.close(code, short)


class HandOver:
    """Lets websockets go on with the sockets whose clients ask for an upgrade."""

    def __init__(
        self,
        server: Server,
        proof: Callable[[Head, asyncio.Transport], Proof],
        flow: Flow,
        limits: Limits,
    ) -> None:
        """Take what the limits allow; ``server`` will know the connections."""
        self._server = server
        self._proof = proof
        self._limits = limits
        self.arrivals = Arrivals(limits.unread_bytes)
        self._shared = Shared(flow, self.arrivals)

    def take(self, transport: asyncio.Transport, incoming: Incoming) -> None:
        """Make a WebSocket of the transport that ``incoming`` came from.

        The head that websockets is shown says only what it needs: what it keeps is small and free
        of keys, and there is nothing to refuse (websockets 17.4 trips over what follows a head
        that it refuses).

        Raises:
            BadRequest, MethodNotAllowed, UpgradeRequired: It is no proper opening handshake.

        """
        head = incoming.head
        key = _checked_key(head)
        speaks = SUBPROTOCOL in tokens(head.headers.get("sec-websocket-protocol", ""))
        socket = self._socket(speaks=speaks)
        socket.query = head.query
        proof = self._proof(head, transport)
        if proof is not NO_PROOF:
            socket.proof = proof
        transport.set_protocol(socket)
        socket.connection_made(transport)
        shown = _HANDSHAKE % key + (_OFFER if speaks else b"") + b"\r\n"
        socket.take_in(shown + incoming.data)

    def _socket(self, *, speaks: bool) -> Socket:
        inbound = Inbound(
            Bucket(self._limits.small_frames, asyncio.get_running_loop().time),
            frame_bytes=self._limits.frame_bytes,
            # Without a choice of its own, websockets refuses a client that offers none or another.
            subprotocols=[Subprotocol(SUBPROTOCOL)] if speaks else None,
            logger=socket_logger(),
        )
        socket = Socket(
            inbound,
            self._server,
            ping_interval=PING_S,
            close_timeout=CLOSE_S,
            max_queue=QUEUED_FRAMES,
        )
        socket.shared = self._shared
        return socket


def _checked_key(head: Head) -> bytes:
    if head.method != "GET":
        raise MethodNotAllowed(("GET",))
    asked = tokens(head.headers.get("connection", ""))
    if "upgrade" not in asked or head.headers.get("sec-websocket-version") != VERSION:
        raise UpgradeRequired
    key = head.headers.get("sec-websocket-key", "")
    if not _KEY.fullmatch(key):
        raise BadRequest("its Sec-WebSocket-Key is malformed")
    return key.encode()


def socket_logger() -> logging.Logger:
    """Where websockets writes its warnings; never its frames, which are people's questions."""
    logger = logging.getLogger("transport.websocket.library")
    logger.setLevel(logging.WARNING)
    return logger


async def hold_conversation(socket: Socket, converse: Converse, gate: Gate) -> None:
    """Let ``converse`` have the connection, the parameters of its address, and who it is.

    What escapes it is logged and closes the connection with 1011: websockets does both.
    """
    query, socket.query = socket.query, {}
    socket.request, socket.response = _FORGOTTEN, None
    try:
        await converse(SocketConnection(socket), query, partial(gate.person, socket.proof))
    except ConnectionGone:
        log.debug("connection.left")
