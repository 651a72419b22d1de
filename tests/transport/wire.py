"""A front over a socket in memory, in virtual time: what it is sent, and what it answers."""

import asyncio
import re
from collections.abc import Iterable
from typing import Any, cast

from websockets.asyncio.server import ServerConnection
from websockets.asyncio.server import serve as serve_sockets

from access.proofs import NO_PROOF, Proof
from protocol.settings import Limits, Settings
from tests.transport.places import HERE, SMALL, TRIED, repeat, services
from transport.desk import Desk, Times
from transport.front import Front
from transport.http import Request, Response, Route
from transport.reader import ReadLimits
from transport.router import Router
from transport.routes import ROUTES
from transport.traffic import Flow
from transport.visitors import Visitors
from transport.websocket import HandOver, Socket, hold_conversation

STATUS = re.compile(rb"HTTP/1\.1 (\d{3}) [A-Z]")


class Wire(asyncio.Transport):
    """The server's end of a connection whose client reads at once."""

    def __init__(self) -> None:
        super().__init__()
        self.sent = bytearray()
        self.lost = asyncio.Event()
        self._may_read = asyncio.Event()
        self._may_read.set()
        self._is_closing = False
        self._is_eof_sent = False
        self._protocol: asyncio.BufferedProtocol

    def begin(self, protocol: asyncio.BufferedProtocol) -> None:
        """Connect it."""
        self._protocol = protocol
        protocol.connection_made(self)

    async def deliver(self, pieces: Iterable[bytes]) -> None:
        """Bring each piece when it may be read; what comes after the end is lost."""
        for piece in pieces:
            await self._may_read.wait()
            if self._is_closing:
                return
            memoryview(self._protocol.get_buffer(-1))[: len(piece)] = piece
            self._protocol.buffer_updated(len(piece))
            await asyncio.sleep(0)

    async def end(self) -> None:
        """Send no more, and wait until the server has closed; StandStill if it never does."""
        await self._may_read.wait()
        if not self._is_closing and not self._protocol.eof_received():
            self.close()
        await self.lost.wait()

    def statuses(self) -> list[int]:
        """The status of each answer so far."""
        return [int(status) for status in STATUS.findall(self.sent)]

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        """Go on with another."""
        self._protocol = cast("asyncio.BufferedProtocol", protocol)

    def get_protocol(self) -> asyncio.BaseProtocol:
        """The one at work."""
        return self._protocol

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Take it; raises as asyncio does."""
        if self._is_eof_sent:
            raise RuntimeError("Cannot call write() after write_eof()")
        if not self._is_closing:
            self.sent += data

    def write_eof(self) -> None:
        """Say that nothing more comes."""
        self._is_eof_sent = True

    def can_write_eof(self) -> bool:
        """It can."""
        return True

    def get_write_buffer_size(self) -> int:
        """All is taken."""
        return 0

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        """Nothing ever waits."""

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        """None is known."""
        return default

    def pause_reading(self) -> None:
        """Bring nothing more."""
        self._may_read.clear()

    def resume_reading(self) -> None:
        """Go on."""
        self._may_read.set()

    def is_closing(self) -> bool:
        """Whether it has been closed."""
        return self._is_closing

    def close(self) -> None:
        """End it, a moment later."""
        if not self._is_closing:
            self._is_closing = True
            self._may_read.set()
            asyncio.get_running_loop().call_soon(self._lose)

    def abort(self) -> None:
        """End it."""
        self.close()

    def _lose(self) -> None:
        self._protocol.connection_lost(None)
        self.lost.set()


class Listening:
    """Stands for the port of a server of websockets, which has to be open."""

    def is_serving(self) -> bool:
        """It is."""
        return True


def no_proof(*_: object) -> Proof:
    """Who asks proves nothing."""
    return NO_PROOF


class Hall:
    """The real front, router and WebSockets, without a port; counts the requests it answers."""

    def __init__(
        self,
        limits: Limits = SMALL,
        times: Times | None = None,
        more: tuple[Route, ...] = (),
    ) -> None:
        settings = Settings(access=HERE, limits=limits)
        routes = (*ROUTES, *TRIED, *more)
        self._answer = Router(routes, services(), within_s=3600).answer
        self.answered = 0
        sockets = serve_sockets(self._talk, server_header=None, compression=None)
        sockets.server = cast("asyncio.Server", Listening())
        self.door = HandOver(sockets, no_proof, Flow(), limits)
        self.desk = Desk(
            answer=self._count,
            upgrade=self.door.take,
            proof=no_proof,
            visitors=Visitors.of(settings),
            limits=ReadLimits(
                limits.head_bytes,
                limits.body_bytes,
                {(r.method, r.pattern): r.streams(settings) for r in routes if r.streams},
            ),
            times=times or Times(request_s=5, send_s=5),
            now=lambda: 0.0,
        )

    def connect(self) -> Wire:
        """A new connection from a client."""
        wire = Wire()
        wire.begin(Front(self.desk))
        return wire

    async def _count(self, request: Request) -> Response:
        self.answered += 1
        return await self._answer(request)

    async def _talk(self, socket: ServerConnection) -> None:
        await hold_conversation(cast("Socket", socket), repeat, services().gate)
