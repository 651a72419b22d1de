"""One id leads from a proxy's log through all lines of a turn."""

import pytest

from tests.e2e.client import Client
from tests.e2e.program import Program

pytestmark = pytest.mark.asyncio(loop_scope="session")

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"


def sent(request_id: str) -> dict[str, str]:
    """The headers of a proxy."""
    return {"X-Request-Id": request_id, "traceparent": f"00-{TRACE}-00f067aa0ba902b7-01"}


async def test_lines_of_a_turn_have_the_ids_of_its_session_and_its_proxy(program: Program) -> None:
    """From the question to the end, whichever actor logs."""
    async with Client.connect(program, headers=sent("proxy-1")) as client:
        await client.answer("Which lines?")
    await program.logged("turn.finished", request_id="proxy-1", trace_id=TRACE)
    lines = [line for line in program.log_lines() if line.get("request_id") == "proxy-1"]
    assert {line["trace_id"] for line in lines} == {TRACE}
    assert {"turn.asked", "turn.finished"} <= {line["event"] for line in lines}
    assert len({line["session_id"] for line in lines}) == 1
    assert len({line["turn_id"] for line in lines if line["event"].startswith("turn.")}) == 1


async def test_lines_of_an_answer_over_http_have_the_ids_too(program: Program) -> None:
    """The reply names the request, and so does the turn."""
    body = {"focusMode": "webSearch", "query": "Which lines?"}
    reply = await program.http.post("/api/search", json=body, headers=sent("proxy-2"))
    assert reply.headers["X-Request-Id"] == "proxy-2"
    await program.logged("turn.finished", request_id="proxy-2", trace_id=TRACE)
