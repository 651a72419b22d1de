"""Raw requests over a real socket, and what may be answered to them."""

import asyncio

import pytest

from access.proofs import NO_PROOF
from protocol.settings import Settings
from tests.clock import virtual
from tests.transport.places import HERE, SMALL, client, get, post, serving
from tests.transport.raw import CHUNKED, ECHO, HOST, LINE, TABLE
from tests.transport.raw_further import FURTHER, STREAMS
from tests.transport.wire import Hall
from transport.desk import Desk, Times
from transport.front import Front
from transport.http import Request, Response, Route
from transport.reader import ReadLimits
from transport.services import Services
from transport.visitors import Visitors

CLOSING = {400, 403, 408, 413, 417, 421, 426, 431, 501, 505}
ALL = TABLE | FURTHER


def test_the_table_is_long() -> None:
    """At least a hundred raw requests, each under its own name."""
    assert len(ALL) == len(TABLE) + len(FURTHER) >= 100


async def test_every_raw_request_gets_a_right_answer() -> None:
    """Each shape has its status; in one piece, byte by byte, and with the server well after it."""
    async with serving() as server:
        for name, (raw, right) in ALL.items():
            async with client(server) as one:
                answer = await one.ask(raw, head_only=raw.startswith(b"HEAD"))
                assert answer.status in right, (name, answer)
                if answer.status >= 400:
                    assert answer.headers["content-type"].startswith("application/json"), name
                    assert raw.startswith(b"HEAD") or answer.json()["message"], name
        async with client(server) as one:
            assert (await one.ask(get("/api"))).status == 200


async def test_pieces_of_a_request_make_the_same_answer() -> None:
    """However a request is cut into segments, it is the same request."""
    async with serving() as server:
        for name in ("plain", "chunked", "folded", "h2c with a body", "length and chunked"):
            raw, right = TABLE[name]
            async with client(server) as one:
                for byte in raw:
                    await one.send(bytes([byte]))
                    await asyncio.sleep(0)
                assert (await one.answer()).status in right, name


@virtual
@pytest.mark.parametrize("name", STREAMS)
async def test_every_stream_of_requests_gets_its_answers(name: str) -> None:
    """One answer to each request and no more; what hides in another is never taken for one."""
    raw, right = STREAMS[name]
    for size in (len(raw), 7):
        wire = Hall().connect()
        await wire.deliver(raw[at : at + size] for at in range(0, len(raw), size))
        await asyncio.sleep(1)
        assert wire.statuses() == right


async def test_a_refused_request_ends_the_connection() -> None:
    """Nothing that follows what could not be read is taken for a request."""
    async with serving() as server:
        for name, (raw, right) in ALL.items():
            if not right <= CLOSING or name == "path that is no utf-8":
                continue
            async with client(server) as one:
                head_only = raw.startswith(b"HEAD")
                answer = await one.ask(raw + get("/api/models"), head_only=head_only)
                assert answer.headers["connection"] == "close", name
                assert await one.rest() == b"", name


async def test_a_connection_serves_many_requests() -> None:
    """Requests follow each other on one connection, with and without bodies."""
    async with serving() as server, client(server) as one:
        for size in (0, 1, 999, 1000):
            answer = await one.ask(post("/echo", b"a" * size))
            assert (answer.status, len(answer.body)) == (200, size)
            assert answer.headers["connection"] == "keep-alive"
        answer = await one.ask(get("/api", "Connection: close"))
        assert (answer.status, answer.headers["connection"]) == (200, "close")
        assert await one.rest() == b""


async def test_answers_come_in_the_order_of_the_requests() -> None:
    """Requests sent at once are answered one by one, a slow one first if it was first."""
    gate = asyncio.Event()

    async def wait(_: Request, __: Services) -> Response:
        await gate.wait()
        return Response.of("waited")

    async with serving(routes=(Route("GET", "/wait", wait),)) as server, client(server) as one:
        chunked = CHUNKED + b"3\r\ntwo\r\n0\r\n\r\n"
        await one.send(get("/wait") + chunked + post("/echo", b"three") + get("/nothing"))
        gate.set()
        answers = [await one.answer() for _ in range(4)]
        assert [answer.body for answer in answers[:3]] == [b'"waited"', b"two", b"three"]
        assert answers[3].status == 404


async def test_a_thousand_requests_at_once_are_all_answered() -> None:
    """More requests than are kept unread wait in the socket, and none is lost."""
    async with serving() as server, client(server) as one:
        body = b"a" * 900
        sending = asyncio.create_task(one.send(post("/echo", body) * 1000))
        for _ in range(1000):
            assert (await one.answer()).body == body
        await sending


async def test_head_answers_without_the_body() -> None:
    """HEAD tells what GET would, with its length and without its body, also of errors."""
    async with serving() as server, client(server) as one:
        answer = await one.ask(get("/api", method="HEAD"), head_only=True)
        assert (answer.status, answer.headers["content-length"]) == (200, "15")
        answer = await one.ask(get("/none", method="HEAD"), head_only=True)
        assert answer.status == 404
        assert (await one.ask(get("/api"))).json() == {"status": "ok"}


async def test_a_client_that_expects_to_be_asked_is_asked_for_its_body() -> None:
    """100 comes before the body is sent, and not for a body that is refused."""
    async with serving() as server, client(server) as one:
        head, body = get("/echo", "Content-Length: 2", "Expect: 100-continue", method="POST"), b"hi"
        assert (await one.ask(head)).status == 100
        assert (await one.ask(body)).body == body
        assert (await one.ask(head)).status == 100
        assert (await one.ask(body)).body == body
        answer = await one.ask(post("/echo", b"", "Expect: 100-continue"))
        assert answer.status == 200
    async with serving() as server, client(server) as one:
        head = get("/echo", "Content-Length: 9999", "Expect: 100-continue", method="POST")
        assert (await one.ask(head)).status == 413


async def test_a_large_body_is_refused_and_the_answer_arrives() -> None:
    """A client that goes on sending a body over the limit still sees the 413."""
    async with serving() as server, client(server) as one:
        sending = asyncio.create_task(one.send(post("/echo", b"a" * 5_000_000)))
        answer = await one.answer()
        assert (answer.status, answer.headers["connection"]) == (413, "close")
        await sending
        assert await one.rest() == b""


async def test_large_bodies_pass_when_they_may() -> None:
    """A body up to the limit comes back whole."""
    limits = SMALL.__class__()
    body = bytes(range(256)) * 32768
    async with serving(limits=limits) as server, client(server) as one:
        sending = asyncio.create_task(one.send(post("/echo", body)))
        assert (await one.answer()).body == body
        await sending


@pytest.mark.parametrize(
    "part",
    [b"G", LINE, LINE + HOST, ECHO + HOST + b"Content-Length: 5\r\n\r\nhel", CHUNKED + b"5\r\nhe"],
)
async def test_a_request_that_does_not_end_is_given_up(part: bytes) -> None:
    """408 after the deadline, which runs from the first byte; then the connection ends."""
    async with serving(times=Times(request_s=0.05, send_s=1)) as server, client(server) as one:
        answer = await one.ask(part)
        assert (answer.status, answer.headers["connection"]) == (408, "close")
        assert await one.rest() == b""


async def test_an_idle_connection_is_closed() -> None:
    """A connection without a request ends without a word, new or kept alive."""
    async with serving(times=Times(request_s=5, send_s=1, idle_s=0.05)) as server:
        async with client(server) as one:
            assert await one.rest() == b""
        async with client(server) as one:
            await one.ask(get("/api"))
            assert await one.rest() == b""


async def test_a_client_that_says_no_more_gets_its_answers() -> None:
    """After the client has closed its half, what it asked before is still answered."""
    async with serving() as server, client(server) as one:
        await one.send(get("/api") + post("/echo", b"hi"))
        one.writer.write_eof()
        assert (await one.answer()).status == 200
        assert (await one.answer()).body == b"hi"
        assert await one.rest() == b""


async def test_work_for_a_client_that_left_is_stopped() -> None:
    """The task of a request ends soon after its client breaks off."""
    begun, ended = asyncio.Event(), asyncio.Event()

    async def hang(_: Request, __: Services) -> Response:
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()
        raise AssertionError

    times = Times(request_s=5, send_s=5, farewell_s=0.05)
    async with serving(routes=(Route("GET", "/hang", hang),), times=times) as server:
        async with client(server) as one:
            await one.send(get("/hang"))
            await asyncio.wait_for(begun.wait(), 5)
        await asyncio.wait_for(ended.wait(), 5)


class Deaf(asyncio.Transport):
    """A socket whose client takes nothing, and has reset the connection."""

    def __init__(self) -> None:
        super().__init__()
        self.aborted = asyncio.Event()
        self.front: Front | None = None

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Keep all, and ask for no more."""
        assert self.front is not None
        self.front.pause_writing()

    def get_write_buffer_size(self) -> int:
        """All is kept."""
        return 1

    def write_eof(self) -> None:
        """Fail, as a socket does whose other end is gone."""
        raise OSError(107, "Transport endpoint is not connected")

    def abort(self) -> None:
        """Note the end."""
        self.aborted.set()


async def heard_by_the_deaf(request: bytes) -> None:
    """Give a request to a front over a deaf socket, and wait for it to give up."""

    async def big(_: Request) -> Response:
        return Response(body=b"a" * 1_000_000)

    desk = Desk(
        answer=big,
        upgrade=lambda _, __: None,
        proof=lambda _, __: NO_PROOF,
        visitors=Visitors.of(Settings(access=HERE)),
        limits=ReadLimits(1000, 1000),
        times=Times(request_s=5, send_s=0.05),
        now=lambda: 0.0,
    )
    transport, front = Deaf(), Front(desk)
    transport.front = front
    front.connection_made(transport)
    front.get_buffer(-1)[: len(request)] = request
    front.buffer_updated(len(request))
    await asyncio.wait_for(transport.aborted.wait(), 5)
    front.connection_lost(None)
    assert not desk.fronts


async def test_a_client_that_does_not_read_is_cut_off() -> None:
    """An answer that nobody takes is given up after its deadline, not kept for ever."""
    await heard_by_the_deaf(get("/big"))


async def test_a_client_that_resets_the_connection_is_let_go() -> None:
    """A refusal that finds the socket broken ends the connection without an error."""
    await heard_by_the_deaf(b"\x00")


async def test_a_slow_client_gets_all_of_a_large_answer() -> None:
    """What goes out is held back to the speed of the client, and arrives whole."""

    async def big(_: Request, __: Services) -> Response:
        return Response(body=bytes(range(256)) * 40_000)

    async with serving(routes=(Route("GET", "/big", big),)) as server, client(server) as one:
        await one.send(get("/big") * 2)
        for _ in range(2):
            assert (await one.answer()).body == bytes(range(256)) * 40_000
