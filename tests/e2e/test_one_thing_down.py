"""One service that is down costs nobody else: lists, and questions through others, go on."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import pytest_asyncio

from tests.e2e.client import Client
from tests.e2e.conftest import upstreams
from tests.e2e.program import Program
from tests.standins.faults import Fault
from tests.standins.model_server import ModelServer
from tests.standins.search_server import SearchServer

pytestmark = pytest.mark.asyncio(loop_scope="session")

NOBODY = "http://127.0.0.1:9"


@dataclass(frozen=True)
class Trouble:
    """One thing that does not work.

    Attributes:
        settings: What is set otherwise; ``{broken}`` is a service with a right key of its own,
            which never answers when it is asked for its models as Ollama is.
        unwell: The providers that ``GET /api/config`` must name, with words of the reason.
        finds: Whether the search works.

    """

    settings: dict[str, str]
    unwell: dict[str, str]
    finds: bool = True


TROUBLES = {
    "Ollama is down": Trouble({"OLLAMA_BASE_URL": NOBODY}, {"ollama": "cannot be reached"}),
    "Ollama hangs": Trouble({"OLLAMA_BASE_URL": "{broken}"}, {"ollama": "no answer within"}),
    "SearXNG is down": Trouble({"SEARXNG_API_URL": NOBODY}, {}, finds=False),
    "a key is wrong": Trouble(
        {"ANTHROPIC_BASE_URL": "{broken}/anthropic"}, {"anthropic": "refused the key"}
    ),
}


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def broken() -> AsyncIterator[ModelServer]:
    """A service that knows one key only, and hangs where Ollama lists its models."""
    async with ModelServer(key="the right key") as server:
        yield server


@pytest.mark.parametrize("case", TROUBLES)
async def test_others_go_on(
    models: ModelServer, search: SearchServer, broken: ModelServer, tmp_path: Path, case: str
) -> None:
    """The lists come, another provider answers, and the one at fault is named."""
    trouble = TROUBLES[case]
    broken.faults.forget()
    if case == "Ollama hangs":
        broken.fault("models", Fault.hang(), times=None)
    given = {name: value.format(broken=broken.url) for name, value in trouble.settings.items()}
    async with Program(tmp_path, **{**upstreams(models, search), **given}) as program:
        lists = await program.json("/api/models")
        async with Client.connect(program, {"chatModelProvider": "openai"}) as client:
            turn = await client.answer("Who is down?")
        unwell = (await program.json("/api/config")).get("unwell", {})
    assert "openai" in lists["chatModelProviders"]
    assert turn.types == ["sources", "message", "messageEnd"]
    assert ("site1.example" in str(turn.sources)) is trouble.finds
    assert unwell.keys() == trouble.unwell.keys()
    assert all(words in unwell[name] for name, words in trouble.unwell.items())
