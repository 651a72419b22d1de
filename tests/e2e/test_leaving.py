"""Clients that go away, and what they leave behind."""

import asyncio
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from tests.e2e.client import Client
from tests.e2e.program import Program
from tests.standins.model_server import ModelServer

pytestmark = pytest.mark.asyncio(loop_scope="session")

SOCKETS = 200
BOTH_MODES = ("writingAssistant", "webSearch")
MOST_THREADS = 20


def open_files(program: Program) -> int:
    """How many file descriptors the program holds."""
    return program.count("fd")


def threads(program: Program) -> int:
    """How many threads the program has."""
    return program.count("task")


@pytest.mark.parametrize("abrupt", [False, True])
async def test_answer_is_stored_although_its_reader_has_left(
    program: Program, models: ModelServer, abrupt: bool
) -> None:
    """The turn belongs to the server: it goes on to its end, and the whole answer is kept."""
    question = f"Who stays to the end? {abrupt}"
    gate = models.hold_after(3)
    async with Client.connect(program) as client:
        asked = await client.ask(question)
        await client.until(lambda frame: frame["type"] == "message")
        if abrupt:
            client.socket.transport.abort()
    gate.release()
    rows = await program.messages(asked.chat_id, at_least=2)
    exchange = await models.seen("answer", about=question)
    assert rows[-1]["content"] == exchange.reply
    assert not exchange.closed_early


async def test_many_sockets_leave_nothing_behind(program: Program) -> None:
    """Sockets that come and go, politely or not, leave no file descriptor and no thread."""
    await program.json("/api")
    before = open_files(program)
    async with AsyncExitStack() as stack:
        for place in range(SOCKETS):
            client = await stack.enter_async_context(Client.connect(program))
            if place % 2:
                stack.callback(client.socket.transport.abort)
        assert open_files(program) >= before + SOCKETS
        assert threads(program) < MOST_THREADS
    await few_files(program, before)
    assert threads(program) < MOST_THREADS


async def few_files(program: Program, most: int, deadline_s: float = 10) -> None:
    """Return once the program holds no more than so many files; raises TimeoutError."""
    async with asyncio.timeout(deadline_s):
        while open_files(program) > most:
            await program.json("/api")


async def test_stop_lets_a_running_answer_end(tmp_path: Path, models: ModelServer) -> None:
    """Told to stop, the program lets the running turn end first, closes with 1012, exits with 0."""
    settings = {"OPENAI_API_KEY": "key", "OPENAI_BASE_URL": models.openai_url}
    async with Program(tmp_path, **settings) as program, Client.connect(program) as client:
        gate = models.hold_after(3)
        await client.ask("Is it cut short?", focusMode="writingAssistant")
        await client.until(lambda frame: frame["type"] == "message")
        stopping = asyncio.create_task(program.stop())
        gate.release()
        turn = await client.turn()
        assert await client.closed() == 1012
        assert await stopping == 0
    assert turn.text == (await models.seen("answer", about="Is it cut short?")).reply


async def test_question_right_after_the_start_is_answered(
    tmp_path: Path, models: ModelServer
) -> None:
    """Questions that come while the program still loads what they need wait, and are answered."""
    settings = {"OPENAI_API_KEY": "key", "OPENAI_BASE_URL": models.openai_url}
    question = "Too early?"
    async with Program(tmp_path, **settings) as program, Client.connect(program) as client:
        turns = [await client.answer(question, focusMode=mode) for mode in BOTH_MODES]
    reply = (await models.seen("answer", about=question)).reply
    assert [turn.text[-len(reply) :] for turn in turns] == [reply, reply]


async def test_answers_outlive_a_restart(tmp_path: Path, models: ModelServer) -> None:
    """What was answered before a kill can be read after the next start."""
    settings = {"OPENAI_API_KEY": "key", "OPENAI_BASE_URL": models.openai_url}
    async with Program(tmp_path, **settings) as program, Client.connect(program) as client:
        asked = await client.ask("Is it safe?", focusMode="writingAssistant")
        turn = await client.turn()
        program.kill()
    async with Program(tmp_path, **settings) as program:
        rows = await program.messages(asked.chat_id)
    assert [row["content"] for row in rows] == [asked.text, turn.text]
