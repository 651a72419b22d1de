"""Services with an API of their own, through the whole program."""

import pytest

from tests.e2e.client import Client
from tests.e2e.program import Program
from tests.standins import anthropic_replies as anthropic
from tests.standins import gemini_replies as gemini
from tests.standins.model_server import ModelServer

pytestmark = pytest.mark.asyncio(loop_scope="session")

SERVICES = {
    "anthropic": ("claude-sonnet-4-6", anthropic.CHAT),
    "gemini": ("gemini-flash-latest", gemini.CHAT.replace("*", "gemini-flash-latest")),
}


def choice(provider: str) -> dict[str, str]:
    """The query string that chooses a service."""
    return {"chatModelProvider": provider, "chatModel": SERVICES[provider][0]}


@pytest.mark.parametrize("provider", SERVICES)
async def test_question_is_answered_by_the_service(
    program: Program, models: ModelServer, provider: str
) -> None:
    """It rephrases the question at temperature 0, and its words are the answer."""
    question = f"What does {provider} say?"
    async with Client.connect(program, choice(provider)) as client:
        turn = await client.answer(question)
    calls = [await models.seen(kind, about=question) for kind in ("rephrase", "answer")]
    assert turn.types == ["sources", "message", "messageEnd"]
    assert turn.sources
    assert turn.text == calls[1].reply
    assert [(call.path, call.temperature) for call in calls] == [(SERVICES[provider][1], 0)] * 2


@pytest.mark.parametrize("fault", ["500", "401", "garbage", "hang", "reset"])
@pytest.mark.parametrize("provider", SERVICES)
async def test_service_that_fails_is_replaced_by_cited_extracts(
    impatient: Program, provider: str, fault: str
) -> None:
    """Whatever becomes of the service, the turn ends with what was found."""
    async with Client.connect(impatient, choice(provider)) as client:
        turn = await client.answer(f"Who stands in? [[fake answer fault={fault}]]")
        following = await client.answer("And the next question?")
    assert turn.types == following.types == ["sources", "message", "messageEnd"]
    assert "[1]" in turn.text


async def test_sources_are_ranked_by_vectors_of_gemini(
    program: Program, models: ModelServer
) -> None:
    """The embedding model of the connection orders the sources in balanced."""
    query = {"embeddingModelProvider": "gemini", "embeddingModel": "gemini-embedding-001"}
    question = "Which sources are close to Gemini?"
    async with Client.connect(program, query) as client:
        turn = await client.answer(question, optimizationMode="balanced")
    exchange = await models.seen("embed", about=question)
    assert exchange.path == gemini.EMBED.replace("*", "gemini-embedding-001")
    assert turn.sources


async def test_providers_are_listed_in_the_order_of_the_reference(program: Program) -> None:
    """Those of the reference first, cited extracts and the client's own service last."""
    lists = await program.json("/api/models")
    assert list(lists["chatModelProviders"]) == [
        "openai",
        "ollama",
        "anthropic",
        "gemini",
        "built_in",
        "custom_openai",
    ]
    assert list(lists["embeddingModelProviders"]) == ["openai", "local", "ollama", "gemini"]
    name = lists["chatModelProviders"]["anthropic"]["claude-sonnet-4-6"]
    assert name == {"displayName": "Claude Sonnet 4.6"}
