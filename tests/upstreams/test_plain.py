"""A client that hands requests to its transport, and where it does not."""

import asyncio
from typing import Any

import httpx
import pytest

from tests.providers.tiny_server import Seen, TinyServer, Wire
from upstreams.direct import DirectTransport
from upstreams.plain import PlainClient

ADDRESS = "http://a.example/x"


def mirror(request: httpx.Request) -> httpx.Response:
    """What was asked, as a service that wants to be remembered and asked elsewhere."""
    told = [request.method, str(request.url), request.headers.get("authorization", "")]
    told.append(request.headers.get("cookie", ""))
    fields = {"set-cookie": "a=b", "location": "http://b.example/"}
    return httpx.Response(302, json=told, headers=fields)


def elsewhere(request: httpx.Request) -> httpx.Response:
    """A service that has moved."""
    is_there = request.url.host == "b.example"
    return httpx.Response(200, text="here") if is_there else mirror(request)


def client() -> PlainClient:
    """A new one in front of the mirror."""
    return PlainClient(transport=httpx.MockTransport(mirror), follow_redirects=False)


async def test_reply_comes_whole_and_nothing_is_remembered() -> None:
    """Neither where it points is asked, nor its cookie sent."""
    async with client() as asking:
        for _ in range(2):
            reply = await asking.post(ADDRESS, content=b"1", headers={"Authorization": "Bearer k"})
            assert reply.json() == ["POST", ADDRESS, "Bearer k", ""]
            assert reply.request.url == ADDRESS
        assert not asking.cookies


async def test_reply_can_be_read_as_it_comes() -> None:
    """It is closed at the end."""
    async with client() as asking, asking.stream("GET", ADDRESS) as reply:
        assert b"".join([part async for part in reply.aiter_bytes()]).startswith(b'["GET"')
    assert reply.is_closed


async def test_name_and_password_of_an_address_are_sent() -> None:
    """As httpx sends them."""
    async with client() as asking:
        told = (await asking.get("http://me:secret@a.example/x")).json()
    assert told[2] == "Basic bWU6c2VjcmV0"


async def test_reply_that_leads_elsewhere_is_followed_at_request() -> None:
    """As httpx does it."""
    async with PlainClient(transport=httpx.MockTransport(elsewhere)) as asking:
        assert (await asking.get(ADDRESS, follow_redirects=True)).text == "here"
        assert (await asking.get(ADDRESS)).status_code == 302


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"content": b"abc", "headers": {"Authorization": "Bearer k", "accept": "text/html"}},
        {"content": b""},
        {"timeout": None, "headers": {"User-Agent": "ours"}},
        {"timeout": 2.5},
        {"content": "text"},
        {"json": {"a": 1}, "timeout": 3},
        {"headers": {"Host": "b.example", "accept": "a/b"}},
        {"params": {"a": "b c"}, "headers": [("x", "y")]},
    ],
    ids=lambda options: ",".join(options) or "nothing",
)
async def test_request_is_as_httpx_writes_it(options: dict[str, Any]) -> None:
    """In whatever order its fields stand."""
    address, theirs = "http://A.example:80/x?q=ü", httpx.AsyncClient(timeout=7)
    async with PlainClient(transport=httpx.MockTransport(mirror), timeout=7) as ours, theirs:
        for method in ("GET", "POST"):
            one, other = (c.build_request(method, address, **options) for c in (ours, theirs))
            assert (one.method, one.url, one.extensions) == (method, other.url, other.extensions)
            assert sorted(one.headers.items()) == sorted(other.headers.items())
            assert await one.aread() == await other.aread()


async def test_call_that_is_led_elsewhere_needs_one_place() -> None:
    """As many as there are places may be led elsewhere at once."""

    async def led(seen: Seen, wire: Wire) -> None:
        where = "" if seen.path == "/there" else "HTTP/1.1 302 Found\r\nLocation: /there\r\n"
        head = where or "HTTP/1.1 200 OK\r\n"
        await wire.raw(f"{head}Content-Length: 2\r\n\r\nok".encode())

    one = httpx.Limits(max_connections=1, max_keepalive_connections=1, keepalive_expiry=60)
    async with (
        TinyServer(led) as server,
        PlainClient(transport=DirectTransport(one), timeout=5) as asking,
    ):
        replies = [asking.get(server.url, follow_redirects=True) for _ in range(3)]
        assert [reply.status_code for reply in await asyncio.gather(*replies)] == [200] * 3


async def test_hooks_see_replies() -> None:
    """The time is read there."""
    seen: list[int] = []

    async def note(response: httpx.Response) -> None:
        seen.append(response.status_code)

    async with client() as asking:
        asking.event_hooks = {"response": [note]}
        await asking.get(ADDRESS)
    assert seen == [302]


async def test_closed_client_asks_nobody() -> None:
    """Also where its transport would."""
    asking = client()
    await asking.aclose()
    with pytest.raises(RuntimeError):
        await asking.get(ADDRESS)
