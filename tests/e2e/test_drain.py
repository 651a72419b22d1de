"""A planned stop drops nothing: running turns end, new ones are refused, clients are told."""

import asyncio
import signal
from pathlib import Path

import pytest

from tests.e2e.client import Client
from tests.e2e.conftest import upstreams
from tests.e2e.draining import is_unready, outcome, stop_while_answering
from tests.e2e.program import Program
from tests.standins.faults import Fault, Gate
from tests.standins.model_server import ModelServer
from tests.standins.search_server import SearchServer

pytestmark = pytest.mark.asyncio(loop_scope="session")

SOON_S = 10.0
SLOWLY, NEVER = "tokens=80 fault=pace seconds=0.02", "fault=hang at=9"


async def test_running_turn_ends_and_a_new_one_is_refused(
    models: ModelServer, search: SearchServer, tmp_path: Path
) -> None:
    """Announced, unready, refused, finished; and closed with the word to come back."""
    gate = Gate()
    models.faults.tell("answer", Fault("hold", at=3, gate=gate))
    async with (
        Program(tmp_path, **upstreams(models, search)) as program,
        Client.connect(program, v2=True) as client,
        Client.connect(program) as plain,
    ):
        await client.ask("Does it end?")
        await asyncio.wait_for(gate.reached.wait(), SOON_S)
        program.signal(signal.SIGTERM)
        drain = await client.until(lambda frame: frame.get("data") == "drain")
        assert drain["retryAfterMs"] > 0
        assert await is_unready(program)
        refused = await plain.answer("Too late?")
        assert "restarted" in refused.text
        gate.release()
        turn = await client.turn()
        assert turn.end["type"] == "messageEnd"
        assert await client.closed() == 1012
        assert await plain.closed() == 1012
        assert [frame for frame in plain.frames if frame.get("data") == "drain"] == []


async def test_turn_that_does_not_end_in_time_is_marked(
    models: ModelServer, search: SearchServer, tmp_path: Path
) -> None:
    """Its text is kept, it can be read and resumed after the start."""
    models.faults.tell("answer", Fault.hang(at=3))
    settings = upstreams(models, search) | {"PERPLEXICA_LIMITS_DRAIN_S": "1"}
    async with (
        Program(tmp_path, **settings) as program,
        Client.connect(program, v2=True) as client,
    ):
        asked = await client.ask("Does it hang?")
        await client.until(lambda frame: frame["type"] == "message")
        program.signal(signal.SIGTERM)
        turn = await client.turn()
        assert turn.end["key"] == "SERVER_DRAINING"
        assert await client.closed() == 1012
    async with (
        Program(tmp_path, **settings) as program,
        Client.connect(program, v2=True) as client,
    ):
        rows = await program.messages(asked.chat_id)
        assert rows[-1]["content"] == turn.text
        assert rows[-1]["metadata"]["error"] == "SERVER_DRAINING"
        await client.send({"type": "resume", "messageId": turn.message_id, "after": turn.seqs[-2]})
        assert (await client.turn()).end["key"] == "SERVER_DRAINING"


async def test_second_signal_ends_at_once_and_the_store_is_whole(
    models: ModelServer, search: SearchServer, tmp_path: Path
) -> None:
    """The answer is marked as interrupted at the next start."""
    models.faults.tell("answer", Fault.hang(at=3))
    settings = upstreams(models, search)
    async with Program(tmp_path, **settings) as program, Client.connect(program) as client:
        asked = await client.ask("Must it end now?")
        await client.until(lambda frame: frame["type"] == "message")
        program.signal(signal.SIGTERM)
        assert await is_unready(program)
        program.signal(signal.SIGTERM)
        assert await program.ended() == 1
    async with Program(tmp_path, **settings) as program:
        rows = await program.messages(asked.chat_id)
        assert [row["role"] for row in rows] == ["user", "assistant"]
        assert rows[-1]["metadata"]["error"] == "INTERRUPTED"


@pytest.mark.parametrize(
    ("signals", "how", "code", "end"), [(1, SLOWLY, 0, "whole"), (2, NEVER, 1, "marked")]
)
async def test_every_answer_is_whole_or_marked_after_a_stop(
    models: ModelServer,
    search: SearchServer,
    tmp_path: Path,
    signals: int,
    how: str,
    code: int,
    end: str,
) -> None:
    """Ten are being written: given the time all end, else all are kept as far as they were."""
    settings = upstreams(models, search)
    questions = [f"Drained {number}? [[fake answer {how}]]" for number in range(10)]
    async with Program(tmp_path, **settings) as program:
        stop = await stop_while_answering(program, questions, signals=signals)
    assert stop.is_first_unready
    assert (stop.code, stop.refusal) == (code, "SERVER_DRAINING" if signals == 1 else "")
    assert stop.told_to_come_back == (10 if signals == 1 else 0)
    async with Program(tmp_path, **settings) as program:
        assert {await outcome(program, reader) for reader in stop.readers} == {end}
