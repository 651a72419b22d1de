"""What holds for every provider with a service of its own: each row of the table is run through."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing

import msgspec
import numpy as np
import pytest

from protocol.errors import ModelUnavailable
from protocol.service_settings import ApiEndpoints, ApiKeys, CustomOpenai
from protocol.settings import Limits, Settings
from protocol.values import ModelChoice, Prompt, PromptMessage
from providers.catalogue import ROWS, Row, open_at
from providers.listing import Listing, by_name
from providers.service import Providers
from tests.providers.places import providers_for, until_failure
from tests.standins.faults import Fault
from tests.standins.model_server import ModelServer

SERVICES = [row.name for row in ROWS if row.endpoint]
EMBEDDERS = [row.name for row in ROWS if row.endpoint and row.embedding_model]
WITH_KEY = [name for name in SERVICES if name != "ollama"]
KEY = "sk-of-the-tests"
QUESTION = "Who keeps it?"
PROMPT: Prompt = (
    PromptMessage("system", "Be brief."),
    PromptMessage("user", "Who was here?"),
    PromptMessage("assistant", "Nobody."),
    PromptMessage("user", QUESTION),
)


def settings_at(server: ModelServer) -> Settings:
    """Settings that name the stand-in as every service there is."""
    own = {"ollama": server.url, "anthropic": server.anthropic_url, "gemini": server.gemini_url}
    names = ApiEndpoints.__struct_fields__
    return Settings(
        api_keys=ApiKeys(**dict.fromkeys(ApiKeys.__struct_fields__, KEY)),
        api_endpoints=ApiEndpoints(**{name: own.get(name, server.openai_url) for name in names}),
        custom_openai=CustomOpenai(server.openai_url, KEY, "their-own"),
    )


@pytest.fixture
async def server() -> AsyncIterator[ModelServer]:
    async with ModelServer(tokens=6, key=KEY) as started:
        yield started


@pytest.fixture
async def providers(server: ModelServer) -> AsyncIterator[Providers]:
    async with providers_for(settings_at(server)) as made:
        yield made


async def told(providers: Providers, provider: str) -> list[str]:
    """The pieces of an answer by the provider's first model."""
    choice = ModelChoice(provider, "")
    return [piece async for piece in providers.stream(choice, PROMPT, temperature=0.7)]


@pytest.mark.parametrize("provider", SERVICES)
async def test_pieces_are_those_of_the_answer(
    server: ModelServer, providers: Providers, provider: str
) -> None:
    """An answer comes whole, and without what the model thinks aloud."""
    pieces = await told(providers, provider)
    exchange = await server.seen("answer")
    assert "".join(pieces) == exchange.reply


@pytest.mark.parametrize("provider", SERVICES)
async def test_key_is_in_a_header_and_never_in_an_address(
    server: ModelServer, providers: Providers, provider: str
) -> None:
    """Addresses are logged by whoever stands in between; headers are not."""
    await told(providers, provider)
    for exchange in server.record.exchanges:
        assert KEY not in exchange.path + str(exchange.params)
        assert (KEY in str(exchange.headers)) == (provider in WITH_KEY)


@pytest.mark.parametrize("provider", SERVICES)
async def test_closing_the_stream_closes_the_call(
    server: ModelServer, providers: Providers, provider: str
) -> None:
    """When the reader leaves in the middle the service sees its client leave."""
    gate = server.hold_after(2)
    stream = providers.stream(ModelChoice(provider, ""), PROMPT, temperature=0)
    async with aclosing(stream):
        assert await anext(stream)
        await gate.reached.wait()
    assert (await server.closed_early()).pieces == 2


REFUSALS = {401: "refused the key", 404: "know this model", 429: "no more", 500: "status 500"}


@pytest.mark.parametrize("status", REFUSALS)
@pytest.mark.parametrize("provider", SERVICES)
async def test_refusal_is_told_in_our_own_words(
    server: ModelServer, providers: Providers, provider: str, status: int
) -> None:
    """A status becomes a sentence of ours with the provider's name."""
    server.fault("answer", Fault.status(status))
    with pytest.raises(ModelUnavailable, match=f"{provider} failed: .*{REFUSALS[status]}"):
        await told(providers, provider)


BREAKS = [
    Fault.garbage(),
    Fault.garbage(2),
    Fault.reset(),
    Fault.reset(2),
    Fault.truncate(),
    Fault.truncate(2),
]


@pytest.mark.parametrize("fault", BREAKS, ids=lambda fault: f"{fault.name} at {fault.at}")
@pytest.mark.parametrize("provider", SERVICES)
async def test_what_breaks_off_is_a_failure_after_its_pieces(
    server: ModelServer, providers: Providers, provider: str, fault: Fault
) -> None:
    """What came is passed on; an answer that is not whole never ends well."""
    server.fault("answer", fault)
    text = await until_failure(providers, ModelChoice(provider, ""))
    assert bool(text) == bool(fault.at)
    assert (await server.seen("answer")).reply.startswith(text)


@pytest.mark.parametrize("provider", SERVICES)
async def test_hang_is_bounded_by_who_waits(
    server: ModelServer, providers: Providers, provider: str
) -> None:
    """A service that says nothing more is left when the reader's own time is up."""
    await providers.models()
    server.fault("answer", Fault.hang(1))
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.2):
            await told(providers, provider)
    await server.closed_early()


@pytest.mark.parametrize("provider", WITH_KEY)
async def test_wrong_key_is_told_as_such(
    server: ModelServer, providers: Providers, provider: str
) -> None:
    """However a service refuses a key, its reader is told that it was the key."""
    server.key = "another"
    with pytest.raises(ModelUnavailable, match=f"{provider} failed: it refused the key"):
        await told(providers, provider)


async def test_wrong_keys_are_known_from_the_lists(
    server: ModelServer, providers: Providers
) -> None:
    """Who refuses its key is unwell, with the reason, and keeps its built-in names."""
    server.key = "another"
    lists = await providers.models()
    unwell = providers.unwell()
    assert [*unwell, "custom_openai"] == WITH_KEY
    assert all(problem == "it refused the key" for problem in unwell.values())
    assert {"groq", "anthropic", "gemini"} <= set(lists.chat)


async def test_all_providers_are_listed_in_the_order_of_the_table(providers: Providers) -> None:
    """The reference's first and in its order, then ours, the built-in writer, the client's own."""
    lists = await providers.models()
    assert list(lists.chat) == [
        "openai", "groq", "ollama", "anthropic", "gemini", "deepseek", "mistral", "openrouter",
        "lmstudio", "built_in", "custom_openai",
    ]  # fmt: skip
    assert list(lists.embedding) == ["openai", "local", "ollama", "gemini", "mistral", "lmstudio"]
    assert lists.chat["anthropic"] == {
        "claude-sonnet-5-5": "Claude Sonnet 5.5",
        "claude-sonnet-4-6": "Claude Sonnet 4.6",
    }
    assert lists.chat["gemini"] == {"gemini-flash-latest": "Gemini Flash"}
    assert lists.embedding["gemini"] == {"gemini-embedding-001": "Gemini Embedding 001"}
    assert lists.chat["custom_openai"] == {"their-own": "their-own"}
    assert providers.unwell() == {}


@pytest.mark.parametrize("provider", EMBEDDERS)
async def test_vectors_come_in_the_order_of_the_texts(providers: Providers, provider: str) -> None:
    """Each embedder gives a vector a text, zeros for none, the closer ones closer."""
    await providers.models()
    texts = ["tall lighthouse at sea", "", "green tea leaves", "a lighthouse at sea"]
    vectors = await providers.embed(ModelChoice(provider, ""), texts)
    first, nothing, far, near = vectors
    assert vectors.dtype == np.float32
    assert not nothing.any()
    assert first @ near > first @ far


NO_VECTORS = [Fault.status(500), Fault.garbage(), Fault.reset(), Fault.truncate(1)]


@pytest.mark.parametrize("fault", NO_VECTORS, ids=lambda fault: fault.name)
@pytest.mark.parametrize("provider", EMBEDDERS)
async def test_vectors_that_do_not_come_are_a_failure(
    server: ModelServer, providers: Providers, provider: str, fault: Fault
) -> None:
    """Whatever goes wrong with an embedding is a model out of reach."""
    server.fault("embed", fault)
    with pytest.raises(ModelUnavailable):
        await providers.embed(ModelChoice(provider, ""), ["a", "b"])


async def test_secrets_never_show_in_settings(server: ModelServer) -> None:
    """No key of any service stands in what is logged of the settings."""
    settings = settings_at(server)
    assert KEY not in repr(settings)
    assert KEY in msgspec.json.encode(settings).decode()


async def test_services_that_hang_hold_up_the_lists_together_not_one_after_another(
    server: ModelServer,
) -> None:
    """However many are down, all others are listed within the time that one may take."""
    server.fault("models", Fault.hang(), times=None)
    hasty = msgspec.structs.replace(settings_at(server), limits=Limits(model_list_s=0.3))
    async with providers_for(hasty) as providers, asyncio.timeout(2):
        lists = await providers.models()
    assert set(providers.unwell()) == set(SERVICES) - {"custom_openai"}
    assert set(providers.unwell().values()) == {"no answer within 0.3 s"}
    assert "extractive" in lists.chat["built_in"]
    assert "claude-sonnet-5-5" in lists.chat["anthropic"]


@pytest.mark.parametrize("ending", ["", "/", "/v1", "/v1/"])
async def test_lm_studio_is_found_with_and_without_a_version(
    server: ModelServer, ending: str
) -> None:
    """Files of the reference leave the version out."""
    place = ApiEndpoints(lmstudio=f"{server.url}{ending}")
    settings = Settings(api_endpoints=place, api_keys=ApiKeys(lmstudio=KEY))
    async with providers_for(settings) as providers:
        assert await told(providers, "lmstudio")


async def test_new_service_is_one_row(server: ModelServer) -> None:
    """A service that speaks like OpenAI is listed, asked and embedded with by its row alone."""
    row = Row(
        "mine",
        endpoint=open_at("mine", lambda _: server.openai_url, lambda _: KEY),
        listing=Listing(by_name, fresh_s=60),
    )
    async with providers_for(Settings(), rows=(row, *ROWS)) as providers:
        lists = await providers.models()
        assert next(iter(lists.chat)) == next(iter(lists.embedding)) == "mine"
        assert await told(providers, "mine")
        assert (await providers.embed(ModelChoice("mine", ""), ["a"])).any()
