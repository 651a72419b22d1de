"""Metrics are told where they are on, and to administrators alone."""

import dataclasses

import pytest
from websockets.asyncio.client import connect

from access.doors import Door
from access.gate import Gate
from access.proofs import Proof
from protocol.access import Person
from tests.transport.places import client, get, post, services, serving
from transport.services import Services

TOKEN = "a-token-for-prometheus"


class Known(Door):
    """Knows everybody as the same person, or as nobody."""

    def __init__(self, who: Person | None) -> None:
        self._who = who

    async def person(self, proof: Proof) -> Person | None:
        """Whoever it is."""
        del proof
        return self._who


def counting() -> Services:
    """Services of a program that counts."""
    return dataclasses.replace(services(), metrics=lambda: b"perplexica_turns 1.0\n")


async def test_metrics_are_plain_text() -> None:
    """With the version that Prometheus asks for."""
    async with serving(using=counting()) as server, client(server) as one:
        answer = await one.ask(get("/metrics"))
    assert (answer.status, answer.body) == (200, b"perplexica_turns 1.0\n")
    assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"


async def test_metrics_that_are_off_are_not_there() -> None:
    """As any path that does not exist."""
    async with serving() as server, client(server) as one:
        assert (await one.ask(get("/metrics"))).status == 404


ADMIN, USER = Person("root", "admin"), Person("ann", "user")
BESIDE = "X-Forwarded-For: 127.0.0.1"


@pytest.mark.parametrize(
    ("shown", "lines", "status"),
    [
        (None, (), 401),
        (None, (BESIDE,), 401),
        (None, ("Authorization: Bearer guessed-the-token",), 401),
        (None, (f"Authorization: Bearer {TOKEN}",), 200),
        (USER, (), 403),
        (USER, (f"Authorization: Bearer {TOKEN}",), 200),
        (ADMIN, (), 200),
        (ADMIN, (BESIDE,), 200),
    ],
)
async def test_metrics_are_for_administrators_and_their_token(
    shown: Person | None, lines: tuple[str, ...], status: int
) -> None:
    """Also from this machine: a proxy there may send all that a program there sends."""
    using = dataclasses.replace(counting(), gate=Gate(Known(shown)), metrics_token=TOKEN)
    async with serving(using=using) as server, client(server) as one:
        assert (await one.ask(get("/metrics", *lines))).status == status
    assert TOKEN not in repr(using)


async def test_no_token_opens_where_none_is_set() -> None:
    """An empty one neither."""
    using = dataclasses.replace(counting(), gate=Gate(Known(None)))
    async with serving(using=using) as server, client(server) as one:
        assert (await one.ask(get("/metrics", "Authorization: Bearer "))).status == 401


async def test_bytes_to_and_fro_are_counted() -> None:
    """Every byte of HTTP; of a WebSocket what is said, not the frames around it."""
    async with serving() as server, client(server) as one:
        raw = post("/echo", b"x" * 500)
        await one.ask(raw)
        http = server.traffic.http
        assert http.received == len(raw)
        assert 500 < http.sent < 1500
        await one.ask(b"nonsense\r\n\r\n")
        assert http.received == len(raw) + len(b"nonsense\r\n\r\n")
        async with connect(f"ws://127.0.0.1:{server.port}/") as socket:
            await socket.send("wörd")
            await socket.recv()
        flow = server.traffic.websocket
        assert flow.sent == len("wörd".encode())
        assert flow.received > flow.sent
