"""WebSockets, by websockets' own connection: handing a socket to it, and our view of it."""

import asyncio
import logging
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from functools import partial

import structlog
from websockets.asyncio.server import Server, ServerConnection
from websockets.exceptions import ConnectionClosed
from websockets.server import ServerProtocol
from websockets.typing import Subprotocol

from access.gate import Gate
from access.proofs import NO_PROOF, Proof
from access.quotas import Quotas
from protocol.access import Identify, counted
from protocol.connection import Connection, ConnectionGone
from protocol.frames import SUBPROTOCOL
from transport.head import Head, tokens
from transport.reader import READ_BYTES, Incoming
from transport.refusals import VERSION, BadRequest, MethodNotAllowed, UpgradeRequired

log = structlog.get_logger()

REASON_BYTES = 123  # of a close frame (RFC 6455 5.5)
QUEUED_FRAMES = 2  # times the largest frame: what one client can make us keep
UNREAD_BYTES = 4 * 1024 * 1024
PING_S = 30.0
CLOSE_S = 4.0  # a client that never closes its end holds up a stop for this long

_KEY = re.compile(r"[A-Za-z0-9+/]{22}==")
_HANDSHAKE = (
    b"GET / HTTP/1.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: %b\r\n"
)
_OFFER = f"Sec-WebSocket-Protocol: {SUBPROTOCOL}\r\n".encode()

Converse = Callable[[Connection, Mapping[str, str], Identify], Awaitable[None]]


class Socket(ServerConnection, asyncio.BufferedProtocol):
    """A WebSocket whose client can neither hold up the others nor make us keep what it leaves.

    asyncio reads 256 kB at a time: filled with empty frames they would hold up the event loop for
    half a second, so a smaller buffer is read into, the same one for all sockets. And each ping is
    answered by a pong whether or not the client reads: one that only sends would fill the write
    buffer without end.
    """

    query: Mapping[str, str] = {}  # replaced at the hand-over, emptied at the start
    proof: Proof = NO_PROOF
    leave: Callable[[], None]
    buffer: bytearray

    def connection_lost(self, exc: Exception | None) -> None:
        """Count it no more."""
        super().connection_lost(exc)
        self.leave()

    def get_buffer(self, sizehint: int) -> bytearray:  # noqa: ARG002 (asyncio's own name)
        """Where the next bytes are to be put."""
        return self.buffer

    def buffer_updated(self, nbytes: int) -> None:
        """Take in frames, or close when too much waits for the client to read it."""
        if self.transport.get_write_buffer_size() > UNREAD_BYTES:
            self.transport.abort()
            return
        self.data_received(bytes(memoryview(self.buffer)[:nbytes]))


class SocketConnection:
    """What the program sees of a WebSocket: a ``protocol.connection.Connection``."""

    __slots__ = ("_socket",)

    def __init__(self, socket: ServerConnection) -> None:
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
        except ConnectionClosed:
            return

    async def send(self, frame: str) -> None:
        """Send a text frame; waits while the client is slow; raises ConnectionGone."""
        try:
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
        quotas: Quotas,
        *,
        frame_bytes: int,
    ) -> None:
        """Take no message larger than ``frame_bytes``; ``server`` will know the connections."""
        self._server = server
        self._proof = proof
        self._quotas = quotas
        self._frame_bytes = frame_bytes
        self._buffer = bytearray(READ_BYTES)

    def take(self, transport: asyncio.Transport, incoming: Incoming) -> None:
        """Make a WebSocket of the transport that ``incoming`` came from.

        The head that websockets is shown says only what it needs: what it keeps is small and free
        of keys, and there is nothing to refuse (websockets 17.4 trips over what follows a head
        that it refuses).

        Raises:
            BadRequest, MethodNotAllowed, UpgradeRequired: It is no proper opening handshake.
            RateLimited, Busy: There are too many from that address.

        """
        head = incoming.head
        key, proof = _checked_key(head), self._proof(head, transport)
        place = counted(proof.address, "")
        self._quotas.spend("handshakes", place)
        leave = self._quotas.sockets.enter(place)
        speaks = SUBPROTOCOL in tokens(head.headers.get("sec-websocket-protocol", ""))
        socket = self._socket(speaks=speaks)
        socket.query = head.query
        socket.proof, socket.leave = proof, leave
        socket.buffer = self._buffer
        transport.set_protocol(socket)
        socket.connection_made(transport)
        shown = _HANDSHAKE % key + (_OFFER if speaks else b"") + b"\r\n"
        socket.data_received(shown + incoming.data)

    def _socket(self, *, speaks: bool) -> Socket:
        # Without a choice of its own, websockets refuses a client that offers none or another.
        protocol = ServerProtocol(
            subprotocols=[Subprotocol(SUBPROTOCOL)] if speaks else None,
            max_size=self._frame_bytes,
            logger=self._server.logger,
        )
        return Socket(
            protocol,
            self._server,
            ping_interval=PING_S,
            close_timeout=CLOSE_S,
            max_queue=QUEUED_FRAMES,
        )


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
    try:
        await converse(SocketConnection(socket), query, partial(gate.person, socket.proof))
    except ConnectionGone:
        log.debug("connection.left")
