"""Opening and closing the port."""

import asyncio
import contextlib
from collections.abc import Mapping
from pathlib import Path

import pytest
from websockets.asyncio.client import connect

from protocol.access import Identify
from protocol.connection import Connection
from protocol.errors import SettingsError
from protocol.settings import General, Settings
from tests.transport.places import client, get, repeat, services, serving
from transport.http import Request, Response, Route
from transport.server import serve
from transport.services import Services


async def open_at(host: str, port: int) -> None:
    server = await serve(Settings(general=General(host=host, port=port)), services(), repeat)
    await server.close()


async def test_a_taken_port_is_told_in_one_sentence() -> None:
    """The error names the setting, its value and what to do."""
    async with serving() as server:
        with pytest.raises(SettingsError, match=f"PERPLEXICA_PORT = {server.port} .*another"):
            await open_at("127.0.0.1", server.port)


@pytest.mark.parametrize("host", ["192.0.2.1", "no such host", "256.1.1.1"])
async def test_an_address_that_is_not_ours_is_told_in_one_sentence(host: str) -> None:
    """The error names the host."""
    with pytest.raises(SettingsError, match="PERPLEXICA_HOST"):
        await open_at(host, 0)


async def test_the_port_can_be_opened_again_at_once() -> None:
    """After a stop with connections, the same port is free for the next start."""
    async with serving() as first:
        port = first.port
        async with client(first) as one:
            await one.ask(get("/api"))
            await first.close()
    await open_at("127.0.0.1", port)


@pytest.mark.parametrize(
    ("host", "shown"), [("127.0.0.1", "http://127.0.0.1:"), ("0.0.0.0", "http://127.0.0.1:")]
)
async def test_the_address_can_be_opened_by_a_person(host: str, shown: str) -> None:
    """What is shown at the start is an address of this machine."""
    server = await serve(Settings(general=General(host=host, port=0)), services(), repeat)
    assert server.url == f"{shown}{server.port}"
    await server.close()


async def test_closing_ends_idle_connections_at_once() -> None:
    """New, kept and half-heard HTTP connections all end; a closed server closes again."""
    async with serving() as server:
        async with client(server) as new, client(server) as kept, client(server) as half:
            await kept.ask(get("/api"))
            await half.ask(get("/api") + b"GET /api")
            async with asyncio.timeout(2):
                await server.close(within_s=60)
                for one in (new, kept, half):
                    with contextlib.suppress(ConnectionError):
                        assert await one.rest() == b""
            await server.close()
        with pytest.raises(OSError, match="Connect"):
            await asyncio.open_connection("127.0.0.1", server.port)


async def test_closing_waits_for_answers_that_are_being_made() -> None:
    """A request that runs gets its answer, and is told that the connection ends."""
    begun, go = asyncio.Event(), asyncio.Event()

    async def work(_: Request, __: Services) -> Response:
        begun.set()
        await go.wait()
        return Response.of("done")

    async with (
        serving(routes=(Route("GET", "/work", work),)) as server,
        client(server) as one,
    ):
        await one.send(get("/work"))
        await asyncio.wait_for(begun.wait(), 5)
        closing = asyncio.create_task(server.close())
        await asyncio.sleep(0)
        go.set()
        answer = await one.answer()
        assert (answer.body, answer.headers["connection"]) == (b'"done"', "close")
        one.writer.close()
        await asyncio.wait_for(closing, 4)


async def test_closing_tells_websockets_the_code() -> None:
    """Each open WebSocket is closed with the code, and its conversation ends."""
    async with serving() as server, connect(f"ws://127.0.0.1:{server.port}/") as one:
        await server.close(1012, "restart")
        await one.wait_closed()
        assert (one.close_code, one.close_reason) == (1012, "restart")


async def test_closing_is_bounded_whatever_hangs() -> None:
    """Conversations and requests that do not end, and clients that say nothing, are cut off."""
    ended: list[str] = []

    async def hang(what: str) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.append(what)

    async def converse(_: Connection, __: Mapping[str, str], ___: Identify) -> None:
        await hang("talk")

    async def work(_: Request, __: Services) -> Response:
        await hang("work")
        raise AssertionError

    route = Route("GET", "/work", work)
    async with serving(converse=converse, routes=(route,)) as server, client(server) as silent:
        upgrade = get(
            "/",
            "Connection: Upgrade",
            "Upgrade: websocket",
            "Sec-WebSocket-Version: 13",
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
        )
        assert (await silent.ask(upgrade)).status == 101
        async with client(server) as waiting:
            await waiting.send(get("/api") + get("/work"))
            assert (await waiting.answer()).status == 200
            async with asyncio.timeout(6):
                await server.close(within_s=0.1)
    assert sorted(ended) == ["talk", "work"]


def open_files() -> int:
    """How many descriptors this process has."""
    return len(list(Path("/dev/fd").iterdir()))


async def test_nothing_is_left_behind_by_many_connections() -> None:
    """Connections of every kind that come and go leave no task and no open file."""

    async def visit(port: int, kind: int) -> None:
        if kind == 0:
            async with connect(f"ws://127.0.0.1:{port}/") as one:
                await one.send("hi")
                await one.recv()
            return
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write((b"", b"GET /api", get("/api"), b"\x00")[kind - 1])
        writer.transport.abort()

    async with serving() as server:
        tasks = len(asyncio.all_tasks())
        files = open_files()
        await asyncio.gather(*(visit(server.port, number % 5) for number in range(100)))
        async with client(server) as last:
            await last.ask(get("/api"))
        async with asyncio.timeout(5):
            while len(asyncio.all_tasks()) > tasks:
                others = asyncio.all_tasks() - {asyncio.current_task()}
                await asyncio.wait(others, return_when=asyncio.FIRST_COMPLETED, timeout=0.05)
        assert open_files() <= files + 2  # of the last client, at both ends
