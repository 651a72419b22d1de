"""WebSockets through the front, by a real client and by raw bytes."""

import asyncio
import contextlib
import json
import struct
from collections.abc import Mapping

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.typing import Subprotocol

from protocol.access import Identify
from protocol.connection import Connection, ConnectionGone
from tests.transport.frames import ASK, frame, large
from tests.transport.places import client, get, serving
from transport.server import Server

MIB = 1024 * 1024


def talk(server: Server, path: str = "/", *offered: str) -> connect:
    """A client of the server."""
    return connect(
        f"ws://127.0.0.1:{server.port}{path}",
        subprotocols=[Subprotocol(name) for name in offered] or None,
        max_size=None,
    )


async def ended(socket: ClientConnection) -> int | None:
    """The code that the server closes with."""
    with contextlib.suppress(ConnectionClosed):
        async with asyncio.timeout(5):
            while True:
                await socket.recv()
    return socket.close_code


@pytest.mark.parametrize("path", ["/", "/api", "/any/path", "/?"])
async def test_any_path_can_become_a_websocket(path: str) -> None:
    """Frames go there and back on whatever path the upgrade was asked for."""
    async with serving() as server, talk(server, path) as socket:
        for text in ("one", "zwei", "三"):
            await socket.send(text)
            assert await socket.recv() == text
        await socket.send(b"123")
        assert await socket.recv() == "3 bytes"


async def test_the_parameters_of_the_address_are_decoded() -> None:
    """Each parameter arrives as text; of one that comes twice the last counts."""
    async with (
        serving() as server,
        talk(server, "/?chatModel=a%2Fb+c&x=1&x=%C3%A9&empty=") as socket,
    ):
        assert json.loads(await socket.recv()) == {"chatModel": "a/b c", "x": "é", "empty": ""}


async def test_frames_that_come_with_the_upgrade_are_not_lost() -> None:
    """What shares a segment with the head belongs to the WebSocket."""
    async with serving() as server, client(server) as one:
        answer = await one.ask(get("/", *ASK) + frame(b"early") + frame(b"bird"))
        assert answer.status == 101
        assert answer.headers["sec-websocket-accept"] == "s3pplmbitxaq9kygzzhzrbk+xoo="
        assert await one.reader.readexactly(13) == b"\x81\x05early\x81\x04bird"


async def test_an_upgrade_may_follow_plain_requests() -> None:
    """A kept connection becomes a WebSocket when it asks, also in the same segment."""
    async with serving() as server, client(server) as one:
        await one.send(get("/api") + get("/", *ASK) + frame(b"hi"))
        assert (await one.answer()).status == 200
        assert (await one.answer()).status == 101
        assert await one.reader.readexactly(4) == b"\x81\x02hi"


@pytest.mark.parametrize(
    ("offered", "agreed"),
    [
        ((), None),
        (("other",), None),
        (("perplexica.v2",), "perplexica.v2"),
        (("other", "perplexica.v2"), "perplexica.v2"),
    ],
)
async def test_the_subprotocol_is_agreed_only_when_it_is_offered(
    offered: tuple[str, ...], agreed: str | None
) -> None:
    """Old clients and clients with other offers are served without a subprotocol."""
    seen: list[str | None] = []

    async def note(connection: Connection, _: Mapping[str, str], __: Identify) -> None:
        seen.append(connection.subprotocol)

    async with serving(converse=note) as server, talk(server, "/", *offered) as socket:
        assert socket.subprotocol == agreed
        assert await ended(socket) == 1000
    assert seen == [agreed]


async def test_compression_is_not_agreed() -> None:
    """A client that offers to compress is served without: it would cost memory."""
    async with serving() as server, client(server) as one:
        answer = await one.ask(get("/", *ASK, "Sec-WebSocket-Extensions: permessage-deflate"))
        assert answer.status == 101
        assert "sec-websocket-extensions" not in answer.headers


async def test_odd_offers_do_not_spoil_the_upgrade() -> None:
    """Fields that websockets would trip over are not shown to it."""
    odd = ("Sec-WebSocket-Extensions: ;;;", "Sec-WebSocket-Protocol: ,,a b,")
    async with serving() as server, client(server) as one:
        assert (await one.ask(get("/", *ASK, *odd))).status == 101


async def test_a_large_frame_passes_and_a_larger_one_closes() -> None:
    """4 MiB come through, whole or in fragments; one byte more ends with 1009."""
    seen: list[int] = []

    async def measure(connection: Connection, _: Mapping[str, str], __: Identify) -> None:
        async for text in connection.frames():
            seen.append(len(text))
            await connection.send("seen")

    async with serving(converse=measure) as server:
        async with talk(server) as socket:
            await socket.send("a" * (4 * MIB))
            assert await socket.recv() == "seen"
            await socket.send(["a" * MIB] * 4)
            assert await socket.recv() == "seen"
        long, part, more = (large(opcode, MIB) for opcode in (0x81, 0x01, 0x00))
        for frames in (large(0x81, 4 * MIB + 1), part + more * 4, long + part + more * 4):
            async with client(server) as one:
                assert (await one.ask(get("/", *ASK))).status == 101
                await one.send(frames)
                assert struct.pack("!H", 1009) in await one.rest()
    assert seen == [4 * MIB] * 2 + [MIB]


async def test_frames_end_quietly_however_the_client_leaves(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """A close, a cut, bad text and bad frames all end the frames, and nothing is logged."""
    left = asyncio.Queue[str]()

    async def listen(connection: Connection, _: Mapping[str, str], __: Identify) -> None:
        async for _text in connection.frames():
            pass
        with pytest.raises(ConnectionGone):
            await connection.send("too late")
        await connection.close()
        left.put_nowait("left")

    async with serving(converse=listen) as server:
        async with talk(server) as socket:
            await socket.close(3000, "bye")
        assert await asyncio.wait_for(left.get(), 5)
        async with talk(server) as socket:
            socket.transport.abort()
        assert await asyncio.wait_for(left.get(), 5)
        for bad in (frame(b"\xff"), frame(b"", 3), b"\x81\x05early", frame(b"\x00", 8)):
            async with client(server) as one:
                assert (await one.ask(get("/", *ASK))).status == 101
                await one.send(bad)
                one.writer.write_eof()
                assert await asyncio.wait_for(left.get(), 5)
    assert not caplog.records


async def test_a_client_may_leave_in_the_middle_of_an_answer(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """ConnectionGone may escape: it is how a conversation ends, and no fault."""
    gone = asyncio.Event()

    async def pour(connection: Connection, _: Mapping[str, str], __: Identify) -> None:
        try:
            while True:
                await connection.send("a" * 10_000)
        finally:
            gone.set()

    async with serving(converse=pour) as server:
        async with talk(server) as socket:
            await socket.recv()
            socket.transport.abort()
        await asyncio.wait_for(gone.wait(), 5)
    assert not caplog.records


async def test_what_escapes_a_conversation_closes_it_and_is_logged_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """A bug ends its own connection with 1011, and leaves its traceback in the log."""

    async def fail(_: Connection, __: Mapping[str, str], ___: Identify) -> None:
        raise LookupError

    async with serving(converse=fail) as server, talk(server) as socket:
        assert await ended(socket) == 1011
    assert [record.exc_info is not None for record in caplog.records] == [True]


async def test_a_conversation_may_close_with_a_code() -> None:
    """The code arrives, with as much of the reason as fits; closing twice is harmless."""

    async def refuse(connection: Connection, _: Mapping[str, str], __: Identify) -> None:
        await connection.close(4401, "é" * 200)
        await connection.close(1000)

    async with serving(converse=refuse) as server, talk(server) as socket:
        assert await ended(socket) == 4401
        assert socket.close_reason == "é" * 61


async def test_a_refused_upgrade_speaks_our_words() -> None:
    """What cannot be followed is answered in JSON, says what could be, and ends."""
    async with serving() as server:
        async with client(server) as one:
            answer = await one.ask(get("/", *ASK[:2]) + frame(b"hi"))
            assert answer.status == 426
            assert answer.headers["sec-websocket-version"] == "13"
            assert answer.json()["message"].startswith("Only WebSocket")
            assert await one.rest() == b""
        with pytest.raises(InvalidStatus) as refused:
            async with talk(server, "/?" + "a=1&" * 101):
                raise AssertionError
        assert refused.value.response.status_code == 400
