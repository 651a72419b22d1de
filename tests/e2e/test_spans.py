"""Spans of turns on their way to a collector, from the running program."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.e2e.client import Client
from tests.e2e.conftest import upstreams
from tests.e2e.program import Program
from tests.standins.model_server import ModelServer
from tests.standins.search_server import SearchServer

pytestmark = pytest.mark.asyncio(loop_scope="session")

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
PARENT = {"traceparent": f"00-{TRACE}-00f067aa0ba902b7-01"}
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
SPANS = {"PERPLEXICA_METRICS_SPANS": "true", "PERPLEXICA_UI_GAP_MS": "0"}


class Collector:
    """Takes what is sent to it by OTLP over HTTP, unread."""

    def __init__(self) -> None:
        self.paths: list[str] = []
        self.bodies = b""

    async def hear(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Take requests until the client has left."""
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
                self.paths.append(head.split(" ")[1])
                length = int(head.partition("content-length: ")[2].partition("\r\n")[0])
                self.bodies += await reader.readexactly(length)
                writer.write(OK)
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()


@asynccontextmanager
async def collecting() -> AsyncIterator[tuple[Collector, str]]:
    """A collector, and its address."""
    collector = Collector()
    server = await asyncio.start_server(collector.hear, "127.0.0.1", 0)
    try:
        yield collector, f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()


async def test_spans_of_a_turn_reach_the_collector(
    models: ModelServer, search: SearchServer, tmp_path: Path
) -> None:
    """At the latest when the program stops; in the trace of the request, without any text."""
    async with collecting() as (collector, address):
        named = {"OTEL_EXPORTER_OTLP_ENDPOINT": address, **SPANS}
        program = Program(tmp_path, **upstreams(models, search), **named)
        async with program, Client.connect(program, headers=PARENT) as client:
            turn = await client.answer("How tall are unicorns?")
        assert turn.end["type"] == "messageEnd"
    assert set(collector.paths) == {"/v1/traces"}
    for word in (b"perplexica", b"searching", b"gen_ai.operation.name", bytes.fromhex(TRACE)):
        assert word in collector.bodies
    assert b"unicorns" not in collector.bodies


async def test_collector_that_is_not_there_holds_up_nobody(
    models: ModelServer, search: SearchServer, tmp_path: Path
) -> None:
    """Questions are answered, and the program stops in good order."""
    named = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1", **SPANS}
    program = Program(tmp_path, **upstreams(models, search), **named)
    async with program, Client.connect(program) as client:
        turn = await client.answer("And dragons?")
    assert turn.end["type"] == "messageEnd"
    assert await program.ended() == 0
