"""What a client's choice means."""

import pytest

from protocol.errors import InvalidModelSelected
from protocol.settings import Limits, Settings
from protocol.values import ModelChoice, Models
from providers.service import Providers
from tests.providers.places import in_thread, providers_for, serving, settings_for, told
from tests.providers.tiny_server import TinyServer, answers, routed

EXTRACTS = ModelChoice("built_in", "extractive")
LOCAL = ModelChoice("local", "wordllama-l2-supercat-256")


def chat(providers: Providers, choice: ModelChoice) -> ModelChoice:
    """The chat model that a choice means."""
    return providers.resolve(Models(chat=choice)).chat


async def test_gaps_are_filled_with_what_comes_first() -> None:
    """No choice at all means the first provider, and a provider alone its first model."""
    async with providers_for(settings_for(openai="http://127.0.0.1:1")) as providers:
        assert providers.resolve(Models()) == Models(
            chat=ModelChoice("openai", "gpt-3.5-turbo"),
            embedding=ModelChoice("openai", "text-embedding-3-small"),
        )
        assert chat(providers, ModelChoice("built_in")) == EXTRACTS
        assert chat(providers, ModelChoice(model="gpt-4")) == ModelChoice("openai", "gpt-4")
    async with providers_for(Settings()) as providers:
        assert providers.resolve(Models()) == Models(chat=EXTRACTS, embedding=LOCAL)


@pytest.mark.parametrize("nothing", ["", "null", "undefined", " "])
async def test_what_a_web_ui_sends_for_nothing_is_nothing(nothing: str) -> None:
    """The words null and undefined stand for an absent value."""
    async with providers_for(Settings()) as providers:
        assert chat(providers, ModelChoice(nothing, nothing, nothing, nothing)) == EXTRACTS


@pytest.mark.parametrize(
    "choice",
    [
        ModelChoice("nope"),
        ModelChoice("nope", "nope"),
        ModelChoice("openai", "nope"),
        ModelChoice(model="nope"),
        ModelChoice("built_in", "gpt-4"),
        ModelChoice("ollama", "llama3"),
        ModelChoice("local", "wordllama-l2-supercat-256"),
        ModelChoice("toString"),
        ModelChoice("x" * 100_000),
        ModelChoice("custom_openai"),
        ModelChoice("custom_openai", "m"),
        ModelChoice("custom_openai", "m", "null", "null"),
        ModelChoice("custom_openai", "m", "not an address"),
        ModelChoice("custom_openai", "m", "file:///etc/passwd"),
        ModelChoice("custom_openai", "m", "http://[::1"),
        ModelChoice("custom_openai", "m", "http://127.0.0.1:99999"),
        ModelChoice("custom_openai", "m", "http://127.0.0.1", "a\nb"),
        ModelChoice("custom_openai", "undefined", "http://127.0.0.1"),
    ],
)
async def test_what_is_not_on_offer_is_refused(choice: ModelChoice) -> None:
    """Unknown providers and models, and a service of one's own without a usable address."""
    async with providers_for(settings_for(openai="http://127.0.0.1:1")) as providers:
        with pytest.raises(InvalidModelSelected) as caught:
            chat(providers, choice)
        assert len(caught.value.detail) < 200


async def test_own_service_needs_no_key() -> None:
    """The address and the model are enough; both are kept as they came."""
    own = ModelChoice("custom_openai", "any-model", "http://127.0.0.1:9/v1", "sk-x")
    bare = ModelChoice("custom_openai", "any-model", "http://127.0.0.1:9/v1", "null")
    async with providers_for(Settings()) as providers:
        assert chat(providers, own) == own
        assert chat(providers, bare).api_key == ""


async def test_own_service_has_no_embedding_models() -> None:
    """A client's own service is for chat alone."""
    async with providers_for(Settings()) as providers:
        with pytest.raises(InvalidModelSelected):
            providers.resolve(Models(embedding=ModelChoice("custom_openai", "m", "http://x")))


async def test_list_that_is_not_known_yet_accepts_a_name_and_leaves_a_gap_for_later() -> None:
    """Before the first list any name passes, and none means what the list will begin with."""
    async with providers_for(settings_for(ollama="http://127.0.0.1:1")) as providers:
        assert chat(providers, ModelChoice("ollama", "any")) == ModelChoice("ollama", "any")
        assert chat(providers, ModelChoice()) == ModelChoice("ollama", "")
        assert providers.describe() == "ollama"


async def test_gap_is_filled_when_the_model_is_used() -> None:
    """The first model of the list answers when the choice named none."""
    async with (
        TinyServer(
            routed(
                {
                    "/api/tags": answers({"models": [{"name": "first"}, {"name": "second"}]}),
                    "/api/chat": answers({"message": {"content": "hi"}, "done": True}),
                }
            )
        ) as server,
        providers_for(settings_for(ollama=server.url)) as providers,
    ):
        assert await told(providers, ModelChoice("ollama", "")) == ["hi"]
        assert server.seen[-1].json()["model"] == "first"


async def test_service_that_is_down_is_no_default_but_may_be_asked_for() -> None:
    """Once a list has failed cited extracts are the default; a stored choice still connects."""
    settings = settings_for(ollama="http://127.0.0.1:1", limits=Limits(model_list_s=0.5))
    async with providers_for(settings) as providers:
        await providers.models()
        assert chat(providers, ModelChoice()) == EXTRACTS
        assert chat(providers, ModelChoice("ollama", "any")) == ModelChoice("ollama", "any")


async def test_known_list_refuses_other_names() -> None:
    """When the list is there a name that it does not have is refused."""
    async with serving(answers({"models": [{"name": "first"}]}), ollama=True) as (
        _server,
        providers,
    ):
        await providers.models()
        assert chat(providers, ModelChoice("ollama")) == ModelChoice("ollama", "first")
        with pytest.raises(InvalidModelSelected):
            chat(providers, ModelChoice("ollama", "other"))


async def test_well_known_names_are_accepted_beside_the_live_list() -> None:
    """A client that stored a built-in name connects, whatever the live list has."""
    async with serving(answers({"data": [{"id": "qwen3"}]}), openai=True) as (_server, providers):
        await providers.models()
        assert chat(providers, ModelChoice("openai")).model == "qwen3"
        assert chat(providers, ModelChoice("openai", "gpt-4")).model == "gpt-4"


def test_a_choice_never_shows_its_key() -> None:
    """Neither the choice nor what is made of it can be logged with its secrets."""
    own = ModelChoice("custom_openai", "m", "http://127.0.0.1/?key=secret", "sk-secret")
    providers = Providers(Settings(), offload=in_thread)
    assert "secret" not in repr(chat(providers, own))
