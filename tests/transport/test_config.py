"""Settings as the web UI reads and changes them."""

from typing import Any

import msgspec
import pytest

from tests.transport.desks import Held
from tests.transport.places import Lists, client, get, post, services, serving
from transport.routes.config import NAMES, masked
from transport.services import Services

JSON = "Content-Type: application/json"
KEY = "sk-0123456789abcdef"
MASK = "************cdef"


async def shown(using: Services) -> dict[str, Any]:
    """What GET answers."""
    async with serving(using=using) as server, client(server) as one:
        answer = await one.ask(get("/api/config"))
        assert answer.status == 200
        found: dict[str, Any] = answer.json()
        return found


async def sent(held: Held, body: object) -> tuple[int, dict[str, Any]]:
    """What a POST of that body answers."""
    async with serving(using=services(settings=held)) as server, client(server) as one:
        raw = body if isinstance(body, bytes) else msgspec.json.encode(body)
        answer = await one.ask(post("/api/config", raw, JSON))
        return answer.status, answer.json()


async def test_models_are_lists_in_their_order() -> None:
    """Providers are maps of lists, unlike those of /api/models."""
    lists = Lists({"z": {"m2": "Two", "m1": "One"}, "custom_openai": {}}, {"a": {"e": "E"}})
    found = await shown(services(lists=lists))
    assert list(found["chatModelProviders"].items()) == [
        ("z", [{"name": "m2", "displayName": "Two"}, {"name": "m1", "displayName": "One"}]),
        ("custom_openai", []),
    ]
    assert found["embeddingModelProviders"] == {"a": [{"name": "e", "displayName": "E"}]}


async def test_every_setting_of_both_web_uis_is_text() -> None:
    """What is not set reads as empty text; nothing else is told when there is nothing to tell."""
    found = await shown(services())
    lists = {"chatModelProviders", "embeddingModelProviders"}
    assert {name: found[name] for name in found.keys() - lists} == dict.fromkeys(NAMES, "")


async def test_keys_are_masked_and_addresses_are_not() -> None:
    """Of a key the last four characters are shown, whatever its length."""
    held = Held({"api_keys_openai": KEY, "api_endpoints_ollama": "http://o"})
    found = await shown(services(settings=held))
    assert (found["openaiApiKey"], found["ollamaApiUrl"]) == (MASK, "http://o")
    assert masked(KEY * 10) == MASK


@pytest.mark.parametrize("secret", ["a", "abcd", "gsk-new-key"])
def test_short_key_shows_nothing(secret: str) -> None:
    """Four characters of a short key would be too much of it."""
    assert masked(secret) == "*" * 12


async def test_unwell_providers_and_fixed_settings_are_told() -> None:
    """The reader learns why a provider is missing, and why a setting cannot be changed here."""
    held = Held({"api_keys_openai": KEY}, fixed={"api_keys_openai": "OPENAI_API_KEY"})
    found = await shown(services(settings=held, unwell={"ollama": "It sleeps."}))
    assert found["unwell"] == {"ollama": "It sleeps."}
    assert found["fixed"] == {"openaiApiKey": "OPENAI_API_KEY"}


async def test_what_is_sent_is_taken_over() -> None:
    """Known names are set, without the blanks around them; unknown ones are ignored."""
    held = Held()
    body = {"groqApiKey": f" {KEY}\n", "nope": 1, "chatModelProviders": {}, "ollamaApiUrl": "u"}
    assert await sent(held, body) == (200, {"message": "Config updated"})
    assert held.texts == {"api_keys_groq": KEY, "api_endpoints_ollama": "u"}


async def test_mask_sent_back_changes_nothing() -> None:
    """Also an old one, of a key that has been changed meanwhile: it is never taken for a key."""
    held = Held({"api_keys_openai": KEY})
    for mask in (MASK, "************9999", "*" * 12):
        assert (await sent(held, {"openaiApiKey": mask}))[0] == 200
    assert held.texts == {"api_keys_openai": KEY}


async def test_empty_text_removes() -> None:
    """That is how the web UI takes a key away."""
    held = Held({"api_keys_openai": KEY})
    assert (await sent(held, {"openaiApiKey": ""}))[0] == 200
    assert held.texts == {"api_keys_openai": ""}


async def test_setting_that_cannot_take_effect_is_named() -> None:
    """What a flag or the environment decides stays so, and the answer says by what."""
    held = Held({"api_keys_openai": KEY}, fixed={"api_keys_openai": "OPENAI_API_KEY"})
    told = {"message": "Config updated", "fixed": {"openaiApiKey": "OPENAI_API_KEY"}}
    assert await sent(held, {"openaiApiKey": "another"}) == (200, told)
    assert await sent(held, {"openaiApiKey": MASK}) == (200, {"message": "Config updated"})


@pytest.mark.parametrize(
    "body",
    [
        [],
        "text",
        1,
        None,
        b"{",
        b"",
        {"openaiApiKey": 1},
        {"openaiApiKey": None},
        {"openaiApiKey": {"a": 1}},
        {"openaiApiKey": "new\nline"},
        {"openaiApiKey": "zero\0"},
        b'{"openaiApiKey": "\\ud800"}',
        {"openaiApiKey": "x" * 900 * 5},
        {"openaiApiKey": MASK + "typed behind it"},
        {"ollamaApiUrl": "good", "groqApiKey": False},
    ],
)
async def test_other_shapes_are_refused_whole(body: object) -> None:
    """400 or 413, and nothing of it is taken over."""
    held = Held()
    assert (await sent(held, body))[0] in {400, 413}
    assert held.texts == {}


async def test_settings_are_changed_by_json_alone() -> None:
    """A page of a stranger may send plain text here unasked: that is refused."""
    held = Held()
    async with serving(using=services(settings=held)) as server, client(server) as one:
        answer = await one.ask(
            post("/api/config", b'{"openaiApiKey":"x"}', "Content-Type: text/plain")
        )
    assert (answer.status, held.texts) == (415, {})
