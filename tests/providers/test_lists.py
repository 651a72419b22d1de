"""What is on offer: the table, live lists, and services that do not answer."""

import asyncio
import time

import msgspec

from protocol.service_settings import ApiEndpoints, ApiKeys
from protocol.settings import Limits, Settings
from providers.fallbacks import OPENAI_MODELS
from providers.service import Providers
from tests.providers.places import in_thread, providers_for, serving, settings_for
from tests.providers.tiny_server import Seen, TinyServer, Wire, answers, hangs, routed

TAGS = {"models": [{"name": "llama3.2:latest"}, {"name": "nomic-embed-text:latest"}]}
SHORT = Limits(model_list_s=0.2)


async def test_without_any_setting_there_is_a_writer_and_an_embedding_model() -> None:
    """On a bare machine: cited extracts, the client's own service, the built-in vectors."""
    async with providers_for(Settings()) as providers:
        lists = await providers.models()
        assert lists.chat == {
            "built_in": {"extractive": "Cited extracts (no model)"},
            "custom_openai": {},
        }
        assert list(lists.chat) == ["built_in", "custom_openai"]
        assert list(lists.embedding) == ["local"]
        assert providers.describe() == "cited extracts (no chat model is set up)"


async def test_lists_can_be_sent_as_json() -> None:
    """The order of the table is the order of the JSON text."""
    async with providers_for(Settings()) as providers:
        text = msgspec.json.encode((await providers.models()).chat).decode()
        assert text.startswith('{"built_in":{"extractive":')
        assert text.endswith('"custom_openai":{}}')


async def test_order_of_providers_is_the_order_of_the_table() -> None:
    """openai, ollama, built_in, custom_openai; openai, local, ollama."""
    routes = routed({"/api/tags": answers(TAGS), "/models": answers({"data": []}, 404)})
    async with serving(routes, openai=True, ollama=True) as (_server, providers):
        lists = await providers.models()
        assert list(lists.chat) == ["openai", "ollama", "built_in", "custom_openai"]
        assert list(lists.embedding) == ["openai", "local", "ollama"]
        assert list(lists.chat["ollama"]) == ["llama3.2:latest", "nomic-embed-text:latest"]
        assert lists.chat["ollama"] == lists.embedding["ollama"]
        assert lists.chat["openai"] == OPENAI_MODELS.chat
        assert providers.describe() == "openai/gpt-3.5-turbo"


async def test_live_list_is_sorted_by_purpose_and_named() -> None:
    """Of a service of one's own all models are shown, those for embeddings by themselves."""
    ids = ["qwen3", "gpt-4o", "text-embedding-3-small", "bge-EMBED"]
    listed = answers({"data": [{"id": name, "created": 1.5} for name in ids]})
    async with serving(listed, openai=True, base="/v1") as (server, providers):
        lists = await providers.models()
        assert dict(lists.chat["openai"]) == {"qwen3": "qwen3", "gpt-4o": "GPT-4 omni"}
        assert list(lists.embedding["openai"]) == ["text-embedding-3-small", "bge-EMBED"]
        assert server.seen[0].path == "/v1/models"
        assert server.seen[0].headers["authorization"] == "Bearer sk-test"


async def test_names_that_nobody_could_choose_are_left_out() -> None:
    """Empty, endless and unprintable names do not reach a client."""
    ids = ["", "x" * 201, "a\nb", "good"]
    async with serving(answers({"data": [{"id": name} for name in ids]}), openai=True) as (
        _server,
        providers,
    ):
        assert list((await providers.models()).chat["openai"]) == ["good"]


async def test_hanging_service_holds_up_the_lists_once_and_not_for_long() -> None:
    """The others come within ``model_list_s``, and the next time at once."""
    async with serving(hangs, ollama=True, limits=SHORT) as (server, providers):
        start = time.monotonic()
        assert list((await providers.models()).chat) == ["built_in", "custom_openai"]
        assert time.monotonic() - start < 1.5
        assert list((await providers.models()).embedding) == ["local"]
        assert len(server.seen) == 1


async def test_askers_at_the_same_time_share_one_call() -> None:
    """Fifty clients that connect at once cost a service one request."""
    may_answer = asyncio.Event()

    async def reply(request: Seen, wire: Wire) -> None:
        await may_answer.wait()
        await answers(TAGS)(request, wire)

    async with serving(reply, ollama=True) as (server, providers):
        asking = [asyncio.create_task(providers.models()) for _ in range(50)]
        await server.saw(1)
        asking[0].cancel()
        may_answer.set()
        await asyncio.wait(asking)
        assert all("ollama" in task.result().chat for task in asking[1:])
        assert len(server.seen) == 1


async def test_garbage_in_place_of_a_list_hides_that_provider_only() -> None:
    """A list that cannot be read is a provider without models."""
    async with serving(answers(["nope"]), ollama=True, openai=True) as (_server, providers):
        lists = await providers.models()
        assert list(lists.chat) == ["openai", "built_in", "custom_openai"]


async def test_ollama_without_models_is_absent() -> None:
    """A provider that has nothing to choose is not shown."""
    async with serving(answers({"models": None}), ollama=True) as (_server, providers):
        assert "ollama" not in (await providers.models()).chat


async def test_list_is_asked_anew_when_it_is_old_and_kept_for_a_while_when_that_fails() -> None:
    """New models are there at the next look; a service that fails is remembered for minutes."""
    replies = [answers({"models": [{"name": name}]}) for name in ("one", "two")]
    now = [0.0]

    async def reply(request: Seen, wire: Wire) -> None:
        now_reply = replies.pop(0) if replies else answers({}, 500)
        await now_reply(request, wire)

    async with TinyServer(reply) as server:
        providers = Providers(
            settings_for(ollama=server.url), offload=in_thread, clock=lambda: now[0]
        )
        seen = []
        for at in (0, 1, 6, 12, 400):
            now[0] = at
            seen.append(list((await providers.models()).chat.get("ollama", ())))
        assert seen == [["one"], ["one"], ["two"], ["two"], []]
        await providers.close()


async def test_warm_fetches_before_anyone_asks() -> None:
    """After start the lists are fetched without a client."""
    async with serving(answers(TAGS), ollama=True) as (server, providers):
        providers.warm()
        await server.saw(1)
        assert "ollama" in (await providers.models()).chat
        assert len(server.seen) == 1


async def test_closing_stops_a_call_for_a_list() -> None:
    """At shutdown nobody waits for a list any longer."""
    async with serving(hangs, ollama=True) as (server, providers):
        asking = asyncio.create_task(providers.models())
        await server.saw(1)
        await providers.close()
        assert "ollama" not in (await asking).chat


async def test_unusable_address_or_key_in_the_settings_hides_its_provider() -> None:
    """What can never be called is not offered."""
    settings = Settings(
        api_keys=ApiKeys(openai="schlüssel"), api_endpoints=ApiEndpoints(ollama="localhost:11434")
    )
    async with providers_for(settings) as providers:
        assert list((await providers.models()).chat) == ["built_in", "custom_openai"]
