"""What a WebSocket does of itself: asks whether its client is there, and ends."""

import asyncio
import gc
import struct
from typing import cast
from weakref import ref

import pytest
from websockets.protocol import Protocol, Side

from tests.clock import virtual
from tests.transport.frames import ASK, frame
from tests.transport.places import get
from tests.transport.wire import Hall, Wire
from transport.driver import CLOSE_S, PING_S, Socket, text_frame

PING = b"\x89\x00"
PONG = frame(b"", 10)
CLOSED_1001 = struct.pack("!H", 1001)
CLOSED_1011 = struct.pack("!H", 1011)


async def upgraded(hall: Hall) -> Wire:
    """A connection that has become a WebSocket."""
    wire = hall.connect()
    await wire.deliver([get("/", *ASK)])
    await asyncio.sleep(1)
    assert wire.statuses() == [101]
    wire.sent.clear()
    return wire


@pytest.mark.parametrize("size", [0, 1, 125, 126, 65_535, 65_536, 70_000])
def test_a_text_frame_is_the_one_that_websockets_makes(size: int) -> None:
    """Whatever its length, and in however many bytes that is told."""
    theirs = Protocol(Side.SERVER)
    theirs.send_text(b"a" * size)
    assert text_frame(b"a" * size) == b"".join(theirs.data_to_send())


@virtual
async def test_a_client_that_sends_no_more_gets_no_socket() -> None:
    """It asked for one behind other requests, and had closed its half when its turn came."""
    wire = Hall().connect()
    await wire.deliver([get("/api") * 2 + get("/", *ASK)])
    await wire.end()
    assert wire.statuses() == [200, 200, 400]


@virtual
async def test_a_client_that_answers_pings_stays() -> None:
    """However long it says nothing else."""
    wire = await upgraded(Hall())
    for _ in range(100):
        await asyncio.sleep(PING_S)
        assert wire.sent == PING
        wire.sent.clear()
        await wire.deliver([PONG])
    assert not wire.is_closing()


@virtual
async def test_a_client_that_does_not_answer_a_ping_is_given_up() -> None:
    """It is told so with 1011, and then has ``CLOSE_S`` to leave."""
    wire = await upgraded(Hall())
    async with asyncio.timeout(2 * PING_S + CLOSE_S):
        await wire.lost.wait()
    assert wire.sent.startswith(PING)
    assert CLOSED_1011 in wire.sent


@virtual
async def test_whatever_a_client_says_shows_that_it_is_there() -> None:
    """It may be busy sending, and answer pings late."""
    wire = await upgraded(Hall())
    for _ in range(10):
        await asyncio.sleep(PING_S)
        await wire.deliver([frame(b"hi")])
    assert not wire.is_closing()


@virtual
async def test_a_closed_socket_waits_for_its_client_for_a_while() -> None:
    """It has ``CLOSE_S`` to answer the close, whatever else it sends, and is then cut off."""
    hall = Hall()
    wire = await upgraded(hall)
    hall.door.close(1001, "bye")
    await wire.deliver([frame(b"hi")] * 3)
    assert CLOSED_1001 in wire.sent
    await asyncio.sleep(CLOSE_S - 1)
    assert not wire.is_closing()
    assert hall.door.arrivals.total == 0
    async with asyncio.timeout(1.1):
        await wire.lost.wait()
    assert wire.sent.endswith(b"bye")


@virtual
async def test_a_closed_socket_ends_as_soon_as_its_client_has_closed() -> None:
    """The close is answered, and nothing more is waited for."""
    hall = Hall()
    wire = await upgraded(hall)
    talks = hall.door.tasks
    hall.door.close(1001, "")
    await wire.deliver([frame(CLOSED_1001, 8)])
    async with asyncio.timeout(0.1):
        await wire.end()
        await asyncio.wait(talks)


@virtual
@pytest.mark.parametrize("last", [(), (frame(CLOSED_1001, 8),), (frame(b"", 3),)])
async def test_an_ended_socket_does_not_wait_for_the_collector(last: tuple[bytes, ...]) -> None:
    """Thousands that leave at once are forgotten at once, however they left."""
    gc.collect()
    gc.disable()
    try:
        wire = await upgraded(Hall())
        inbound = ref(cast("Socket", wire.get_protocol()).inbound)
        await wire.deliver(last)
        await wire.end()
        del wire
        await asyncio.sleep(1)
        assert inbound() is None
    finally:
        gc.enable()
