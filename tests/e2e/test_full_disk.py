"""A disk that takes no more: questions are refused, reading goes on, and all is well afterwards."""

import resource
from pathlib import Path

import pytest

from tests.e2e.client import Client
from tests.e2e.conftest import upstreams
from tests.e2e.program import Program
from tests.standins.faults import Fault, Gate
from tests.standins.model_server import ModelServer
from tests.standins.search_server import SearchServer

pytestmark = pytest.mark.asyncio(loop_scope="session")

UNLIMITED = (resource.RLIM_INFINITY, resource.RLIM_INFINITY)


def fill(program: Program) -> None:
    """From now on no file of the process may grow: what it writes fails as on a full disk."""
    resource.prlimit(program.pid, resource.RLIMIT_FSIZE, (1, resource.RLIM_INFINITY))


def make_room(program: Program) -> None:
    """Files may grow again."""
    resource.prlimit(program.pid, resource.RLIMIT_FSIZE, UNLIMITED)


async def test_questions_are_refused_and_reading_goes_on(
    models: ModelServer, search: SearchServer, tmp_path: Path
) -> None:
    """Nothing of a refused question is kept; the next one after there is room is answered."""
    async with (
        Program(tmp_path, **upstreams(models, search)) as program,
        Client.connect(program, v2=True) as client,
    ):
        kept = await client.ask("Is there room?")
        await client.turn()
        fill(program)
        refused = await client.ask("Is it full?")
        turn = await client.turn()
        rows = await program.messages(kept.chat_id)
        full = await program.json("/health")
        gone = await program.http.get(f"/api/chats/{refused.chat_id}")
        make_room(program)
        await client.ask("Is there room again?")
        last = await client.turn()
        well = await program.json("/health")
    assert turn.end["key"] == "STORAGE_UNAVAILABLE"
    assert (full["status"], well["store"]) == ("degraded", "")
    assert "is on a disk that is full" in full["store"]
    assert [row["role"] for row in rows] == ["user", "assistant"]
    assert gone.status_code == 404
    assert last.end["type"] == "messageEnd"


async def test_answer_under_way_is_kept_when_there_is_room_again(
    models: ModelServer, search: SearchServer, tmp_path: Path
) -> None:
    """Its client is told that it could not be kept in time."""
    gate = Gate()
    models.faults.tell("answer", Fault("hold", at=3, gate=gate))
    async with (
        Program(tmp_path, **upstreams(models, search)) as program,
        Client.connect(program, v2=True) as client,
    ):
        asked = await client.ask("Does it fill up meanwhile?")
        await client.until(lambda frame: frame["type"] == "message")
        fill(program)
        gate.release()
        turn = await client.turn()
        make_room(program)
        rows = await program.messages(asked.chat_id, at_least=2)
    assert turn.end["key"] == "STORAGE_UNAVAILABLE"
    assert rows[-1]["content"] == turn.text
    assert rows[-1]["metadata"]["error"] == "STORAGE_UNAVAILABLE"
