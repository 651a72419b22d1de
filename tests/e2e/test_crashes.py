"""An actor of any kind may break at any moment: one turn ends early, nobody else notices."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from program import Program
from protocol.access import EVERYBODY
from protocol.ids import ChatId
from tests.e2e.inside import Talk, settings
from tests.standins.model_server import ModelServer
from tests.standins.search_server import SearchServer

# Which reply is held back so that the actor is in the middle of its work.
BUSY_WITH = {
    "searcher": "search",
    "reranker": "embed",
    "writer": "answer",
    "turn": "answer",
    "turns": "answer",
    "pool": "answer",
    "session": "answer",
    "sessions": "answer",
    "outlet": "answer",
    "persister": "answer",
}
GOES_ON = {"turns", "pool", "session", "sessions", "outlet", "persister"}


@pytest.fixture
async def models() -> AsyncIterator[ModelServer]:
    """A model service of this test alone."""
    async with ModelServer() as server:
        yield server


@pytest.fixture
async def search() -> AsyncIterator[SearchServer]:
    """A search service of this test alone."""
    async with SearchServer() as server:
        yield server


@pytest.fixture
async def program(
    models: ModelServer, search: SearchServer, tmp_path: Path
) -> AsyncIterator[Program]:
    """The program without its port."""
    async with Program(settings(tmp_path, models, search)) as running:
        yield running


@pytest.mark.parametrize("kind", BUSY_WITH)
async def test_a_crash_ends_its_own_turn_at_most(
    kind: str, program: Program, models: ModelServer, search: SearchServer
) -> None:
    """The turn ends, another session's turn ends whole, the next question is answered."""
    server = search if BUSY_WITH[kind] == "search" else models
    victim, other = Talk(program), Talk(program)
    held = server.hold_after(int(BUSY_WITH[kind] == "answer"), BUSY_WITH[kind])
    victim.connection.ask("Which lighthouse is the tallest?", chat="victim")
    await asyncio.wait_for(held.reached.wait(), 5)
    other.connection.ask("Which bridge is the longest?", chat="other")
    break_one(program, kind)
    if kind in GOES_ON:
        held.release()
    await victim.ends(1)
    await other.ends(1)
    victim.connection.ask("And the second tallest?", chat="victim")
    await victim.ends(2)
    held.release()
    kept = await program.store.messages(ChatId("victim"), EVERYBODY)
    assert [message.role for message in kept] == ["user", "assistant"] * 2
    others = await program.store.messages(ChatId("other"), EVERYBODY)
    assert answer_of(other) == others[-1].content
    assert "went wrong" not in answer_of(other)
    assert victim.connection.closed_with is None
    for talk in (victim, other):
        await talk.leave()


def break_one(program: Program, kind: str) -> None:
    """Cancel a running actor of that kind, as no part of the program ever would."""
    tasks = [task for task in program.tree.system.tasks if task.get_name() == kind]
    assert tasks
    for task in tasks if kind == "pool" else tasks[:1]:
        task.cancel()


def answer_of(talk: Talk) -> str:
    """The joined text of all answers."""
    return "".join(frame["data"] for frame in talk.connection.of_type("message"))
