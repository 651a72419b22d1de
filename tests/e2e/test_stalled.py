"""Clients that stop reading are dropped, slow nobody, and can come back."""

import asyncio
from pathlib import Path

import pytest

from tests.e2e.client import Client, Turn
from tests.e2e.conftest import upstreams
from tests.e2e.cuts import Outcome, Told, resumed
from tests.e2e.program import Program
from tests.e2e.stalling import read_on, stop_reading, thin_connection
from tests.standins.model_server import ModelServer
from tests.standins.search_server import SearchServer

pytestmark = pytest.mark.asyncio(loop_scope="session")

CLIENTS, STALLED = 10, 3
TOO_SLOW = 4008
MUCH = "[[fake answer tokens=500 thick=50 fault=pace seconds=0.002]]"


async def dropped(program: Program, question: str) -> Outcome:
    """Ask, stop reading, be dropped with the others, come back and read to the end."""
    told = Told()
    async with Client.connect(program, v2=True, sock=await thin_connection(program)) as client:
        asked = await client.ask(question)
        await client.until(lambda frame: frame["type"] == "message")
        stop_reading(client)
        await program.logged("client.dropped", times=STALLED)
        read_on(client)
        assert await client.closed() == TOO_SLOW
    told.take(client.frames)
    whole = Told(answer=told.answer)
    for coming_back in (told, whole):
        async with resumed(program, coming_back) as client:
            await client.turn()
    rows = await program.messages(asked.chat_id, at_least=2)
    return Outcome(told, whole, rows[-1]["content"])


async def undisturbed(program: Program, question: str) -> Turn:
    """Ask, and read to the end."""
    async with Client.connect(program, v2=True) as client:
        return await client.answer(question)


async def test_clients_that_stop_reading_are_dropped_and_come_back(
    models: ModelServer, search: SearchServer, tmp_path: Path
) -> None:
    """They are closed with 4008, the others go on, and no event is missed or told twice."""
    settings = upstreams(models, search) | {"PERPLEXICA_LIMITS_SEND_S": "1"}
    questions = [f"Who reads {number}? {MUCH}" for number in range(CLIENTS)]
    async with Program(tmp_path, **settings) as program, asyncio.TaskGroup() as group:
        stalled = [group.create_task(dropped(program, text)) for text in questions[:STALLED]]
        reading = [group.create_task(undisturbed(program, text)) for text in questions[STALLED:]]
    for task, text in zip(reading, questions[STALLED:], strict=True):
        assert task.result().text == (await models.seen("answer", about=text)).reply
    for outcome in [task.result() for task in stalled]:
        assert outcome.is_same
        assert (outcome.told.twice, outcome.gaps) == (0, 0)
