"""Clients that send more than anybody can deal with."""

import asyncio
import contextlib
import socket
import struct
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import cast

import pytest
from msgspec.structs import replace
from websockets.asyncio.client import connect

from protocol.access import Identify
from protocol.connection import Connection
from tests.clock import virtual
from tests.transport.frames import ASK, frame, large
from tests.transport.places import PATIENCE_S, SMALL, Client, client, get, serving
from tests.transport.wire import Hall
from transport.arrivals import Arrivals
from transport.inbound import AT_ONCE_S, SMALL_BYTES, Bucket
from transport.reader import READ_BYTES
from transport.server import Server
from transport.websocket import CLOSE_S, Socket, SocketConnection

KIB = 1024
WRITE_LIMIT = 32 * KIB  # of websockets: above it, writing is paused
CLOSED_1008 = struct.pack("!H", 1008)
CLOSED_1013 = struct.pack("!H", 1013)
PATIENT = replace(SMALL, small_frames=1_000_000)


class Host:
    """Takes frames, each only when the test says so, and shows the sockets they came from."""

    def __init__(self) -> None:
        self.sockets: list[Socket] = []
        self.taken = asyncio.Semaphore(0)
        self.left = asyncio.Event()
        self.go = asyncio.Event()

    async def converse(self, connection: Connection, _: Mapping[str, str], __: Identify) -> None:
        """Deal with each frame for as long as the test wants."""
        self.sockets.append(cast("SocketConnection", connection)._socket)
        async for _frame in connection.frames():
            self.taken.release()
            await self.go.wait()
        self.left.set()


@asynccontextmanager
async def upgraded(server: Server) -> AsyncIterator[Client]:
    """A client whose socket has become a WebSocket."""
    async with client(server) as one:
        assert (await one.ask(get("/", *ASK))).status == 101
        yield one


async def pour(one: Client, data: bytes) -> None:
    """Send for as long as the server takes it."""
    with contextlib.suppress(ConnectionError):
        while True:
            await one.send(data)


async def until(holds: Callable[[], bool]) -> None:
    """Return once it holds; raises TimeoutError."""
    async with asyncio.timeout(PATIENCE_S):
        while not holds():  # noqa: ASYNC110 (there is no event of what a socket does)
            await asyncio.sleep(0)


@pytest.mark.parametrize(
    "small", [frame(b""), frame(b"{}"), frame(b"", 9), frame(b"p" * 125, 9), frame(b"", 10)]
)
async def test_a_flood_of_small_frames_is_closed_with_1008(small: bytes) -> None:
    """Empty texts, pings and pongs: what may come at once is dealt with, and then no more."""
    host = Host()
    host.go.set()
    few = replace(SMALL, small_frames=2)
    async with serving(converse=host.converse, limits=few) as server, upgraded(server) as one:
        await one.send(small * 2000)
        assert CLOSED_1008 in await one.rest()
        one.writer.close()
        await asyncio.wait_for(host.left.wait(), PATIENCE_S)
        assert host.taken._value <= few.small_frames * AT_ONCE_S
        async with connect(f"ws://127.0.0.1:{server.port}/") as other:
            await other.ping()


async def test_a_message_in_many_pieces_passes() -> None:
    """Frames that are not small are not counted: 2 MiB come through in pieces of a kilobyte."""
    host = Host()
    host.go.set()
    few = replace(SMALL, small_frames=1)
    pieces = 2000
    first, more, last = (large(opcode, SMALL_BYTES) for opcode in (0x01, 0x00, 0x80))
    async with serving(converse=host.converse, limits=few) as server, upgraded(server) as one:
        await one.send(first + more * (pieces - 2) + last)
        await asyncio.wait_for(host.taken.acquire(), PATIENCE_S)


async def test_no_more_is_read_while_a_message_waits() -> None:
    """One client has us keep the message that is dealt with, one more, and what one read brings."""
    host = Host()
    small = replace(SMALL, frame_bytes=64 * KIB)
    async with serving(converse=host.converse, limits=small) as server, upgraded(server) as one:
        pouring = asyncio.create_task(pour(one, large(0x81, 64 * KIB)))
        await asyncio.wait_for(host.taken.acquire(), PATIENCE_S)
        held = host.sockets[0]
        await until(lambda: not held.transport.is_reading())
        assert 128 * KIB <= held.inbound.held <= 128 * KIB + READ_BYTES
        host.go.set()
        for _ in range(10):
            await asyncio.wait_for(host.taken.acquire(), PATIENCE_S)
        pouring.cancel()


async def test_what_all_clients_together_have_us_keep_is_bounded() -> None:
    """Over the bound, the client is cut off whose frame has been on its way for longest."""
    host = Host()
    host.go.set()
    tight = replace(SMALL, unread_bytes=100 * KIB)
    whole = large(0x81, 60 * KIB)
    async with (
        serving(converse=host.converse, limits=tight) as server,
        upgraded(server) as slow,
        upgraded(server) as quick,
    ):
        await slow.send(whole[:-1])
        await until(lambda: sum(each.inbound.held for each in host.sockets) > 60 * KIB - 100)
        await quick.send(whole)
        await asyncio.wait_for(host.taken.acquire(), PATIENCE_S)
        await asyncio.wait_for(host.left.wait(), PATIENCE_S)
        assert CLOSED_1013 in await slow.rest()
        for _ in range(3):
            await quick.send(whole)
            await asyncio.wait_for(host.taken.acquire(), PATIENCE_S)


async def test_pings_of_a_client_that_reads_nothing_do_not_pile_up() -> None:
    """While it does not read, its pings are not answered; once it does, the latest is."""
    host = Host()
    async with serving(converse=host.converse, limits=PATIENT) as server, deaf(server) as one:
        await one.send(get("/", *ASK) + frame(b"p" * 125, 9) * 8000 + frame(b"last", 9))
        await until(lambda: bool(host.sockets))
        held = host.sockets[0]
        await until(lambda: held.inbound._owed == b"last")
        assert held.transport.get_write_buffer_size() <= WRITE_LIMIT + READ_BYTES
        pongs = b""
        while b"\x8a\x04last" not in pongs:
            pongs += await asyncio.wait_for(one.reader.read(KIB), PATIENCE_S)


@asynccontextmanager
async def deaf(server: Server) -> AsyncIterator[Client]:
    """A client whose system keeps next to nothing of what it does not read."""
    with socket.socket() as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 * KIB)
        sock.setblocking(False)
        await asyncio.get_running_loop().sock_connect(sock, ("127.0.0.1", server.port))
        reader, writer = await asyncio.open_connection(sock=sock, limit=KIB)
        yield Client(reader, writer)
        writer.transport.abort()


@virtual
async def test_a_client_that_is_to_be_gone_has_a_few_seconds_for_it() -> None:
    """After a frame that breaks the rules it is cut off, whether or not it closes its end."""
    wire = Hall().connect()
    await wire.deliver([get("/", *ASK)])
    await asyncio.sleep(1)
    await wire.deliver([frame(b"", 3)])
    async with asyncio.timeout(CLOSE_S + 0.1):
        await wire.lost.wait()


@virtual
async def test_a_client_that_has_left_is_counted_no_more() -> None:
    """Whatever it left half-sent."""
    hall = Hall()
    wire = hall.connect()
    await wire.deliver([get("/", *ASK), large(0x81, KIB)[:-1]])
    assert hall.door.arrivals.total >= KIB - 1
    wire.abort()
    await wire.lost.wait()
    assert hall.door.arrivals.total == 0


@virtual
@pytest.mark.parametrize("early", [frame(b"") * 2000, frame(b"", 3), b"\x81\x00"])
async def test_bad_frames_that_come_with_the_upgrade_end_it(early: bytes) -> None:
    """They share a segment with the head, and are as bad as later ones."""
    wire = Hall().connect()
    await wire.deliver([get("/", *ASK) + early])
    async with asyncio.timeout(CLOSE_S + 0.1):
        await wire.lost.wait()


class Sender:
    """A client that notes its end."""

    def __init__(self) -> None:
        self.is_given_up = False

    def give_up(self) -> None:
        """Note it."""
        self.is_given_up = True


def test_who_has_waited_longest_is_cut_off_first() -> None:
    """As many as it takes, in the order in which they began; those who wait no more are spared."""
    arrivals, senders = Arrivals(100), [Sender() for _ in range(4)]
    for sender in senders:
        arrivals.note(sender, 20)
    arrivals.note(senders[0], 0)
    arrivals.note(senders[0], 40)
    arrivals.note(senders[0], 41)
    assert [sender.is_given_up for sender in senders] == [False, True, False, False]
    arrivals.note(senders[0], 100)
    assert [sender.is_given_up for sender in senders] == [False, True, True, True]
    arrivals.note(senders[0], 101)
    assert senders[0].is_given_up


def test_a_bucket_fills_again_up_to_its_size() -> None:
    """So many at once, then as many as the time brings, and never more than it holds."""
    now = 0.0
    bucket = Bucket(2, lambda: now)
    assert [bucket.take() for _ in range(21)] == [True] * 20 + [False]
    now = 0.5
    assert [bucket.take() for _ in range(2)] == [True, False]
    now = 1000.0
    assert [bucket.take() for _ in range(21)] == [True] * 20 + [False]
