"""Other settings put in force while the program runs."""

import asyncio
from contextlib import aclosing

import msgspec
import pytest
from structlog.testing import capture_logs

from protocol.errors import ModelUnavailable
from protocol.service_settings import ApiEndpoints, ApiKeys, CustomOpenai
from protocol.settings import Limits, Settings
from protocol.values import ModelChoice, Models
from tests.providers.places import PROMPT, providers_for, settings_for, told
from tests.providers.tiny_server import (
    Seen,
    TinyServer,
    Wire,
    answers,
    event,
    hangs,
    routed,
    says,
)

TAGS = {"models": [{"name": "tiny"}]}


async def test_new_key_is_in_force_at_once() -> None:
    """A provider is on offer as soon as its key is set, and its next call bears the new key."""
    async with TinyServer(says("x")) as server, providers_for(Settings()) as providers:
        assert providers.resolve(Models()).chat.provider == "built_in"
        for key in ("sk-1", "sk-2"):
            await providers.configure(settings_for(openai=server.url, key=key))
            choice = providers.resolve(Models()).chat
            assert choice.provider == "openai"
            assert await told(providers, choice) == ["x"]
            assert server.seen[-1].headers["authorization"] == f"Bearer {key}"


async def test_lists_show_the_new_settings_at_once() -> None:
    """What was asked for under the old settings is gone, what the new ones name is there."""
    reply = routed({"/api/tags": answers(TAGS)})
    async with TinyServer(reply) as server, providers_for(Settings()) as providers:
        assert "ollama" not in (await providers.models()).chat
        await providers.configure(settings_for(ollama=server.url))
        assert "ollama" in (await providers.models()).chat
        await providers.configure(Settings())
        assert "ollama" not in (await providers.models()).chat


async def test_stream_goes_on_as_it_was_begun() -> None:
    """An answer under way is not disturbed when its provider is taken away."""
    go_on = asyncio.Event()

    async def reply(_request: Seen, wire: Wire) -> None:
        await wire.head()
        await wire.send(event("one"))
        await go_on.wait()
        await wire.send(event("two", finish="stop"))
        await wire.end()

    async with (
        TinyServer(reply) as server,
        providers_for(settings_for(openai=server.url)) as providers,
    ):
        stream = providers.stream(ModelChoice("openai", "gpt-4"), PROMPT, temperature=0)
        async with aclosing(stream):
            assert await anext(stream) == "one"
            await providers.configure(Settings())
            go_on.set()
            assert [piece async for piece in stream] == ["two"]


async def test_lists_that_still_hold_are_not_asked_for_again() -> None:
    """A change of one key costs the other services nothing."""
    async with TinyServer(answers(TAGS)) as server:
        settings = settings_for(ollama=server.url)
        async with providers_for(settings) as providers:
            await providers.models()
            more = ApiKeys(groq="gsk", openai="sk")
            endpoints = ApiEndpoints(
                ollama=server.url, openai="http://127.0.0.1:1", groq="http://127.0.0.1:1"
            )
            await providers.configure(Settings(api_keys=more, api_endpoints=endpoints))
            lists = await providers.models()
            assert list(lists.chat)[:3] == ["openai", "groq", "ollama"]
            assert len(server.seen) == 1


async def test_who_waits_for_a_list_that_is_given_up_goes_on() -> None:
    """A hanging service whose address is replaced holds nobody up any longer."""
    async with (
        TinyServer(hangs) as server,
        providers_for(settings_for(ollama=server.url, limits=Limits(model_list_s=60))) as providers,
    ):
        asking = asyncio.create_task(providers.models())
        await server.saw(1)
        async with asyncio.timeout(5):
            await providers.configure(Settings())
            assert "ollama" not in (await asking).chat
        await server.closed.wait()


async def test_choice_made_before_its_provider_went_fails_as_such() -> None:
    """A session that still holds the old choice is told that it is not set up."""
    settings = settings_for(openai="http://127.0.0.1:1")
    async with providers_for(settings) as providers:
        choice = providers.resolve(Models()).chat
        await providers.configure(Settings())
        assert choice.provider == "openai"
        with pytest.raises(ModelUnavailable, match="openai failed: it is not set up"):
            await told(providers, choice)


async def test_changes_at_the_same_time_leave_the_last_one() -> None:
    """The web UI posts its settings twice at once: what was called last holds."""
    async with providers_for(Settings()) as providers:
        settings = [settings_for(openai=f"http://127.0.0.1:{port}") for port in range(1, 30)]
        await asyncio.gather(*(providers.configure(each) for each in settings), providers.models())
        await providers.configure(Settings())
        assert list((await providers.models()).chat) == ["built_in", "custom_openai"]


async def test_limits_are_in_force_too() -> None:
    """How long a list may take is asked of the newest settings."""
    async with TinyServer(hangs) as server:
        patient = settings_for(ollama=server.url, limits=Limits(model_list_s=60))
        async with providers_for(patient) as providers:
            hasty = msgspec.structs.replace(patient, limits=Limits(model_list_s=0.1))
            await providers.configure(hasty)
            async with asyncio.timeout(5):
                await providers.models()
            assert providers.unwell() == {"ollama": "no answer within 0.1 s"}


async def test_unwell_are_named_until_they_are_well() -> None:
    """Nothing is said of what was never asked; a failure is, with its reason, until it is over."""
    async with providers_for(settings_for(ollama="http://127.0.0.1:1")) as providers:
        assert providers.unwell() == {}
        await providers.models()
        assert providers.unwell() == {"ollama": "it cannot be reached"}
        async with TinyServer(answers(TAGS)) as server:
            await providers.configure(settings_for(ollama=server.url))
            assert providers.unwell() == {}
            await providers.models()
            assert providers.unwell() == {}


async def test_unusable_address_is_unwell_and_logged_once() -> None:
    """What can never be called is named at once, and not again with every change."""
    settings = Settings(
        api_endpoints=ApiEndpoints(ollama="localhost"), custom_openai=CustomOpenai("nope", "", "m")
    )
    with capture_logs() as logs:
        async with providers_for(settings) as providers:
            await providers.configure(settings)
            assert providers.unwell() == dict.fromkeys(
                ("ollama", "custom_openai"), "its address or key cannot be used"
            )
            assert (await providers.models()).chat["custom_openai"] == {}
    assert [line["provider"] for line in logs] == ["ollama", "custom_openai"]


async def test_service_that_is_down_is_logged_once() -> None:
    """However often its list is asked for, one line says that it failed."""
    with capture_logs() as logs:
        async with providers_for(settings_for(ollama="http://127.0.0.1:1")) as providers:
            for _ in range(3):
                await providers.models()
            await providers.configure(settings_for(ollama="http://127.0.0.1:1", key="x"))
            await providers.models()
    assert [line["event"] for line in logs] == ["model_list.failed"]
