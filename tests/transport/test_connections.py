"""How many connections one address may have, before they have said anything."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace

from websockets.asyncio.client import connect

from access.doors import token_door
from access.gate import Gate
from access.quotas import Quotas
from protocol.access_settings import Access
from protocol.settings import Limits
from tests.transport.places import PATIENCE_S, Client, client, get, services, serving
from transport.server import Server

SOON_S = 2.0
LIMITS = Limits(asker_connections=2)

GATE = Gate(token_door(Access(auth="token", token="a-secret-that-is-long-enough")))


@asynccontextmanager
async def crowded() -> AsyncIterator[tuple[Server, Client]]:
    """A server with two connections, which are all it takes; one of them is given."""
    quotas = Quotas(LIMITS, time.monotonic)
    using = replace(services(), gate=GATE, quotas=quotas)
    async with serving(using=using) as server, AsyncExitStack() as stack:
        one, _other = [await stack.enter_async_context(client(server)) for _ in range(2)]
        assert (await one.ask(get("/health/live"))).status == 200
        yield server, one


async def test_one_too_many_is_told_and_closed() -> None:
    """Without having asked; those that are there are answered as before."""
    async with crowded() as (server, one):
        async with client(server) as late:
            answer = await late.answer()
            assert await late.rest() == b""
            async with asyncio.timeout(SOON_S):  # before it would be given up for doing nothing
                while len(server._desk.fronts) > LIMITS.asker_connections:
                    assert (await one.ask(get("/health/live"))).status == 200
        assert (await one.ask(get("/health/live"))).status == 200
    assert (answer.status, answer.headers["retry-after"]) == (503, "2")


async def test_one_that_leaves_makes_room() -> None:
    """As soon as the server has noticed."""
    async with crowded() as (server, one):
        one.writer.close()
        async with asyncio.timeout(PATIENCE_S):
            while True:
                async with client(server) as late:
                    if (await late.ask(get("/health/live"))).status == 200:
                        break


async def test_websocket_is_no_http_connection_any_more() -> None:
    """It has a limit of its own."""
    quotas = Quotas(Limits(asker_connections=1, asker_sockets=2), time.monotonic)
    using = replace(services(), gate=GATE, quotas=quotas)
    async with serving(using=using) as server, AsyncExitStack() as stack:
        for _ in range(2):
            await stack.enter_async_context(connect(f"ws://127.0.0.1:{server.port}", proxy=None))
        assert (len(quotas.connections), len(quotas.sockets)) == (0, 1)
    assert len(quotas.sockets) == 0
