"""Requests keep the ids that proxies gave them, in their answers and in the log."""

import json
from collections.abc import Mapping

import pytest
from websockets.asyncio.client import connect

from actors.context import current
from protocol.access import Identify
from protocol.connection import Connection
from tests.transport.places import SMALL, client, get, post, serving
from transport.correlation import facts_of, trace_of
from transport.desk import Times
from transport.http import Request, Response, Route
from transport.services import Services

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
SPAN = "00f067aa0ba902b7"
PARENT = f"00-{TRACE}-{SPAN}-01"
SENT = ("X-Request-Id: from.a-proxy_1", f"traceparent: {PARENT}")
FACTS = {"request_id": "from.a-proxy_1", "trace_id": TRACE}


async def show_facts(_: Request, __: Services) -> Response:
    """Answer what a log line would say."""
    return Response.of(dict(current().facts))


async def tell_facts(connection: Connection, _: Mapping[str, str], __: Identify) -> None:
    """Send what a log line of the session would say."""
    await connection.send(json.dumps(dict(current().facts)))


FACT_ROUTE = Route("GET", "/facts", show_facts)


@pytest.mark.parametrize("sent", ["a", "A.b_c:d/e+f=g-h", "7" * 128, "e6e8c3f4-0000-4000-8000-1"])
def test_sane_id_is_taken(sent: str) -> None:
    """Letters, digits and a few signs, as proxies write them."""
    assert facts_of({"x-request-id": sent}.get, lambda: "made") == {"request_id": sent}


@pytest.mark.parametrize("sent", ["", "7" * 129, "a b", 'a"b', "a, b", "a\tb", "é", "<b>", "{}"])
def test_other_id_is_replaced(sent: str) -> None:
    """What is too long, or could be taken for more than an id, is not repeated."""
    assert facts_of({"x-request-id": sent}.get, lambda: "made") == {"request_id": "made"}


@pytest.mark.parametrize("parent", [PARENT, f"01-{TRACE}-{SPAN}-00", f"cc-{TRACE}-{SPAN}-01-more"])
def test_trace_is_taken(parent: str) -> None:
    """Of later versions, too, which may say more."""
    assert trace_of(parent) == TRACE


@pytest.mark.parametrize(
    "parent",
    [
        "",
        TRACE,
        f"ff-{TRACE}-{SPAN}-01",
        f"00-{'0' * 32}-{SPAN}-01",
        f"00-{TRACE}-{'0' * 16}-01",
        f"00-{TRACE.upper()}-{SPAN}-01",
        f"00-{TRACE}-{SPAN}-01-more",
        f"00-{TRACE}-{SPAN}-1",
        f"00-{TRACE[1:]}-{SPAN}-01",
        f"cc-{TRACE}-{SPAN}-01more",
        f" {PARENT}",
        f"{PARENT}\n",
        f"{PARENT}, {PARENT}",
    ],
)
def test_malformed_trace_is_ignored(parent: str) -> None:
    """As the specification wants it: then there is no trace."""
    assert trace_of(parent) == ""


async def test_ids_are_facts_of_the_request_and_the_answer_has_its_own() -> None:
    """What is logged for a request names it; the next one on the connection is another."""
    async with serving(routes=(FACT_ROUTE,)) as server, client(server) as one:
        first = await one.ask(get("/facts", *SENT))
        second = await one.ask(get("/facts"))
    assert first.json() == FACTS
    assert first.headers["x-request-id"] == FACTS["request_id"]
    assert second.json() == {"request_id": second.headers["x-request-id"]}
    assert second.json() != first.json()


REFUSED = {
    "no route": get("/nowhere", SENT[0]),
    "no such method": get("/api", SENT[0], method="DELETE"),
    "another's name": get("/api", SENT[0]).replace(b"Host: h", b"Host: stranger.example"),
    "another's page": post("/echo", b"{}", SENT[0], "Origin: http://stranger.example"),
    "malformed": get("/api", SENT[0], "Bad Name: x"),
    "too large": post("/echo", b"x" * (SMALL.body_bytes + 1), SENT[0]),
    "half an upgrade": get("/", SENT[0], "Upgrade: websocket"),
    "half a request": get("/api", SENT[0])[:-2],
}


@pytest.mark.parametrize("name", REFUSED)
async def test_refusal_has_the_id(name: str) -> None:
    """Also where the request could not be read to its end, or did not come in time."""
    times = Times(request_s=0.2, send_s=5)
    async with serving(times=times) as server, client(server) as one:
        answer = await one.ask(REFUSED[name])
    assert answer.status >= 400
    assert answer.headers["x-request-id"] == FACTS["request_id"]


async def test_requests_without_an_id_are_given_different_ones() -> None:
    """Refused or not."""
    async with serving() as server, client(server) as one, client(server) as other:
        answers = [await one.ask(get("/api")), await other.ask(b"nonsense\r\n\r\n")]
    ids = [answer.headers["x-request-id"] for answer in answers]
    assert all(len(each) == 16 for each in ids)
    assert len(set(ids)) == 2


async def test_session_has_the_ids_of_the_request_that_opened_it() -> None:
    """They are told at the hand-over, and are facts of all that is logged for the session."""
    headers = dict(line.split(": ") for line in SENT)
    async with (
        serving(converse=tell_facts) as server,
        connect(f"ws://127.0.0.1:{server.port}/", additional_headers=headers) as socket,
    ):
        assert json.loads(await socket.recv()) == FACTS
        assert socket.response is not None
        assert socket.response.headers["X-Request-Id"] == FACTS["request_id"]
