"""Clients that take their time, on the virtual clock."""

import asyncio
from collections.abc import Iterable

import pytest

from tests.clock import virtual
from tests.transport.places import get
from tests.transport.raw import CHUNKED, ECHO, HOST, LINE
from tests.transport.wire import Hall, Wire
from transport.desk import Times
from transport.http import Request, Response, Route
from transport.services import Services

TIMES = Times(request_s=5, send_s=5, body_rate=100, idle_s=60)
DRINK = b"POST /drink HTTP/1.1\r\n" + HOST
SIP = b"5\r\nhello\r\n"  # a chunk


async def drink(request: Request, _: Services) -> Response:
    """How many bytes came, of a body that is taken while it comes."""
    assert request.stream is not None
    return Response.of(sum([len(piece) async for piece in request.stream]))


def wire() -> Wire:
    """A client of a front with one more route."""
    route = Route("POST", "/drink", drink, streams=lambda _: 100_000)
    return Hall(times=TIMES, more=(route,)).connect()


async def drip(one: Wire, pieces: Iterable[bytes], every_s: float) -> float:
    """Send a piece at a time until the server has closed; how long that took, in seconds."""
    loop = asyncio.get_running_loop()
    began = loop.time()
    for piece in pieces:
        await one.deliver([piece])
        if one.lost.is_set():
            break
        await asyncio.sleep(every_s)
    await one.lost.wait()
    return loop.time() - began


def each_byte(data: bytes) -> list[bytes]:
    """The bytes one by one."""
    return [bytes([byte]) for byte in data]


@virtual
@pytest.mark.parametrize(
    ("first", "then"),
    [
        (b"", b"\r\n"),
        (LINE + HOST, b"X: y\r\n"),
        (ECHO + HOST + b"Content-Length: 900\r\n\r\n", b"a"),
        (CHUNKED, b"1\r\na\r\n"),
        (CHUNKED + b"0\r\n", b"X: y\r\n"),
        (DRINK + b"Content-Length: 900\r\n\r\n", b"a"),
        (DRINK + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\na\r\n"),
        (DRINK + b"Transfer-Encoding: chunked\r\n\r\n0\r\n", b"X: y\r\n"),
    ],
)
async def test_a_request_that_drips_is_closed_with_408(first: bytes, then: bytes) -> None:
    """A byte now and then does not lengthen the time of a request, whatever part it belongs to."""
    one = wire()
    took_s = await drip(one, [first + then, *each_byte(then * 200)], every_s=0.5)
    assert one.sent.startswith(b"HTTP/1.1 408 ")
    assert took_s <= TIMES.request_s + TIMES.linger_s + 1


@virtual
async def test_a_body_that_comes_steadily_may_take_long() -> None:
    """At the least rate and above, a body that its route takes meanwhile has all its time."""
    one = wire()
    head = DRINK + b"Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
    took_s = await drip(one, [head, *[SIP * 20] * 100, b"0\r\n\r\n"], every_s=0.9)
    assert took_s > 10 * TIMES.request_s
    assert one.sent.endswith(b"\r\n\r\n10000")


@virtual
async def test_a_body_that_stops_is_closed_with_408_however_fast_it_began() -> None:
    """What came quickly earns no long silence."""
    one = wire()
    head = DRINK + b"Transfer-Encoding: chunked\r\n\r\n"
    took_s = await drip(one, [head, SIP * 1000], every_s=0.1)
    assert one.sent.startswith(b"HTTP/1.1 408 ")
    assert took_s <= TIMES.request_s + TIMES.linger_s + 1


@virtual
async def test_a_connection_may_be_idle_for_its_time_only() -> None:
    """Before the first request, and between two, which begin the time anew."""
    one = wire()
    took_s = await drip(one, [get("/api")] * 3, every_s=59)
    assert one.sent.count(b"HTTP/1.1 200 ") == 3
    assert took_s == pytest.approx(3 * 59 + 1, abs=1)


@virtual
async def test_work_that_begins_after_the_client_has_said_no_more_is_stopped() -> None:
    """The last of several requests is given up like a single one."""
    ended = asyncio.Event()

    async def hang(_: Request, __: Services) -> Response:
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()
        raise AssertionError

    async def rest(_: Request, __: Services) -> Response:
        await asyncio.sleep(1)
        return Response()

    more = (Route("GET", "/rest", rest), Route("GET", "/hang", hang))
    one = Hall(times=TIMES, more=more).connect()
    await one.deliver([get("/rest") + get("/hang")])
    async with asyncio.timeout(TIMES.farewell_s + 2):
        await one.end()
        await ended.wait()
    assert one.statuses() == [200]
