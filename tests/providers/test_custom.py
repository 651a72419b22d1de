"""custom_openai: a service of the client's own, or that of the settings."""

import pytest

from protocol.errors import InvalidModelSelected, ModelUnavailable
from protocol.service_settings import CustomOpenai
from protocol.settings import Settings
from protocol.values import ModelChoice, Models
from providers.service import Providers
from tests.providers.places import custom, providers_for, told
from tests.providers.tiny_server import TinyServer, says


def settings(url: str, *, key: str = "sk-ours", model: str = "ours") -> Settings:
    """Settings with a service of the operator's."""
    return Settings(custom_openai=CustomOpenai(url, key, model))


def chosen(providers: Providers, *choice: str) -> ModelChoice:
    """What a client's choice of custom_openai means."""
    return providers.resolve(Models(chat=ModelChoice("custom_openai", *choice))).chat


@pytest.mark.parametrize("nothing", ["", "null", "undefined"])
@pytest.mark.parametrize("model", ["ours", "gpt-4o", "", "undefined"])
async def test_who_names_no_service_gets_that_of_the_settings(nothing: str, model: str) -> None:
    """Address, key and model are those of the settings, whatever model a stale page names."""
    async with TinyServer(says("x")) as server, providers_for(settings(server.url)) as providers:
        choice = chosen(providers, model, nothing, nothing)
        assert choice == ModelChoice("custom_openai", "ours")
        assert await told(providers, choice) == ["x"]
        assert server.seen[0].headers["authorization"] == "Bearer sk-ours"
        assert server.seen[0].json()["model"] == "ours"


async def test_who_names_a_service_gets_it_and_never_the_key_of_the_settings() -> None:
    """The operator's key goes nowhere but to the operator's address."""
    async with (
        TinyServer(says("x")) as server,
        providers_for(settings("http://127.0.0.1:1")) as providers,
    ):
        choice = chosen(providers, "theirs", server.url, "null")
        assert await told(providers, choice) == ["x"]
        assert "authorization" not in server.seen[0].headers
        assert server.seen[0].json()["model"] == "theirs"


async def test_without_a_model_in_the_settings_the_client_names_it() -> None:
    """An address alone is enough; then nothing is listed, and a model must be named."""
    async with (
        TinyServer(says("x")) as server,
        providers_for(settings(server.url, key="", model="")) as providers,
    ):
        assert (await providers.models()).chat["custom_openai"] == {}
        assert await told(providers, chosen(providers, "theirs")) == ["x"]
        assert "authorization" not in server.seen[0].headers
        with pytest.raises(InvalidModelSelected):
            chosen(providers, "null")


async def test_operators_model_is_the_default_where_there_is_no_other() -> None:
    """Cited extracts stand before it in the list, but a model comes before none at all."""
    async with providers_for(settings("http://127.0.0.1:1")) as providers:
        assert list((await providers.models()).chat) == ["built_in", "custom_openai"]
        assert providers.resolve(Models()).chat == ModelChoice("custom_openai", "ours")
        assert providers.describe() == "custom_openai/ours"


@pytest.mark.parametrize("url", ["", "nope", "ftp://x", "http://[::1"])
async def test_settings_that_cannot_be_used_leave_it_to_the_client(url: str) -> None:
    """It is as if nothing had been set up: a client without a service of its own is refused."""
    async with TinyServer(says("x")) as server, providers_for(settings(url)) as providers:
        assert providers.resolve(Models()).chat.provider == "built_in"
        with pytest.raises(InvalidModelSelected):
            chosen(providers, "ours")
        with pytest.raises(ModelUnavailable):
            await told(providers, ModelChoice("custom_openai", "ours"))
        assert await told(providers, custom(server.url)) == ["x"]
