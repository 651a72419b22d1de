"""A TCP proxy on loopback that spoils what passes through it, as it is told.

It stands between a client and the server (``Client.connect(proxy)``), or between the server and an
upstream (``proxy.url`` in its settings), and is told what to do for each connection and direction:
ahead of time by a plan, or while the connection lives by its ``Link``.
"""

import asyncio
import socket
import struct
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from random import Random
from typing import Literal, Self

from tests.standins.clock import Clock, LoopClock

HOST = "127.0.0.1"
BACKLOG = 1024
PIECE_BYTES = 64 * 1024
HELD_PIECES = 64  # on their way in one direction; more are left with their sender
TEAR = struct.pack("ii", 1, 0)  # SO_LINGER: what is unsent is dropped, the other side sees RST


class Torn(Exception):
    """The connection has come to the place where it is to be reset."""


@dataclass(frozen=True)
class Way:
    """What one direction of a connection does to its bytes; by default nothing.

    A piece comes ``delay_s`` late and up to ``jitter_s`` more by chance, but never before an
    earlier one; ``bytes_per_s`` pass at most (0: any number), ``slice_bytes`` in one write. Behind
    the byte ``cut_at`` comes the ``cut``: the connection is reset, or this direction stalls.
    """

    delay_s: float = 0.0
    jitter_s: float = 0.0
    bytes_per_s: float = 0.0
    slice_bytes: int = PIECE_BYTES
    cut_at: int | None = None
    cut: Literal["reset", "stall"] = "reset"


PLAIN = Way()


@dataclass(frozen=True)
class Ways:
    """What is done to a connection: ``up`` to the server, and ``down`` from it."""

    up: Way = PLAIN
    down: Way = PLAIN


def plainly(_number: int) -> Ways:
    """The plan of a proxy that only passes on."""
    return Ways()


class Stream:
    """One direction of a connection: reads, holds back, writes.

    Attributes:
        passed: How many bytes the other side has been sent.

    """

    def __init__(
        self, source: socket.socket, sink: socket.socket, way: Way, clock: Clock, draw: Random
    ) -> None:
        self.passed = 0
        self._source = source
        self._sink = sink
        self._way = way
        self._clock = clock
        self._draw = draw
        self._cut_at = way.cut_at
        self._is_halved = False
        self._last_due = 0.0
        self._waiting: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue(HELD_PIECES)
        self._flows = asyncio.Event()
        self._flows.set()

    def stall(self) -> None:
        """Read no more and write no more, and keep the connection open."""
        self._flows.clear()

    def go_on(self) -> None:
        """Take ``stall`` back; nothing is missing."""
        self._flows.set()

    def halve(self) -> None:
        """Send half of the next piece, and reset the connection."""
        self._is_halved = True

    async def run(self) -> None:
        """Carry bytes to the end of the stream; raises Torn or OSError when it breaks off."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._read())
            group.create_task(self._write())

    async def _read(self) -> None:
        loop, data = asyncio.get_running_loop(), b" "
        while data:
            await self._flows.wait()
            data = await loop.sock_recv(self._source, self._way.slice_bytes)
            await self._waiting.put((self._due(), data))

    async def _write(self) -> None:
        while True:
            due, data = await self._waiting.get()
            if (early_s := due - self._clock.now()) > 0:
                await self._clock.sleep(early_s)
            await self._flows.wait()
            if not data:
                break
            await self._pass(data)
        self._sink.shutdown(socket.SHUT_WR)

    def _due(self) -> float:
        way = self._way
        late_s = way.delay_s + (self._draw.random() * way.jitter_s if way.jitter_s else 0.0)
        self._last_due = max(self._last_due, self._clock.now() + late_s)
        return self._last_due

    async def _pass(self, data: bytes) -> None:
        if self._is_halved:
            await self._send(data[: len(data) // 2])
            raise Torn
        room = len(data) if self._cut_at is None else self._cut_at - self.passed
        if room > len(data) or self._cut_at is None:
            await self._send(data)
            return
        await self._send(data[:room])
        await self._cut()
        await self._send(data[room:])

    async def _cut(self) -> None:
        if self._way.cut == "reset":
            raise Torn
        self._cut_at = None
        self.stall()
        await self._flows.wait()

    async def _send(self, data: bytes) -> None:
        if self._way.bytes_per_s and data:
            await self._clock.sleep(len(data) / self._way.bytes_per_s)
        await asyncio.get_running_loop().sock_sendall(self._sink, data)
        self.passed += len(data)


class Link:
    """One connection through the proxy: ``up`` to the server, and ``down`` from it."""

    def __init__(
        self, client: socket.socket, server: socket.socket, ways: Ways, clock: Clock, draw: Random
    ) -> None:
        self.up = Stream(client, server, ways.up, clock, draw)
        self.down = Stream(server, client, ways.down, clock, draw)
        self._ends = (client, server)
        self._task: asyncio.Task[None] | None = None

    async def carry(self) -> None:
        """Carry both directions to their ends; what breaks one off resets both sides."""
        self._task = asyncio.current_task()
        is_whole = False
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self.up.run())
                group.create_task(self.down.run())
            is_whole = True
        except* (Torn, OSError):
            pass  # that is what the proxy is for
        finally:
            for end in self._ends:
                close(end, torn=not is_whole)

    def stall(self) -> None:
        """Stall both directions."""
        self.up.stall()
        self.down.stall()

    def reset(self) -> None:
        """Reset both sides on the spot."""
        if self._task is not None:
            self._task.cancel()


class FaultProxy:
    """Listens on a port of loopback; ``async with`` starts and stops it.

    Args:
        target: The port that it leads to.
        plan: What is done to each connection, by its number, from 0.
        seed: Of all that is left to chance.
        clock: Time, and how to wait; a test may hand in its own.
        port: Where to listen; 0 takes a free one.

    Attributes:
        port: Where it listens.
        links: The connections that live, by their clients' ports.

    """

    def __init__(
        self,
        target: int,
        plan: Callable[[int], Ways] = plainly,
        *,
        seed: int = 0,
        clock: Clock | None = None,
        port: int = 0,
    ) -> None:
        self.port = port
        self.links: dict[int, Link] = {}
        self._target = target
        self._plan = plan
        self._seed = seed
        self._clock = clock or LoopClock()
        self._listener: socket.socket
        self._accepting: asyncio.Task[None]
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def url(self) -> str:
        """Where HTTP goes through."""
        return f"http://{HOST}:{self.port}"

    async def __aenter__(self) -> Self:
        self._listener = socket.create_server((HOST, self.port), backlog=BACKLOG)
        self._listener.setblocking(False)
        self.port = self._listener.getsockname()[1]
        self._accepting = asyncio.create_task(self._accept())
        return self

    async def __aexit__(self, *_: object) -> None:
        tasks = [self._accepting, *self._tasks]
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
        self._listener.close()

    async def _accept(self) -> None:
        loop, number = asyncio.get_running_loop(), 0
        while True:
            client, (_, port) = await loop.sock_accept(self._listener)
            task = asyncio.create_task(self._lead(client, port, number))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
            number += 1

    async def _lead(self, client: socket.socket, port: int, number: int) -> None:
        server = socket.socket()
        for end in (client, server):
            end.setblocking(False)
            end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        draw = Random(f"{self._seed} {number}")
        link = Link(client, server, self._plan(number), self._clock, draw)
        try:
            await asyncio.get_running_loop().sock_connect(server, (HOST, self._target))
        except OSError:
            close(server, torn=True)
            close(client, torn=True)
            return
        self.links[port] = link
        try:
            await link.carry()
        finally:
            del self.links[port]


def close(end: socket.socket, *, torn: bool) -> None:
    """Close a socket, politely or with a reset."""
    if torn:
        with suppress(OSError):  # the other side was faster
            end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, TEAR)
    end.close()
