"""The servers that most end-to-end tests share; questions and chats are each test's own."""

import asyncio
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.e2e.canary import canary
from tests.e2e.client import Client
from tests.e2e.program import Program
from tests.standins.model_server import ModelServer
from tests.standins.search_server import SearchServer

WARM_S = 30.0
IMPATIENT = {
    "PERPLEXICA_UI_GAP_MS": "0",
    "PERPLEXICA_LIMITS_REPHRASE_S": "1",
    "PERPLEXICA_LIMITS_SEARCH_S": "1",
    "PERPLEXICA_LIMITS_FIRST_TOKEN_S": "1",
    "PERPLEXICA_LIMITS_TOKEN_GAP_S": "1",
}


def upstreams(models: ModelServer, search: SearchServer) -> dict[str, str]:
    """The settings that name the stand-ins."""
    return {
        "SEARXNG_API_URL": search.url,
        "OPENAI_API_KEY": canary("openai"),
        "OPENAI_BASE_URL": models.openai_url,
        "OLLAMA_BASE_URL": models.url,
        "ANTHROPIC_API_KEY": canary("anthropic"),
        "ANTHROPIC_BASE_URL": models.anthropic_url,
        "GEMINI_API_KEY": canary("gemini"),
        "PERPLEXICA_API_ENDPOINTS_GEMINI": models.gemini_url,
        "PERPLEXICA_RESILIENCE_FAILURES": "0",  # one test's faults must not be the next one's
    }


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def models() -> AsyncIterator[ModelServer]:
    """The model service of all tests."""
    async with ModelServer() as server:
        yield server


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def search() -> AsyncIterator[SearchServer]:
    """The search service of all tests."""
    async with SearchServer() as server:
        yield server


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def program(
    models: ModelServer, search: SearchServer, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Program]:
    """The program as people run it."""
    folder = tmp_path_factory.mktemp("program")
    async with Program(folder, **upstreams(models, search)) as running:
        yield running
    assert "Traceback" not in running.log_text()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def impatient(
    models: ModelServer, search: SearchServer, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Program]:
    """The program with deadlines of a second, for upstreams that fail."""
    folder = tmp_path_factory.mktemp("impatient")
    async with Program(folder, **upstreams(models, search), **IMPATIENT) as running:
        await warm_up(running)
        yield running
    assert "Traceback" not in running.log_text()


async def warm_up(program: Program) -> None:
    """Ask until the search answers: what the first question imports counts against its deadline."""
    async with asyncio.timeout(WARM_S), Client.connect(program) as client:
        while "site1.example" not in str((await client.answer("Awake?")).sources):
            client.forget()
