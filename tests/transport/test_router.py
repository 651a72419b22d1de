import asyncio

import pytest

from protocol.errors import Busy, InvalidFocusMode, NotFound
from tests.transport.places import client, get, post, services, serving
from transport.http import Request, Response, Route
from transport.router import Router
from transport.services import Services

JSON = "Content-Type: application/json"


async def fail(_: Request, __: Services) -> Response:
    raise LookupError("secret words")


async def be_busy(_: Request, __: Services) -> Response:
    raise Busy("queue")


async def refuse_mode(_: Request, __: Services) -> Response:
    raise InvalidFocusMode("x", ("webSearch",))


async def hang(_: Request, __: Services) -> Response:
    await asyncio.Event().wait()
    raise AssertionError


async def name_route(request: Request, _: Services) -> Response:
    return Response.of(dict(request.params))


FAILING = (
    Route("GET", "/fail", fail),
    Route("GET", "/busy", be_busy),
    Route("GET", "/mode", refuse_mode),
    Route("GET", "/things/{name}", name_route),
    Route("GET", "/things/plain", name_route),
    Route("PUT", "/things/{name}", name_route),
)


def router(*routes: Route, within_s: float = 5) -> Router:
    return Router((*FAILING, *routes), services(), within_s=within_s)


async def test_named_parts_of_a_path_are_decoded() -> None:
    """Each named part is one segment, decoded by itself: a coded slash stays in it."""
    async with serving() as server, client(server) as one:
        answer = await one.ask(get("/show/a%2Fb/and/%C3%A9%20?q=%C3%A9&q=2&p"))
        assert answer.json() == {
            "params": {"one": "a/b", "two": "é "},
            "query": {"q": "2", "p": ""},
        }


@pytest.mark.parametrize("path", ["/things", "/things//", "/things/a/b", "", "//"])
async def test_unknown_paths_are_not_found(path: str) -> None:
    """A named part is never empty."""
    response = await router().answer(Request("GET", path))
    assert (response.status, response.body) == (404, b'{"message":"Not found"}')


async def test_capitals_make_no_difference_in_the_fixed_parts_of_a_path() -> None:
    """As in the reference; in a named part letters count as they are written."""
    assert (await router().answer(Request("PUT", "/Things/Plain"))).body == b'{"name":"Plain"}'


async def test_a_plain_path_goes_before_a_named_part() -> None:
    """The order of the rows does not matter, and methods of both patterns can be used."""
    assert (await router().answer(Request("GET", "/things/plain"))).body == b"{}"
    assert (await router().answer(Request("PUT", "/things/plain"))).body == b'{"name":"plain"}'


async def test_a_wrong_method_is_told_the_right_ones() -> None:
    """405 lists every method of the path in Allow."""
    response = await router().answer(Request("POST", "/things/x/"))
    assert response.status == 405
    assert ("Allow", "GET, HEAD, OPTIONS, PUT") in response.headers


async def test_an_error_of_ours_has_its_status_and_sentence() -> None:
    """A temporary one says when to come back; a detail names the field."""
    response = await router().answer(Request("GET", "/busy"))
    assert response.status == 503
    assert "Retry-After" in dict(response.headers)
    response = await router().answer(Request("GET", "/mode"))
    assert response.status == 400
    assert response.body.startswith(b'{"message":"Invalid focus mode","detail":"focusMode: ')
    assert "Retry-After" not in dict(response.headers)


async def test_a_bug_is_a_plain_500() -> None:
    """The client reads none of the words of the exception, and the next request is answered."""
    response = await router().answer(Request("GET", "/fail"))
    assert (response.status, response.body) == (500, b'{"message":"Internal server error."}')
    async with serving(routes=FAILING) as server, client(server) as one:
        assert (await one.ask(get("/fail"))).status == 500
        assert (await one.ask(get("/api"))).status == 200


async def test_a_route_that_hangs_is_ended() -> None:
    """504 after the deadline of all requests."""
    routes = router(Route("GET", "/hang", hang), within_s=0.02)
    assert (await routes.answer(Request("GET", "/hang"))).status == 504


async def test_a_time_out_inside_a_route_is_a_bug() -> None:
    """Only the router's own deadline is told as one."""

    async def raise_timeout(_: Request, __: Services) -> Response:
        raise TimeoutError

    routes = router(Route("GET", "/late", raise_timeout))
    assert (await routes.answer(Request("GET", "/late"))).status == 500


@pytest.mark.parametrize(
    ("body", "detail"),
    [
        (b"", "body: not JSON"),
        (b"{", "body: not JSON"),
        (b"\xff", "body: not JSON"),
        (b'{"name":"\xff"}', "body: not JSON"),
        (b"[" * 900, "body: "),
        (b'{"name":"\\ud800"}', "body: not JSON"),
        (b"[]", "body: has the wrong shape"),
        (b"null", "body: has the wrong shape"),
        (b"{}", "name: is missing"),
        (b'{"name":1}', "name: has the wrong shape"),
        (b'{"name":null}', "name: has the wrong shape"),
    ],
)
async def test_a_bad_body_is_told_with_its_field(body: bytes, detail: str) -> None:
    """400 with a detail of our own words, whatever was sent."""
    async with serving() as server, client(server) as one:
        answer = await one.ask(post("/named", body, JSON))
        assert answer.status == 400
        assert answer.json()["message"] == "Invalid message format"
        assert answer.json()["detail"].startswith(detail)
        answer = await one.ask(post("/named", b'{"name":"n","more":1}', JSON + "; charset=utf-8"))
        assert answer.json() == {"name": "n"}


async def test_a_body_that_is_not_announced_as_json_is_not_read() -> None:
    """415: a form or plain text may be sent by any web page without being asked."""
    async with serving() as server, client(server) as one:
        for kind in ("text/plain", "application/x-www-form-urlencoded", ""):
            answer = await one.ask(post("/named", b'{"name":"n"}', f"Content-Type: {kind}"))
            assert answer.status == 415


def test_an_error_without_detail_says_only_its_sentence() -> None:
    """The message stands alone where there is nothing to add."""
    assert Response.of_error(NotFound()).body == b'{"message":"Not found"}'
