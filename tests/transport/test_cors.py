import pytest

from tests.transport.places import Client, client, get, post, serving
from transport.cors import nearby
from transport.http import Request, Response, Route
from transport.services import Services

UI = "http://localhost:3000"


@pytest.mark.parametrize(
    ("origin", "host", "allowed"),
    [
        ("http://localhost:3000", "127.0.0.1:3001", True),
        ("https://LOCALHOST", "[::1]:3001", True),
        ("http://127.0.0.1:1", "localhost:3001", True),
        ("http://[::1]:3000", "localhost", True),
        ("http://localhost:3000", "box:3001", False),
        ("http://box:3000", "localhost:3001", False),
        ("http://box:3000", "box:3001", True),
        ("http://box", "BOX", True),
        ("http://[fd00::1]:3000", "[fd00::1]:3001", True),
        ("http://other:3000", "box:3001", False),
        ("http://localhost.evil.example", "localhost", False),
        ("http://evil.example#localhost", "localhost", False),
        ("http://user@localhost", "localhost", False),
        ("http://localhost:", "localhost", False),
        ("http://localhost:3000/", "localhost", False),
        ("http://localhost, http://evil.example", "localhost", False),
        ("http://127.0.0.1.example", "localhost", False),
        ("http://127.0.0.2", "localhost", False),
        ("file://", "localhost", False),
        ("null", "null", False),
        ("", "", False),
    ],
)
def test_pages_of_this_machine_and_host_are_allowed(origin: str, host: str, allowed: bool) -> None:
    """Any port of loopback or of the host that was asked, and nothing that only looks like it."""
    assert nearby(origin, host) is allowed


@pytest.mark.parametrize("path", ["/api", "/api/chats/x", "/api/none", "/health/live"])
async def test_a_preflight_is_answered(path: str) -> None:
    """204 on every path of the API, with the origin, the methods and the asked headers."""
    async with serving() as server, client(server) as one:
        asked = "Access-Control-Request-Headers: content-type,x-other"
        answer = await one.ask(get(path, f"Origin: {UI}", asked, method="OPTIONS"))
        assert (answer.status, answer.body) == (204, b"")
        assert "content-length" not in answer.headers
        assert answer.headers["access-control-allow-origin"] == UI
        assert answer.headers["access-control-allow-headers"] == "content-type,x-other"
        assert {"get,", "post,", "delete,"} <= set(
            answer.headers["access-control-allow-methods"].split()
        )
        assert (await one.ask(get("/api"))).status == 200


async def test_a_strange_list_of_headers_is_not_echoed() -> None:
    """What the client writes comes back only when it is a list of names."""
    async with serving() as server, client(server) as one:
        for asked in ("a b", "a;b", "", "a, b, " * 200):
            line = f"Access-Control-Request-Headers: {asked}"
            answer = await one.ask(get("/api", f"Origin: {UI}", line, method="OPTIONS"))
            assert answer.headers["access-control-allow-headers"] == "content-type"


async def test_options_elsewhere_are_answered_too() -> None:
    """As in the reference: a browser learns of a missing path from its real request."""
    async with serving() as server, client(server) as one:
        assert (await one.ask(get("/apis", method="OPTIONS"))).status == 204


async def fail(_: Request, __: Services) -> Response:
    raise LookupError


async def first(one: Client, *lines: str) -> dict[int, bool]:
    """The statuses of all kinds of answers, and whether each lets the page read it."""
    told = {}
    for raw in (get("/api", *lines), get("/x", *lines), get("/fail", *lines)):
        answer = await one.ask(raw)
        told[answer.status] = answer.headers.get("access-control-allow-origin") == UI
        assert answer.headers["vary"] == "origin"
    return told


async def test_every_answer_lets_the_page_read_it() -> None:
    """Good answers and errors alike; also those given before the request was whole."""
    refused = {
        405: post("/api", b"", f"Origin: {UI}"),
        413: get("/echo", f"Origin: {UI}", "Content-Length: 5000", method="POST"),
        431: get("/api", f"Origin: {UI}", "A: " + "a" * 3000),
        400: get("/api", f"Origin: {UI}", "A : b"),
        426: get("/api", f"Origin: {UI}", "Upgrade: websocket"),
    }
    async with serving(routes=(Route("GET", "/fail", fail),)) as server:
        async with client(server) as one:
            told = await first(one, f"Origin: {UI}")
            assert told == {200: True, 404: True, 500: True}
            assert not any((await first(one, "Origin: http://evil.example")).values())
            assert not any((await first(one, "X: y")).values())
        for status, raw in refused.items():
            async with client(server) as one:
                answer = await one.ask(raw)
                assert answer.status == status
                assert answer.headers["access-control-allow-origin"] == UI
