"""The fault proxy passes everything on as it is, but for what it is told to spoil."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import pairwise

import pytest

from tests.standins.fault_proxy import HOST, FaultProxy, Link, Way, Ways

SOON_S = 10.0
MUCH = bytes(range(256)) * 40_000  # ten megabytes: more than the kernel keeps for a connection


class Echo:
    """Sends back what it gets, and notes the pieces it came in."""

    def __init__(self) -> None:
        self.pieces: list[bytes] = []
        self.ends: list[str] = []
        self.ended = asyncio.Event()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection, to its end."""
        try:
            while piece := await reader.read(2**16):
                self.pieces.append(piece)
                writer.write(piece)
                await writer.drain()
            self.ends.append("end")
        except ConnectionResetError:
            self.ends.append("reset")
        finally:
            self.ended.set()
            writer.close()


@dataclass
class Patient:
    """A clock whose time passes only while somebody sleeps, and that notes for how long."""

    time: float = 0.0
    slept: list[float] = field(default_factory=list)

    def now(self) -> float:
        """Seconds since it was made."""
        return self.time

    async def sleep(self, seconds: float) -> None:
        """Let so much time pass at once."""
        self.slept.append(seconds)
        self.time += seconds
        await asyncio.sleep(0)


@dataclass
class Scene:
    """A client, the proxy, and the server behind it."""

    echo: Echo
    proxy: FaultProxy
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    @property
    def link(self) -> Link:
        """The client's connection, as the proxy has it."""
        return self.proxy.links[self.writer.get_extra_info("sockname")[1]]

    async def say(self, data: bytes) -> bytes:
        """Send, and read as much again."""
        self.writer.write(data)
        return await asyncio.wait_for(self.reader.readexactly(len(data)), SOON_S)

    async def rest(self) -> bytes | str:
        """What still comes until the end, or ``reset``."""
        try:
            return await asyncio.wait_for(self.reader.read(), SOON_S)
        except ConnectionResetError:
            return "reset"


@asynccontextmanager
async def scene(*plan: Ways, seed: int = 0, clock: Patient | None = None) -> AsyncIterator[Scene]:
    """A scene whose first connections go the planned ways, the others none."""
    echo = Echo()
    server = await asyncio.start_server(echo.serve, HOST, 0)
    target = server.sockets[0].getsockname()[1]

    def ways(number: int) -> Ways:
        return plan[number] if number < len(plan) else Ways()

    async with server, FaultProxy(target, ways, seed=seed, clock=clock) as proxy:
        reader, writer = await asyncio.open_connection(HOST, proxy.port)
        yield Scene(echo, proxy, reader, writer)
        writer.close()


async def test_everything_passes_as_it_is() -> None:
    """Both ways, however much it is, up to a polite end on both sides."""
    async with scene() as now:
        assert await now.say(MUCH) == MUCH
        now.writer.write_eof()
        assert await now.rest() == b""
        assert b"".join(now.echo.pieces) == MUCH
        assert now.echo.ends == ["end"]


async def test_reset_is_seen_on_both_sides() -> None:
    """At once, and without a word."""
    async with scene() as now:
        await now.say(b"Hello")
        now.link.reset()
        assert await now.rest() == "reset"
        await asyncio.wait_for(now.echo.ended.wait(), SOON_S)
        assert now.echo.ends == ["reset"]
        assert now.proxy.links == {}


async def test_half_a_piece_comes_before_the_reset() -> None:
    """The next one, whenever that is."""
    async with scene() as now:
        await now.say(b"Hello")
        now.link.down.halve()
        now.writer.write(b"abcdefgh")
        assert await asyncio.wait_for(now.reader.readexactly(4), SOON_S) == b"abcd"
        assert await now.rest() == "reset"


async def test_connection_is_cut_behind_the_planned_byte() -> None:
    """Only that connection, and only that direction counts."""
    async with scene(Ways(down=Way(cut_at=7))) as now:
        now.writer.write(b"Hello, world")
        assert await asyncio.wait_for(now.reader.readexactly(7), SOON_S) == b"Hello, "
        assert await now.rest() == "reset"
        reader, writer = await asyncio.open_connection(HOST, now.proxy.port)
        assert await Scene(now.echo, now.proxy, reader, writer).say(b"Hello, world")
        writer.close()


async def test_stalled_direction_holds_up_its_sender_and_loses_nothing() -> None:
    """More than the kernel keeps cannot be sent; all of it comes when the stall is over."""
    async with scene() as now:
        await now.say(b"Hello")
        now.link.stall()
        now.writer.write(MUCH)
        sending = asyncio.create_task(now.writer.drain())
        other, writer = await asyncio.open_connection(HOST, now.proxy.port)
        assert await Scene(now.echo, now.proxy, other, writer).say(b"Not I") == b"Not I"
        writer.close()
        assert not sending.done()
        now.link.up.go_on()
        now.link.down.go_on()
        assert await asyncio.wait_for(now.reader.readexactly(len(MUCH)), SOON_S) == MUCH
        await sending


async def test_planned_stall_goes_on_behind_its_byte() -> None:
    """What was held back follows what had passed."""
    async with scene(Ways(down=Way(cut_at=3, cut="stall"))) as now:
        now.writer.write(b"Hello")
        assert await asyncio.wait_for(now.reader.readexactly(3), SOON_S) == b"Hel"
        assert now.link.down.passed == 3
        now.link.down.go_on()
        assert await asyncio.wait_for(now.reader.readexactly(2), SOON_S) == b"lo"


async def test_bytes_come_in_slices_that_take_their_time() -> None:
    """Ten bytes, three a write and four a second: three writes of three, and one."""
    clock = Patient()
    async with scene(Ways(down=Way(bytes_per_s=4, slice_bytes=3)), clock=clock) as now:
        assert await now.say(b"0123456789") == b"0123456789"
        assert now.link.down.passed == 10
    assert clock.slept == pytest.approx([0.75, 0.75, 0.75, 0.25])


async def test_delay_is_the_same_for_every_piece() -> None:
    """A piece that comes late is late once."""
    clock = Patient()
    async with scene(Ways(up=Way(delay_s=0.25)), clock=clock) as now:
        await now.say(b"one")
        await now.say(b"two")
    assert clock.slept == pytest.approx([0.25, 0.25])


async def jittered(seed: int) -> list[float]:
    """How late some pieces come with that seed."""
    clock = Patient()
    async with scene(Ways(up=Way(delay_s=1, jitter_s=1)), seed=seed, clock=clock) as now:
        for word in (b"one", b"two", b"three", b"four"):
            await now.say(word)
    return clock.slept


async def test_jitter_comes_from_the_seed() -> None:
    """The same seed, the same lateness, between the delay and that much more."""
    first, again, other = await jittered(1), await jittered(1), await jittered(2)
    assert first == again != other
    assert all(1 <= late <= 2 for late in first)
    assert any(one != two for one, two in pairwise(first))


async def test_server_that_refuses_is_a_reset() -> None:
    """A connection that leads nowhere ends."""
    server = await asyncio.start_server(Echo().serve, HOST, 0)
    target = server.sockets[0].getsockname()[1]
    server.close()
    await server.wait_closed()
    async with FaultProxy(target) as proxy:
        reader, writer = await asyncio.open_connection(HOST, proxy.port)
        with pytest.raises(ConnectionResetError):
            await asyncio.wait_for(reader.read(), SOON_S)
        writer.close()
