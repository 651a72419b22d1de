"""One port for WebSocket and HTTP: opens it, and closes it within a bounded time."""

import asyncio
import contextlib
import errno
import socket
import time
from collections.abc import Awaitable, Callable, Iterable
from functools import partial
from typing import Any, cast

import structlog
from websockets.asyncio.server import Server as SocketServer
from websockets.asyncio.server import ServerConnection
from websockets.asyncio.server import serve as serve_sockets
from websockets.http11 import Request as SocketRequest
from websockets.http11 import Response as SocketResponse

from access.gate import Gate
from access.proofs import Proof
from protocol.errors import ServerDraining, SettingsError
from protocol.settings import General, Settings
from transport.correlation import echoed
from transport.desk import Desk, Times
from transport.front import Front
from transport.head import Head
from transport.http import Route
from transport.peers import peer_of
from transport.reader import Incoming, ReadLimits
from transport.router import Router
from transport.routes import ROUTES
from transport.services import Services
from transport.traffic import Traffic
from transport.visitors import Visitors
from transport.websocket import (
    Converse,
    HandOver,
    Socket,
    hold_conversation,
    socket_logger,
)

log = structlog.get_logger()

BACKLOG = 1024
# That the system keeps for a client that does not read, doubled by Linux; else it may be megabytes.
UNSENT_BYTES = 64 * 1024
LAST_S = 1.0  # for what is cut off to notice it

_HOST, _PORT = "PERPLEXICA_HOST", "PERPLEXICA_PORT"
_ELSE = (_HOST, "it is no address that can be listened on")
_TROUBLE = {
    errno.EADDRINUSE: (_PORT, "another program listens there; name another port"),
    errno.EACCES: (_PORT, "this user may not listen there; name a port above 1023"),
    errno.EADDRNOTAVAIL: (_HOST, "this machine has no such address"),
}


Talks = dict[asyncio.Task[Any], Socket]


class Server:
    """A port that is served."""

    def __init__(self, server: SocketServer, desk: Desk, talks: Talks) -> None:
        self._server = server
        self._desk = desk
        self._talks = talks
        self._host, self._port = next(iter(server.sockets)).getsockname()[:2]

    @property
    def port(self) -> int:
        """The port, also where any free one was asked for."""
        return int(self._port)

    @property
    def url(self) -> str:
        """Where a person on this machine finds the server."""
        host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(self._host, self._host)  # noqa: S104
        return f"http://[{host}]:{self.port}" if ":" in host else f"http://{host}:{self.port}"

    @property
    def traffic(self) -> Traffic:
        """The bytes to and fro since it was opened."""
        return self._desk.traffic

    async def close(self, code: int = 1001, reason: str = "", *, within_s: float = 5.0) -> None:
        """Stop listening, and close every connection.

        Idle HTTP connections are closed at once, those that wait for an answer after it, and
        WebSockets with ``code``; what is still there after ``within_s`` is cut off.
        """
        self._desk.closing = True
        self._server.close(code=code, reason=reason)
        for front in list(self._desk.fronts):
            front.shut()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(within_s):
                await self._server.wait_closed()
                await self._answered()
        await self._cut_off()

    async def _answered(self) -> None:
        tasks = self._tasks()
        if tasks:
            await asyncio.wait(tasks)

    async def _cut_off(self) -> None:
        tasks = self._tasks() | self._talks.keys()
        for front in list(self._desk.fronts):
            front.abort()
        for talking in self._talks.values():
            talking.transport.abort()
        for task in tasks:
            task.cancel()
        if tasks:
            log.warning("server.cut_off", connections=len(tasks))
            await asyncio.wait(tasks, timeout=LAST_S)

    def _tasks(self) -> set[asyncio.Task[Any]]:
        return {front.task for front in self._desk.fronts if front.task is not None}


async def serve(
    settings: Settings,
    services: Services,
    converse: Converse,
    *,
    routes: Iterable[Route] = ROUTES,
    visitors: Visitors | None = None,
    times: Times | None = None,
    now: Callable[[], float] = time.time,
) -> Server:
    """Open the port that the settings name.

    Args:
        settings: Host, port, limits.
        services: What the routes use.
        converse: Is given each WebSocket with the parameters of its address and what says who
            it is; the WebSocket is closed when it returns.
        routes: The table of routes.
        visitors: Who may talk to it; by default as in the settings.
        times: How long an HTTP client may take; by default as in the settings.
        now: The time of day, in seconds since 1970.

    Raises:
        SettingsError: The port is taken, or cannot be listened on.

    """
    limits = settings.limits
    talks, routes = Talks(), tuple(routes)

    def upgrade(transport: asyncio.Transport, incoming: Incoming) -> None:
        if desk.closing:
            raise ServerDraining
        door.take(transport, incoming)

    prove = partial(_prove, services.gate)
    desk = Desk(
        answer=Router(routes, services, within_s=limits.turn_s).answer,
        upgrade=upgrade,
        proof=prove,
        visitors=visitors or Visitors.of(settings),
        limits=ReadLimits(limits.head_bytes, limits.body_bytes, _streamed(routes, settings)),
        times=times or Times(limits.request_s, limits.send_s, limits.body_rate),
        now=now,
    )
    server = _prepare(settings.general, desk, partial(_talk, converse, services.gate, talks))
    door = HandOver(server, prove, desk.traffic.websocket, limits)
    await _open(server, settings.general)
    for listening in server.sockets:  # those that are accepted inherit it
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, UNSENT_BYTES)
    return Server(server, desk, talks)


def _streamed(routes: Iterable[Route], settings: Settings) -> dict[tuple[str, str], int]:
    """The routes that take their bodies while they come, and how many bytes each may have."""
    return {
        (route.method, route.pattern): route.streams(settings)
        for route in routes
        if route.streams is not None
    }


def _prepare(
    general: General, desk: Desk, handler: Callable[[ServerConnection], Awaitable[None]]
) -> SocketServer:
    """The server of websockets, not yet listening, with our front before each connection."""

    def front(*_: object, **__: object) -> Front:
        # What websockets would build a connection from is not used before there is an upgrade.
        return Front(desk)

    return serve_sockets(
        handler,
        general.host,
        general.port,
        create_connection=cast("Any", front),
        process_response=_tell_id,
        server_header=None,
        compression=None,  # a compressing connection costs 39 kB more
        logger=socket_logger(),
        reuse_address=True,
        backlog=BACKLOG,
    )


def _tell_id(_: ServerConnection, __: SocketRequest, response: SocketResponse) -> None:
    """Give a WebSocket the id of the request that opens it."""
    response.headers.update(echoed())


async def _open(server: SocketServer, general: General) -> None:
    try:
        await server
    except OSError as error:
        raise not_listening(error, general) from error


def not_listening(error: OSError, general: General) -> SettingsError:
    """Which setting is to be changed, as the system would not listen there."""
    name, allowed = _TROUBLE.get(error.errno or 0, _ELSE)
    return SettingsError(name, general.port if name == _PORT else general.host, allowed)


def _prove(gate: Gate, head: Head, transport: asyncio.Transport) -> Proof:
    """What a head proves of who asks."""
    return gate.proof(head.headers, peer_of(transport))


async def _talk(converse: Converse, gate: Gate, talks: Talks, socket: ServerConnection) -> None:
    """Hold the conversation in a task that the server can stop."""
    task = cast("asyncio.Task[Any]", asyncio.current_task())
    talks[task] = cast("Socket", socket)
    try:
        await hold_conversation(talks[task], converse, gate)
    finally:
        del talks[task]
