"""Calls of configured services: what goes over the wire, and what is made of what comes."""

import asyncio
import gc
import socket
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import pytest

from tests.e2e.faults import held_port
from tests.providers.tiny_server import Reply, Seen, TinyServer, Wire
from tests.standins.fixed_reply import FixedReply
from upstreams.connection import HELD_BYTES
from upstreams.direct import DirectTransport, direct
from upstreams.passing import after_failure
from upstreams.replies import released
from upstreams.reply import TALK_BYTES

OK = b"HTTP/1.1 200 OK\r\n"
SHORT = OK + b"Content-Length: 2\r\n\r\nok"
LIMITS = httpx.Limits(max_connections=1, max_keepalive_connections=1, keepalive_expiry=60)
BRIEFLY_S = 0.05


def saying(data: bytes, *, leaves: bool = False) -> Reply:
    """A service that says these bytes to each call, and then perhaps leaves."""

    async def reply(_: Seen, wire: Wire) -> None:
        await wire.raw(data)
        if leaves:
            wire.writer.close()

    return reply


async def silence(_: Seen, wire: Wire) -> None:
    """A service that never answers."""
    await wire.gone()


async def cut(_: Seen, wire: Wire) -> None:
    """A service that resets the connection."""
    wire.writer.get_extra_info("socket").setsockopt(
        socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0)
    )
    wire.cut()


@asynccontextmanager
async def caller(
    reply: Reply, patience: httpx.Timeout | float = 5.0, limits: httpx.Limits = LIMITS
) -> AsyncIterator[tuple[httpx.AsyncClient, TinyServer]]:
    """A client whose base address is the service's."""
    async with (
        TinyServer(reply) as service,
        httpx.AsyncClient(
            transport=DirectTransport(limits), base_url=service.url, timeout=patience
        ) as client,
    ):
        yield client, service


async def test_request_arrives_as_it_was_meant() -> None:
    """Method, target, fields and body."""
    async with caller(saying(SHORT)) as (client, service):
        asked = await client.post("/a%20b?c=d", headers={"X-Key": "k"}, content=b"body")
    [seen] = service.seen
    assert (asked.status_code, asked.content) == (200, b"ok")
    assert (seen.method, seen.path, seen.body) == ("POST", "/a%20b?c=d", b"body")
    assert seen.headers["x-key"] == "k"


@pytest.mark.parametrize(
    "data",
    [
        SHORT,
        OK + b"Transfer-Encoding: chunked\r\n\r\n1\r\no\r\n1\r\nk\r\n0\r\n\r\n",
        OK + b"Transfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nDigest: x\r\n\r\n",
        b"HTTP/1.1 100 Continue\r\nA: b\r\n\r\n" + SHORT,
    ],
)
async def test_whole_reply_leaves_its_connection_for_the_next(data: bytes) -> None:
    """However its end is told."""
    async with caller(saying(data)) as (client, service):
        replies = [await client.get("/") for _ in range(3)]
        connections = service.connections
    assert [reply.content for reply in replies] == [b"ok"] * 3
    assert "a" not in replies[0].headers
    assert connections == 1


@pytest.mark.parametrize(
    "data",
    [
        OK + b"\r\nok",  # ends with the connection
        OK + b"Connection: close\r\nContent-Length: 2\r\n\r\nok",
        SHORT,  # and leaves although it has not said so
    ],
)
async def test_connection_that_the_service_closes_fails_no_call(data: bytes) -> None:
    """The next call takes another."""
    async with caller(saying(data, leaves=True)) as (client, service):
        for _ in range(2):
            assert (await client.get("/")).content == b"ok"
            await service.closed.wait()
        assert service.connections == 2


async def test_second_reply_to_one_call_is_not_heard() -> None:
    """Nor is it the answer to the next call."""
    lies = SHORT + OK + b"Content-Length: 3\r\n\r\nlie"
    async with caller(saying(lies)) as (client, service):
        replies = [await client.get("/") for _ in range(2)]
        assert service.connections == 2
    assert [reply.content for reply in replies] == [b"ok", b"ok"]


async def test_pieces_that_came_together_are_read_as_one() -> None:
    """A reader that was busy meanwhile is woken once."""
    words = b"".join(b"3\r\none\r\n" for _ in range(100))
    head = OK + b"Transfer-Encoding: chunked\r\n\r\n"
    async with (
        caller(saying(head + words + b"0\r\n\r\n")) as (client, _),
        client.stream("GET", "/") as reply,
    ):
        pieces = [piece async for piece in reply.aiter_raw()]
    assert b"".join(pieces) == b"one" * 100
    assert len(pieces) < 10


async def test_body_that_nobody_reads_is_left_to_the_network() -> None:
    """And comes whole once somebody does."""
    size = 40 * HELD_BYTES
    head = OK + b"Content-Length: %d\r\n\r\n" % size
    async with (
        caller(saying(head + bytes(size))) as (client, service),
        client.stream("GET", "/") as reply,
    ):
        pieces = [len(piece) async for piece in reply.aiter_raw()]
        assert service.connections == 1
    assert sum(pieces) == size
    assert max(pieces) < size / 4


@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        (saying(b"<html>"), httpx.RemoteProtocolError),
        (saying(b"", leaves=True), httpx.RemoteProtocolError),
        (saying(OK + b"Content-Length: 9\r\n\r\nok", leaves=True), httpx.RemoteProtocolError),
        (saying(OK + b"Transfer-Encoding: chunked\r\n\r\nzz"), httpx.RemoteProtocolError),
        (saying(b"HTTP/1.1 101 So\r\nUpgrade: x\r\n\r\n"), httpx.RemoteProtocolError),
        (saying(OK + b"A: " + b"b" * 2 * TALK_BYTES), httpx.RemoteProtocolError),
        (
            saying(OK + b"Transfer-Encoding: chunked\r\n\r\n1;" + b"b" * 10 * TALK_BYTES),
            httpx.RemoteProtocolError,
        ),
        (cut, httpx.ReadError),
    ],
)
async def test_what_breaks_off_or_is_no_http_is_told(
    reply: Reply, kind: type[httpx.TransportError]
) -> None:
    """In the errors of httpx, which all above know."""
    async with caller(reply) as (client, service):
        with pytest.raises(kind):
            await client.get("/")
        await service.closed.wait()


async def test_head_that_does_not_come_is_waited_for_so_long() -> None:
    """The time to read."""
    async with caller(silence, BRIEFLY_S) as (client, service):
        with pytest.raises(httpx.ReadTimeout):
            await client.get("/")
        await service.closed.wait()


async def test_request_that_is_not_taken_is_offered_so_long() -> None:
    """The time to write."""
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        address = f"http://127.0.0.1:{deaf.getsockname()[1]}"
        timeout = httpx.Timeout(5, write=BRIEFLY_S)
        transport = DirectTransport(LIMITS)
        async with httpx.AsyncClient(transport=transport, timeout=timeout) as client:
            with pytest.raises(httpx.WriteTimeout):
                await client.post(address, content=bytes(32 * 1024 * 1024))


async def test_calls_beyond_the_bound_wait_for_a_place() -> None:
    """The time for that, and then they are refused; a place that is freed is taken."""
    timeout = httpx.Timeout(5, pool=BRIEFLY_S)
    async with caller(saying(SHORT), timeout) as (client, _):
        async with client.stream("GET", "/"):
            with pytest.raises(httpx.PoolTimeout):
                await client.get("/")
        assert (await client.get("/")).content == b"ok"


async def test_service_that_does_not_speak_tls_cannot_be_connected_to() -> None:
    """And gives its place back."""
    with held_port() as port:
        async with (
            FixedReply(b"no handshake", port),
            httpx.AsyncClient(transport=DirectTransport(LIMITS)) as client,
        ):
            for _ in range(2):
                with pytest.raises(httpx.ConnectError) as caught:
                    await client.get(f"https://127.0.0.1:{port}")
                assert after_failure(caught.value) is None


@pytest.mark.parametrize("value", ["a\r\nB: c", "a\nb", "a\0", " a"])
async def test_header_that_would_be_more_than_one_is_not_sent(value: str) -> None:
    """A key may come from a setting with whatever in it."""
    async with caller(saying(SHORT)) as (client, service):
        with pytest.raises(httpx.LocalProtocolError):
            await client.get("/", headers={"Authorization": value})
    assert service.connections == 0


@pytest.mark.parametrize("begun", [True, False])
async def test_who_is_cancelled_closes_the_connection_and_frees_the_place(begun: bool) -> None:
    """Before the head and in the body."""

    async def first_hangs(seen: Seen, wire: Wire) -> None:
        if seen.path == "/next":
            await wire.raw(SHORT)
            return
        if begun:
            await wire.raw(OK + b"Content-Length: 9\r\n\r\nok")
        await wire.gone()

    async with caller(first_hangs) as (client, service):
        asking = asyncio.ensure_future(client.get("/"))
        await service.saw(1)
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking
        await service.closed.wait()
        assert (await client.get("/next")).content == b"ok"


async def test_closing_ends_the_calls_under_way() -> None:
    """Also one whose body would end with the connection: it is not whole."""
    async with caller(saying(OK + b"\r\nok")) as (client, service):
        async with client.stream("GET", "/") as reply:
            body = reply.aiter_raw()
            assert await anext(body) == b"ok"
            await client.aclose()
            with pytest.raises(httpx.ReadError):
                await anext(body)
        await service.closed.wait()


async def test_idle_connections_are_bounded_in_number_and_time() -> None:
    """Three calls at once, of which one connection is kept, and that for no time at all."""
    limits = httpx.Limits(max_connections=3, max_keepalive_connections=1, keepalive_expiry=60)
    async with caller(saying(SHORT), limits=limits) as (client, service):
        for _ in range(2):
            await asyncio.gather(*(client.get("/") for _ in range(3)))
        assert service.connections == 5
    hasty = httpx.Limits(max_connections=1, max_keepalive_connections=1, keepalive_expiry=-1)
    async with caller(saying(SHORT), limits=hasty) as (client, service):
        for _ in range(2):
            await client.get("/")
        assert service.connections == 2


async def test_call_leaves_nothing_to_the_collector() -> None:
    """It hardly ever looks at what is older."""
    async with caller(saying(SHORT)) as (client, _):

        async def ask() -> None:
            async with released(client.stream("GET", "/")) as reply:
                assert [piece async for piece in reply.aiter_raw()] == [b"ok"]

        await ask()
        gc.collect()
        gc.disable()
        try:
            await ask()
            assert gc.collect() == 0
        finally:
            gc.enable()


def test_proxies_that_the_environment_names_are_left_to_httpx(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As are no others."""
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    assert isinstance(direct(LIMITS), DirectTransport)
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:1")
    assert direct(LIMITS) is None
