"""Raw requests over a real socket, and what may be answered to them."""

import asyncio

import pytest

from tests.transport.places import SMALL, client, get, post, serving
from transport.cors import Origins
from transport.front import Desk, Front, Times
from transport.http import Request, Response, Route
from transport.reader import ReadLimits
from transport.services import Services

OK, BAD, NONE = {200}, {400}, {404}
HOST = b"Host: h\r\n"
LINE = b"GET /api HTTP/1.1\r\n"
ECHO = b"POST /echo HTTP/1.1\r\n"
CHUNKED = ECHO + HOST + b"Transfer-Encoding: chunked\r\n\r\n"

# What is sent, and which first answers are right.
TABLE: dict[str, tuple[bytes, set[int]]] = {
    "plain": (LINE + HOST + b"\r\n", OK),
    "no fields at all in 1.0": (b"GET /api HTTP/1.0\r\n\r\n", OK),
    "1.0 with host": (b"GET /api HTTP/1.0\r\n" + HOST + b"\r\n", OK),
    "slash at the end": (b"GET /api/ HTTP/1.1\r\n" + HOST + b"\r\n", OK),
    "query": (b"GET /api?a=b&c HTTP/1.1\r\n" + HOST + b"\r\n", OK),
    "empty line before": (b"\r\n" + LINE + HOST + b"\r\n", OK),
    "empty lines before": (b"\r\n\r\n\r\n" + LINE + HOST + b"\r\n", OK),
    "absolute target": (b"GET http://h/api HTTP/1.1\r\n" + HOST + b"\r\n", OK),
    "absolute target, other host": (b"GET http://x:1/api HTTP/1.1\r\n" + HOST + b"\r\n", OK),
    "empty field": (LINE + HOST + b"X:\r\n\r\n", OK),
    "field in latin-1": (LINE + HOST + b"X: \xe9\r\n\r\n", OK),
    "space around a value": (LINE + b"Host: \t h \t\r\n\r\n", OK),
    "ipv6 host": (LINE + b"Host: [::1]:3001\r\n\r\n", OK),
    "hundred fields": (LINE + HOST + b"X: y\r\n" * 99 + b"\r\n", OK),
    "body on get": (LINE + HOST + b"Content-Length: 2\r\n\r\nhi", OK),
    "h2c is ignored": (LINE + HOST + b"Connection: Upgrade\r\nUpgrade: h2c\r\n\r\n", OK),
    "h2c with a body": (
        ECHO + HOST + b"Connection: Upgrade\r\nUpgrade: h2c\r\nContent-Length: 2\r\n\r\nhi",
        OK,
    ),
    "websocket in 1.0 is ignored": (b"GET /api HTTP/1.0\r\nUpgrade: websocket\r\n\r\n", OK),
    "post of nothing": (ECHO + HOST + b"\r\n", OK),
    "chunked": (CHUNKED + b"2\r\nhi\r\n0\r\n\r\n", OK),
    "CHUNKED": (
        ECHO + HOST + b"TRANSFER-ENCODING: CHUNKED\r\n\r\n2\r\nhi\r\n0\r\n\r\n",
        OK,
    ),
    "root": (b"GET / HTTP/1.1\r\n" + HOST + b"\r\n", NONE),
    "two slashes": (b"GET //api HTTP/1.1\r\n" + HOST + b"\r\n", NONE),
    "dots": (b"GET /x/../api HTTP/1.1\r\n" + HOST + b"\r\n", NONE),
    "coded slash": (b"GET /api%2fmodels HTTP/1.1\r\n" + HOST + b"\r\n", NONE),
    "zero byte in a name": (b"GET /api/chats/a%00b HTTP/1.1\r\n" + HOST + b"\r\n", NONE),
    "broken percent": (b"GET /api/chats/%zz HTTP/1.1\r\n" + HOST + b"\r\n", NONE),
    "path that is no utf-8": (b"GET /api/chats/%ff HTTP/1.1\r\n" + HOST + b"\r\n", BAD),
    "delete of status": (b"DELETE /api HTTP/1.1\r\n" + HOST + b"\r\n", {405}),
    "unknown method": (b"FETCH /api HTTP/1.1\r\n" + HOST + b"\r\n", {400, 501}),
    "method in lower case": (b"get /api HTTP/1.1\r\n" + HOST + b"\r\n", {400, 501}),
    "no host": (LINE + b"\r\n", BAD),
    "two hosts": (LINE + HOST + HOST + b"\r\n", BAD),
    "two hosts in 1.0": (b"GET /api HTTP/1.0\r\n" + HOST + HOST + b"\r\n", BAD),
    "empty host": (LINE + b"Host:\r\n\r\n", BAD),
    "host with a path": (LINE + b"Host: h/x\r\n\r\n", BAD),
    "host with a user": (LINE + b"Host: u@h\r\n\r\n", BAD),
    "list of hosts": (LINE + b"Host: a, b\r\n\r\n", BAD),
    "http 2": (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", {400, 505}),
    "http 1.2": (b"GET /api HTTP/1.2\r\n" + HOST + b"\r\n", {400, 505}),
    "http 0.9": (b"GET /api\r\n", BAD),
    "http 11": (b"GET /api HTTP/11\r\n" + HOST + b"\r\n", BAD),
    "lower case http": (b"GET /api http/1.1\r\n" + HOST + b"\r\n", BAD),
    "tls": (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", BAD),
    "noise": (b"\x00" * 10, BAD),
    "words": (b"hello there\r\n", BAD),
    "two spaces": (b"GET  /api HTTP/1.1\r\n" + HOST + b"\r\n", BAD),
    "space after version": (b"GET /api HTTP/1.1 \r\n" + HOST + b"\r\n", BAD),
    "tab for space": (b"GET\t/api\tHTTP/1.1\r\n" + HOST + b"\r\n", BAD),
    "space before method": (b" GET /api HTTP/1.1\r\n" + HOST + b"\r\n", BAD),
    "space in target": (b"GET /a pi HTTP/1.1\r\n" + HOST + b"\r\n", BAD),
    "bytes in target": (b"GET /\xc3\xa9 HTTP/1.1\r\n" + HOST + b"\r\n", BAD),
    "fragment": (b"GET /api#x HTTP/1.1\r\n" + HOST + b"\r\n", BAD),
    "asterisk": (b"OPTIONS * HTTP/1.1\r\n" + HOST + b"\r\n", BAD),
    "connect": (b"CONNECT h:443 HTTP/1.1\r\n" + HOST + b"\r\n", BAD),
    "relative target": (b"GET api HTTP/1.1\r\n" + HOST + b"\r\n", BAD),
    "other scheme": (b"GET ftp://h/api HTTP/1.1\r\n" + HOST + b"\r\n", BAD),
    "absolute target with a user": (b"GET http://u@h/ HTTP/1.1\r\n" + HOST + b"\r\n", BAD),
    "bare lf": (b"GET /api HTTP/1.1\nHost: h\n\n", BAD),
    "bare lf in a field": (LINE + HOST + b"A: 1\nB: 2\r\n\r\n", BAD),
    "bare cr in a field": (LINE + HOST + b"A: 1\rB: 2\r\n\r\n", BAD),
    "folded": (LINE + HOST + b"A: 1\r\n 2\r\n\r\n", BAD),
    "folded by a tab": (LINE + HOST + b"A: 1\r\n\t2\r\n\r\n", BAD),
    "folded first": (LINE + b" " + HOST + b"\r\n", BAD),
    "space before colon": (LINE + b"Host : h\r\n\r\n", BAD),
    "no colon": (LINE + HOST + b"Nothing\r\n\r\n", BAD),
    "no name": (LINE + HOST + b": x\r\n\r\n", BAD),
    "bad name": (LINE + HOST + b"A(b): x\r\n\r\n", BAD),
    "zero byte": (LINE + HOST + b"A: \x00\r\n\r\n", BAD),
    "bell": (LINE + HOST + b"A: \x07\r\n\r\n", BAD),
    "delete character": (LINE + HOST + b"A: \x7f\r\n\r\n", BAD),
    "length twice": (ECHO + HOST + b"Content-Length: 2\r\nContent-Length: 2\r\n\r\nhi", BAD),
    "lengths that differ": (ECHO + HOST + b"Content-Length: 2\r\nContent-Length: 0\r\n\r\nhi", BAD),
    "list of lengths": (ECHO + HOST + b"Content-Length: 2, 2\r\n\r\nhi", BAD),
    "length with a sign": (ECHO + HOST + b"Content-Length: +2\r\n\r\nhi", BAD),
    "length below nothing": (ECHO + HOST + b"Content-Length: -2\r\n\r\nhi", BAD),
    "length in hex": (ECHO + HOST + b"Content-Length: 0x2\r\n\r\nhi", BAD),
    "length with underscore": (ECHO + HOST + b"Content-Length: 1_0\r\n\r\n0123456789", BAD),
    "length with a dot": (ECHO + HOST + b"Content-Length: 2.0\r\n\r\nhi", BAD),
    "empty length": (ECHO + HOST + b"Content-Length:\r\n\r\nhi", BAD),
    "length in other digits": (ECHO + HOST + b"Content-Length: \xb2\r\n\r\nhi", BAD),
    "endless length": (ECHO + HOST + b"Content-Length: " + b"9" * 400 + b"\r\n\r\n", {400, 413}),
    "length and chunked": (
        ECHO + HOST + b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        BAD,
    ),
    "chunked and length": (
        ECHO + HOST + b"Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n",
        BAD,
    ),
    "chunked twice": (ECHO + HOST + b"Transfer-Encoding: chunked\r\n" * 2 + b"\r\n", {400, 501}),
    "gzip, chunked": (ECHO + HOST + b"Transfer-Encoding: gzip, chunked\r\n\r\n", {400, 501}),
    "chunked, identity": (
        ECHO + HOST + b"Transfer-Encoding: chunked, identity\r\n\r\n",
        {400, 501},
    ),
    "identity": (ECHO + HOST + b"Transfer-Encoding: identity\r\n\r\n", {400, 501}),
    "xchunked": (ECHO + HOST + b"Transfer-Encoding: xchunked\r\n\r\n", {400, 501}),
    "chunked by a vertical tab": (ECHO + HOST + b"Transfer-Encoding: \x0bchunked\r\n\r\n", BAD),
    "empty coding": (ECHO + HOST + b"Transfer-Encoding:\r\n\r\n", {400, 501}),
    "coding before a space": (ECHO + HOST + b"Transfer-Encoding : chunked\r\n\r\n", BAD),
    "chunked in 1.0": (b"POST /echo HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", BAD),
    "bad chunk": (CHUNKED + b"z\r\n", BAD),
    "chunk past its size": (CHUNKED + b"1\r\nhi\r\n0\r\n\r\n", BAD),
    "chunk line by lf": (CHUNKED + b"2\nhi\r\n0\r\n\r\n", BAD),
    "chunk too large": (CHUNKED + b"fffff\r\n", {413}),
    "chunk beyond 64 bits": (CHUNKED + b"10000000000000002\r\nhi\r\n", {400, 413}),
    "body too large": (ECHO + HOST + b"Content-Length: 1001\r\n\r\n", {413}),
    "strange expectation": (ECHO + HOST + b"Expect: wonders\r\nContent-Length: 1\r\n\r\n", {417}),
    "head too large": (LINE + HOST + b"A: " + b"a" * 2000 + b"\r\n\r\n", {431}),
    "head without end": (LINE + HOST + b"A: " + b"a" * 3000, {431}),
    "hundred and one fields": (LINE + HOST + b"X: y\r\n" * 100 + b"\r\n", {431}),
    "upgrade with a body": (
        LINE + HOST + b"Upgrade: websocket\r\nContent-Length: 2\r\n\r\nhi",
        BAD,
    ),
    "upgrade without a key": (
        LINE + HOST + b"Connection: Upgrade\r\nUpgrade: websocket\r\n"
        b"Sec-WebSocket-Version: 13\r\n\r\n",
        BAD,
    ),
    "upgrade of an old version": (
        LINE + HOST + b"Connection: Upgrade\r\nUpgrade: websocket\r\n"
        b"Sec-WebSocket-Version: 8\r\n\r\n",
        {426},
    ),
    "upgrade without connection": (LINE + HOST + b"Upgrade: websocket\r\n\r\n", {426}),
    "upgrade by post": (
        ECHO + HOST + b"Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n",
        {405},
    ),
}
CLOSING = {400, 408, 413, 417, 426, 431, 501, 505}


async def test_every_raw_request_gets_a_right_answer() -> None:
    """Each shape has its status; in one piece, byte by byte, and with the server well after it."""
    assert len(TABLE) >= 60
    async with serving() as server:
        for name, (raw, right) in TABLE.items():
            async with client(server) as one:
                answer = await one.ask(raw)
                assert answer.status in right, (name, answer)
                if answer.status not in OK:
                    assert answer.json()["message"], name
                    assert answer.headers["content-type"].startswith("application/json"), name
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


async def test_a_refused_request_ends_the_connection() -> None:
    """Nothing that follows what could not be read is taken for a request."""
    async with serving() as server:
        for name, (raw, right) in TABLE.items():
            if not right <= CLOSING or name == "path that is no utf-8":
                continue
            async with client(server) as one:
                answer = await one.ask(raw + get("/api/models"))
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
        origins=Origins(),
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
