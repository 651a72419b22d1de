"""The HTTP side of the port: the web UI's ground rules, and requests that cannot be answered."""

import asyncio
from pathlib import Path

import pytest

from tests.e2e.client import Client
from tests.e2e.program import Program
from tests.standins.model_server import CHAT_MODELS

pytestmark = pytest.mark.asyncio(loop_scope="session")

ORIGIN = {"Origin": "http://127.0.0.1:3000"}


async def test_api_says_ok(program: Program) -> None:
    """GET /api is the sign of life."""
    assert await program.json("/api") == {"status": "ok"}


@pytest.mark.parametrize("path", ["/health/live", "/health/ready"])
async def test_health_is_good(program: Program, path: str) -> None:
    """A program with a store that works is alive and ready."""
    assert (await program.http.get(path)).status_code == 200


async def test_models_are_maps_of_maps_with_custom_last(program: Program) -> None:
    """Providers with models are listed, the built-in writer and custom_openai at the end."""
    lists = await program.json("/api/models")
    chat = lists["chatModelProviders"]
    assert list(chat)[-2:] == ["built_in", "custom_openai"]
    assert chat["custom_openai"] == {}
    assert chat["built_in"]["extractive"]["displayName"]
    assert set(CHAT_MODELS) <= set(chat["openai"])
    assert all("displayName" in model for models in chat.values() for model in models.values())
    assert lists["embeddingModelProviders"]


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/nothing", 404),
        ("GET", "/api/nothing", 404),
        ("GET", "/api/chats/nobody", 404),
        ("DELETE", "/api/chats/nobody", 404),
        ("PUT", "/api/chats", 405),
        ("DELETE", "/api/models", 405),
        ("POST", "/api/chats/some-id", 405),
    ],
)
async def test_refusal_has_its_status_a_message_and_cors(
    program: Program, method: str, path: str, status: int
) -> None:
    """An error is {"message": ...} with its status, and a page of another origin can read it."""
    reply = await program.http.request(method, path, headers=ORIGIN)
    assert reply.status_code == status
    assert reply.json()["message"]
    assert reply.headers["Access-Control-Allow-Origin"] in {"*", ORIGIN["Origin"]}
    assert ("Allow" in reply.headers) == (status == 405)


async def test_health_counts_actors_and_tasks(tmp_path: Path) -> None:
    """A session that is opened adds its two actors, and no fewer tasks."""
    async with Program(tmp_path) as program:
        before = (await program.json("/health"))["backlog"]
        async with Client.connect(program):
            now = (await program.json("/health"))["backlog"]
    grown = {what: now[what] - before[what] for what in ("sessions", "actors")}
    assert grown == {"sessions": 1, "actors": 2}
    assert now["tasks"] >= before["tasks"] + 2


async def test_preflight_lets_the_web_ui_in(program: Program) -> None:
    """OPTIONS answers 2xx with the methods and the header that the web UI asks for."""
    asked = {"Access-Control-Request-Method": "DELETE"}
    asked |= {"Access-Control-Request-Headers": "content-type"}
    reply = await program.http.options("/api/chats/some-id", headers=ORIGIN | asked)
    assert reply.is_success
    assert "DELETE" in reply.headers["Access-Control-Allow-Methods"]
    assert "content-type" in reply.headers["Access-Control-Allow-Headers"].lower()


async def first_line(program: Program, request: bytes) -> bytes:
    """The status line that raw bytes are answered with."""
    reader, writer = await asyncio.open_connection("127.0.0.1", program.port)
    writer.write(request)
    try:
        return await asyncio.wait_for(reader.readline(), 10)
    finally:
        writer.close()


@pytest.mark.parametrize(
    ("request_bytes", "status"),
    [
        (b"GET /api HTTP/1.1\r\nHost: h\r\nX: %b\r\n\r\n" % (b"x" * 40_000), b"431"),
        (b"GET /%b HTTP/1.1\r\nHost: h\r\n\r\n" % (b"x" * 40_000), b"431"),
        (b"POST /api/chats HTTP/1.1\r\nHost: h\r\nContent-Length: 99999999\r\n\r\n", b"413"),
        (b"GET /api HTTP/1.1\r\n\r\n", b"400"),
        (b"GET /api HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", b"400"),
        (b"\x16\x03\x01 hello\r\n\r\n", b"400"),
        (b"GET /api HTTP/3.0\r\nHost: h\r\n\r\n", b"505"),
    ],
)
async def test_request_that_cannot_be_read_is_refused(
    program: Program, request_bytes: bytes, status: bytes
) -> None:
    """A head too large is 431, a body too large 413, a head read in two ways 400."""
    assert (await first_line(program, request_bytes)).split()[1] == status
    assert await program.json("/api") == {"status": "ok"}
