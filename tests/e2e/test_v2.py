"""The perplexica.v2 subprotocol: what it adds, and that plain clients see none of it."""

import pytest

from tests.e2e.client import Client
from tests.e2e.program import Program

pytestmark = pytest.mark.asyncio(loop_scope="session")

STAGES = {"rephrasing", "searching", "reading", "reranking", "writing", "verifying"}


async def test_subprotocol_is_agreed_on(program: Program) -> None:
    """A client that offers perplexica.v2 gets it; one that offers none gets none."""
    async with Client.connect(program, v2=True) as new, Client.connect(program) as old:
        assert new.socket.subprotocol == "perplexica.v2"
        assert old.socket.subprotocol is None


async def test_turn_tells_that_it_is_accepted_and_how_far_it_is(program: Program) -> None:
    """First accepted with both ids, then the stages, around the frames that all clients get."""
    async with Client.connect(program, v2=True) as client:
        turn = await client.answer("How far is it?")
    accepted = turn.frames[0]
    assert (accepted["type"], bool(accepted["turnId"])) == ("accepted", True)
    stages = [frame["stage"] for frame in turn.frames if frame["type"] == "status"]
    assert stages[:2] == ["rephrasing", "searching"]
    assert stages[-1] == "writing"
    assert set(stages) <= STAGES
    assert [kind for kind in turn.types if kind not in {"accepted", "status"}] == [
        "sources",
        "message",
        "messageEnd",
    ]
    assert turn.seqs == sorted(set(turn.seqs))


async def test_question_is_stored_when_it_is_accepted(program: Program) -> None:
    """The question can be read from the store as soon as accepted arrives."""
    async with Client.connect(program, v2=True) as client:
        asked = await client.ask("Is it durable?")
        await client.until(lambda frame: frame["type"] == "accepted")
        rows = await program.messages(asked.chat_id)
        await client.turn()
    assert rows[0]["content"] == asked.text


async def test_failed_turn_ends_in_an_error_frame(impatient: Program) -> None:
    """A turn that fails ends with an error frame that bears its id, key and sentence."""
    async with Client.connect(impatient, v2=True) as client:
        asked = await client.ask("Break off. [[fake answer fault=reset at=5]]")
        turn = await client.turn()
        rows = await impatient.messages(asked.chat_id)
    assert (turn.end["type"], turn.end["key"]) == ("error", "MODEL_UNAVAILABLE")
    assert turn.end["data"]
    assert turn.seqs == sorted(set(turn.seqs))
    assert rows[-1]["metadata"]["error"] == "MODEL_UNAVAILABLE"
