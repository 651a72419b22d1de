"""A search service that is dead costs one time-out, and is found again when it is well."""

import asyncio
from pathlib import Path

import pytest

from tests.e2e.client import Client
from tests.e2e.conftest import IMPATIENT, upstreams, warm_up
from tests.e2e.program import Program
from tests.standins.faults import Fault
from tests.standins.model_server import ModelServer
from tests.standins.search_server import SearchServer

pytestmark = pytest.mark.asyncio(loop_scope="session")

QUICK = {"PERPLEXICA_RESILIENCE_FAILURES": "3", "PERPLEXICA_RESILIENCE_PAUSE_S": "0.5"}


async def test_dead_search_is_asked_once_and_found_again(
    models: ModelServer, tmp_path: Path
) -> None:
    """The questions after the first are answered without it; /health says so."""
    async with SearchServer() as search:
        settings = upstreams(models, search) | IMPATIENT | QUICK
        async with Program(tmp_path, **settings) as program, Client.connect(program) as client:
            await warm_up(program)
            assert (await program.json("/health"))["status"] == "ok"
            before = len(search.record.exchanges)
            search.fault("search", Fault.hang(), times=None)
            for text in ("Is it dead?", "Is it still dead?"):
                turn = await client.answer(text)
                assert turn.end["type"] == "messageEnd"
                assert "site1.example" not in str(turn.sources)
            asked = len(search.record.exchanges) - before
            health = await program.json("/health")
            search.faults.forget()
            async with asyncio.timeout(10):
                while "site1.example" not in str((await client.answer("Well again?")).sources):
                    client.forget()
            well = await program.json("/health")
    assert asked == 1
    assert health["status"] == "degraded"
    [searxng] = [each for each in health["upstreams"] if each["name"] == "searxng"]
    assert (searxng["state"], searxng["problem"]) == ("open", "no answer in time")
    assert searxng["refused"] >= 1
    assert well["status"] == "ok"
    assert {each["state"] for each in well["upstreams"]} == {"closed"}
