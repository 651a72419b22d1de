"""The servers that most end-to-end tests share; questions and chats are each test's own."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.e2e.program import Program
from tests.standins.model_server import ModelServer
from tests.standins.search_server import SearchServer

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
        "OPENAI_API_KEY": "a key of the tests",
        "OPENAI_BASE_URL": models.openai_url,
        "OLLAMA_BASE_URL": models.url,
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


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def impatient(
    models: ModelServer, search: SearchServer, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Program]:
    """The program with deadlines of a second, for upstreams that fail."""
    folder = tmp_path_factory.mktemp("impatient")
    async with Program(folder, **upstreams(models, search), **IMPATIENT) as running:
        yield running
