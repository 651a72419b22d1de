"""WebSockets: the opening handshake, and the conversations that follow it."""

import asyncio
import hashlib
import logging
import re
from base64 import b64encode
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Any

import structlog
from websockets.frames import CloseCode
from websockets.typing import Subprotocol

from access.buckets import nothing
from access.gate import Gate
from access.proofs import Proof
from access.quotas import Quotas
from protocol.access import Identify, counted
from protocol.connection import Connection, ConnectionGone
from protocol.frames import SUBPROTOCOL
from protocol.settings import Limits
from transport.arrivals import Arrivals
from transport.correlation import echoed
from transport.driver import Shared, Socket
from transport.head import Head, tokens
from transport.inbound import Bucket, Inbound
from transport.peers import peer_of
from transport.reader import Incoming
from transport.refusals import VERSION, BadRequest, MethodNotAllowed, UpgradeRequired
from transport.traffic import Flow

log = structlog.get_logger()

_KEY = re.compile(r"[A-Za-z0-9+/]{22}==")
_GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"  # RFC 6455 1.3

Converse = Callable[[Connection, Mapping[str, str], Identify], Awaitable[None]]


class HandOver:
    """Makes WebSockets of the sockets whose clients ask for an upgrade, and looks after them."""

    def __init__(
        self, converse: Converse, gate: Gate, quotas: Quotas, flow: Flow, limits: Limits
    ) -> None:
        """Take what the limits allow; ``converse`` is given each connection, and who it is."""
        self._converse = converse
        self._gate = gate
        self._quotas = quotas
        self._limits = limits
        self._logger = _library_logger()
        self._now = asyncio.get_running_loop().time
        self.arrivals = Arrivals(limits.unread_bytes)
        self._shared = Shared(flow, self.arrivals)
        self._sockets: dict[asyncio.Task[Any], Socket] = {}

    @property
    def tasks(self) -> set[asyncio.Task[Any]]:
        """The conversations, each until its socket is closed."""
        return set(self._sockets)

    def take(self, transport: asyncio.Transport, incoming: Incoming) -> None:
        """Make a WebSocket of the transport that ``incoming`` came from.

        Raises:
            BadRequest, MethodNotAllowed, UpgradeRequired: It is no proper opening handshake.
            RateLimited, Busy: There are too many from that address.

        """
        head = incoming.head
        key, proof = _checked_key(head), self._gate.proof(head.headers, peer_of(transport))
        place = counted(proof.address, "")
        self._quotas.spend("handshakes", place)
        leave = self._quotas.sockets.enter(place)
        socket = self._socket(tokens(head.headers.get("sec-websocket-protocol", "")))
        transport.set_protocol(socket)
        socket.connection_made(transport)
        transport.write(_switch(key, socket.subprotocol))
        task = asyncio.get_running_loop().create_task(self._talk(socket, head.query, proof))
        self._sockets[task] = socket
        task.add_done_callback(self._ended)
        if leave is not nothing:
            task.add_done_callback(lambda _: leave())
        if incoming.data:
            socket.take_in(incoming.data)

    def close(self, code: int, reason: str) -> None:
        """Begin to close every socket."""
        for socket in list(self._sockets.values()):
            socket.leave(code, reason)

    def abort(self) -> None:
        """Close every socket at once."""
        for socket in list(self._sockets.values()):
            socket.transport.abort()

    def _socket(self, offered: frozenset[str]) -> Socket:
        bucket = Bucket(self._limits.small_frames, self._now)
        inbound = Inbound(bucket, frame_bytes=self._limits.frame_bytes, logger=self._logger)
        if SUBPROTOCOL in offered:
            inbound.subprotocol = Subprotocol(SUBPROTOCOL)
        return Socket(inbound, self._shared)

    async def _talk(self, socket: Socket, query: Mapping[str, str], proof: Proof) -> None:
        """Hold a conversation, and close the socket behind it."""
        code = CloseCode.INTERNAL_ERROR
        try:
            await self._converse(socket, query, partial(self._gate.person, proof))
            code = CloseCode.NORMAL_CLOSURE
        except ConnectionGone:
            log.debug("connection.left")
        finally:
            await socket.close(code)

    def _ended(self, task: asyncio.Task[None]) -> None:
        del self._sockets[task]
        if not task.cancelled() and task.exception() is not None:
            log.error("conversation.broken", exc_info=task.exception())


def _checked_key(head: Head) -> str:
    if head.method != "GET":
        raise MethodNotAllowed(("GET",))
    asked = tokens(head.headers.get("connection", ""))
    if "upgrade" not in asked or head.headers.get("sec-websocket-version") != VERSION:
        raise UpgradeRequired
    key = head.headers.get("sec-websocket-key", "")
    if not _KEY.fullmatch(key):
        raise BadRequest("its Sec-WebSocket-Key is malformed")
    return key


def _switch(key: str, subprotocol: str | None) -> bytes:
    """The answer that ends the opening handshake (RFC 6455 4.2.2)."""
    accept = b64encode(hashlib.sha1((key + _GUID).encode(), usedforsecurity=False).digest())
    chosen = (("Sec-WebSocket-Protocol", subprotocol),) if subprotocol else ()
    headers = (
        ("Upgrade", "websocket"),
        ("Connection", "Upgrade"),
        ("Sec-WebSocket-Accept", accept.decode()),
        *chosen,
        *echoed(),
    )
    lines = ("HTTP/1.1 101 Switching Protocols", *(f"{name}: {value}" for name, value in headers))
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def _library_logger() -> logging.Logger:
    """Where websockets writes its warnings; never its frames, which are people's questions."""
    logger = logging.getLogger("transport.websocket.library")
    logger.setLevel(logging.WARNING)
    return logger
