"""Bodies that are made while they are sent."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager

import pytest

from tests.transport.places import PATIENCE_S, Client, client, get, serving
from transport.desk import Times
from transport.http import Request, Response, Route
from transport.services import Services

BIG = b"x" * 600_000


class Source:
    """Pieces that come when the test says so; tells how far it was asked and when it is closed."""

    def __init__(self, *pieces: bytes, waits: bool = False, breaks: bool = False) -> None:
        self.asked = 0
        self.closed = asyncio.Event()
        self.gate = asyncio.Event()
        self._pieces = pieces
        self._breaks = breaks
        if not waits:
            self.gate.set()

    async def __aiter__(self) -> AsyncGenerator[bytes, None]:
        """The pieces, then the wait for the gate."""
        for piece in self._pieces:
            self.asked += 1
            yield piece
        await self.gate.wait()
        if self._breaks:
            raise KeyError("a bug")

    async def aclose(self) -> None:
        """Note it."""
        self.closed.set()

    async def give(self, _: Request, __: Services) -> Response:
        """The route."""
        return Response(pieces=self)


@asynccontextmanager
async def served(source: Source, times: Times | None = None) -> AsyncIterator[Client]:
    """A client of a server that gives the source's pieces."""
    routes = (Route("GET", "/pieces", source.give),)
    async with serving(routes=routes, times=times) as server, client(server) as one:
        yield one


async def chunk(one: Client) -> bytes:
    """The next chunk of a body."""
    async with asyncio.timeout(PATIENCE_S):
        size = int(await one.reader.readuntil(b"\r\n"), 16)
        return (await one.reader.readexactly(size + 2))[:-2]


async def closed(source: Source) -> None:
    """Wait for the end of the work."""
    async with asyncio.timeout(PATIENCE_S):
        await source.closed.wait()


async def test_each_piece_is_a_chunk_that_is_sent_at_once() -> None:
    """The first is there before the last is made; an empty piece does not end the body."""
    source = Source(b"one", b"", b"two", waits=True)
    async with served(source) as one:
        answer = await one.ask(get("/pieces"))
        assert answer.headers["transfer-encoding"] == "chunked"
        assert "content-length" not in answer.headers
        assert [await chunk(one), await chunk(one)] == [b"one", b"two"]
        source.gate.set()
        assert await chunk(one) == b""
        await closed(source)
        assert (await one.ask(get("/api"))).status == 200


async def test_pieces_of_any_size_arrive_whole() -> None:
    """A large piece is written bit by bit; a body without pieces is empty."""
    async with served(Source(BIG, BIG)) as one:
        await one.ask(get("/pieces"))
        assert [await chunk(one), await chunk(one), await chunk(one)] == [BIG, BIG, b""]
    async with served(Source()) as one:
        await one.ask(get("/pieces"))
        assert await chunk(one) == b""


async def test_an_old_client_reads_to_the_end_of_the_connection() -> None:
    """HTTP/1.0 knows no chunks."""
    async with served(Source(b"one", b"two")) as one:
        answer = await one.ask(b"GET /pieces HTTP/1.0\r\n\r\n")
        assert "transfer-encoding" not in answer.headers
        assert await one.rest() == b"onetwo"


async def test_head_has_no_pieces() -> None:
    """Nothing is made for it, and what stood ready is ended."""
    source = Source(b"one")
    async with served(source) as one:
        await one.ask(get("/pieces", method="HEAD"), head_only=True)
        await closed(source)
        assert (await one.ask(get("/api"))).status == 200
    assert source.asked == 0


async def test_a_client_that_leaves_ends_the_work() -> None:
    """Also while the next piece takes long."""
    source = Source(b"one", waits=True)
    async with served(source) as one:
        await one.ask(get("/pieces"))
        one.writer.transport.abort()
        await closed(source)


@pytest.mark.parametrize("early", [True, False])
async def test_a_client_that_closes_politely_ends_the_work(early: bool) -> None:
    """It may only have said that it sends no more; but after a while nobody reads."""
    source = Source(b"one", waits=True)
    async with served(source, Times(request_s=5, send_s=5, farewell_s=0.05)) as one:
        await one.send(get("/pieces"))
        if early:
            one.writer.write_eof()
            await one.answer()
        else:
            await one.answer()
            one.writer.write_eof()
        await closed(source)


async def test_no_piece_is_made_for_a_client_that_does_not_read() -> None:
    """Its slowness is felt where the pieces are made; past its time it is cut off."""
    source = Source(*[BIG] * 100)
    async with served(source, Times(request_s=5, send_s=0.2)) as one:
        await one.send(get("/pieces"))
        await closed(source)
    assert source.asked < 50


async def test_a_body_that_breaks_is_cut_off() -> None:
    """The client sees that the end is missing; the next connection works."""
    source = Source(b"one", breaks=True)
    async with served(source) as one:
        await one.ask(get("/pieces"))
        assert await chunk(one) == b"one"
        with pytest.raises((asyncio.IncompleteReadError, ConnectionError)):
            await chunk(one)
        await closed(source)
