"""Metrics are told where they are on, and to this machine alone."""

import dataclasses

import pytest
from msgspec.structs import replace
from websockets.asyncio.client import connect

from tests.transport.places import client, get, post, services, serving
from transport.http import Request
from transport.routes.metrics import is_nearby
from transport.services import Services


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


@pytest.mark.parametrize("line", ["Forwarded: for=x", "X-Forwarded-For: x", "X-Real-IP: x"])
async def test_metrics_are_not_told_through_a_proxy(line: str) -> None:
    """One on this machine is nearby, whoever stands behind it."""
    async with serving(using=counting()) as server, client(server) as one:
        assert (await one.ask(get("/metrics", line))).status == 403


@pytest.mark.parametrize(
    ("peer", "is_near"),
    [
        ("127.0.0.1", True),
        ("127.8.0.1", True),
        ("::1", True),
        ("::ffff:127.0.0.1", True),
        ("10.0.0.1", False),
        ("::ffff:10.0.0.1", False),
        ("192.168.1.7", False),
        ("fe80::1%eth0", False),
        ("", False),
    ],
)
def test_only_addresses_of_this_machine_are_nearby(peer: str, is_near: bool) -> None:
    """Not those of its network."""
    assert is_nearby(replace(Request("GET", "/metrics"), peer=peer)) == is_near


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
