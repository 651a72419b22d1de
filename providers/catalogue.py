"""Who serves models: a table, one row a provider, in the order in which clients see them.

A provider that speaks like OpenAI is one row::

    Row(
        "groq",
        endpoint=keyed("groq", lambda s: s.api_keys.groq, lambda s: s.api_endpoints.groq),
        listing=Listing(listing.to_talk_to, fresh_s=600),
    )

Its key and its address are settings. One with an API of its own brings its ``Dialect`` as well. A
LlamaIndex class that does everything by itself is plugged in through ``chat_model`` or
``embedding_model``::

    Row("mine", offer=Offer(chat={"large": "Mine, large"}),
        chat_model=lambda _loaded, order: MyLLM(order.model, temperature=order.temperature))
"""

from collections.abc import Callable
from typing import TYPE_CHECKING

from protocol.base import Value
from protocol.settings import Settings
from providers import listing, local_models
from providers.anthropic_api import AnthropicDialect
from providers.calls import Dialect
from providers.endpoint import Endpoint
from providers.fallbacks import (
    ANTHROPIC_MODELS,
    DEEPSEEK_MODELS,
    GEMINI_MODELS,
    GROQ_MODELS,
    MISTRAL_MODELS,
    OPENAI_MODELS,
    OPENROUTER_MODELS,
)
from providers.gemini_api import GeminiDialect
from providers.listing import Listing, Offer
from providers.loaded import STATIC, Loaded, Order, local_embedding, remote_chat, remote_embedding
from providers.ollama_api import OllamaDialect
from providers.openai_api import OpenAiDialect

if TYPE_CHECKING:  # these cost more than a second to import
    from llama_index.core.base.embeddings.base import BaseEmbedding
    from llama_index.core.llms import LLM

BUILT_IN = "built_in"
CUSTOM = "custom_openai"
LOCAL = "local"

Locate = Callable[[Settings], Endpoint | None]
ChatBuilder = Callable[[Loaded, Order], "LLM"]
EmbeddingBuilder = Callable[[Loaded, Order], "BaseEmbedding"]


class Row(Value, frozen=True):
    """A provider.

    ``endpoint`` gives its address, ``None`` while it is not set up: it is not offered then.
    ``offer`` is what it has when nothing is known of its live list, or when it has no ``listing``;
    those names are always accepted. ``configured`` gives the offer where the settings name it.
    ``is_clients`` marks the one whose address a client may bring along; the settings' own serves
    who brings none. ``failures`` are the errors of a plugged-in class that mean a model out of
    reach.
    """

    name: str
    endpoint: Locate | None = None
    offer: Offer = Offer()
    configured: Callable[[Settings], Offer] | None = None
    listing: Listing | None = None
    dialect: Dialect = OpenAiDialect()
    chat_model: ChatBuilder | None = remote_chat
    embedding_model: EmbeddingBuilder | None = remote_embedding
    is_clients: bool = False
    failures: tuple[type[Exception], ...] = (OSError,)


def keyed(
    provider: str, api_key: Callable[[Settings], str], base_url: Callable[[Settings], str]
) -> Locate:
    """The endpoint of a service that wants a key; none without one."""

    def locate(settings: Settings) -> Endpoint | None:
        key = api_key(settings)
        return Endpoint(provider, base_url(settings), key) if key else None

    return locate


def open_at(
    provider: str,
    base_url: Callable[[Settings], str],
    api_key: Callable[[Settings], str] = lambda _: "",
) -> Locate:
    """The endpoint of a service that may want a key or not; none without an address."""

    def locate(settings: Settings) -> Endpoint | None:
        address = base_url(settings)
        return Endpoint(provider, address, api_key(settings)) if address else None

    return locate


def versioned(address: str) -> str:
    """An address that ends with a version; files of the reference leave it to the program."""
    bare = address.rstrip("/")
    return f"{bare}/v1" if bare and not bare.endswith("/v1") else address


def custom_offer(settings: Settings) -> Offer:
    """The one model that the settings name for the service of the client's own."""
    name = settings.custom_openai.model_name
    return Offer(chat={name: name}) if name else Offer()


def local_offer(settings: Settings) -> Offer:
    """The model that ships with the program, then those in the settings' folder."""
    folder = settings.local.models
    return Offer(embedding={STATIC: "WordLlama (built in)", **local_models.found(folder)})


SELDOM_S = 600.0  # the list of a service on the internet
OFTEN_S = 5.0  # of a program beside ours, where people add models while they look

ROWS: tuple[Row, ...] = (
    Row(
        "openai",
        endpoint=keyed("openai", lambda s: s.api_keys.openai, lambda s: s.api_endpoints.openai),
        offer=OPENAI_MODELS,
        listing=Listing(listing.openai, fresh_s=SELDOM_S),
    ),
    Row(
        "groq",
        endpoint=keyed("groq", lambda s: s.api_keys.groq, lambda s: s.api_endpoints.groq),
        offer=GROQ_MODELS,
        listing=Listing(listing.to_talk_to, fresh_s=SELDOM_S),
        embedding_model=None,
    ),
    Row(
        LOCAL,
        configured=local_offer,
        chat_model=None,
        embedding_model=local_embedding,
    ),
    Row(
        "ollama",
        endpoint=open_at("ollama", lambda s: s.api_endpoints.ollama),
        listing=Listing(listing.all_for_both, fresh_s=OFTEN_S),
        dialect=OllamaDialect(),
    ),
    Row(
        "anthropic",
        endpoint=keyed(
            "anthropic", lambda s: s.api_keys.anthropic, lambda s: s.api_endpoints.anthropic
        ),
        offer=ANTHROPIC_MODELS,
        listing=Listing(listing.to_talk_to, fresh_s=SELDOM_S),
        dialect=AnthropicDialect(),
        embedding_model=None,
    ),
    Row(
        "gemini",
        endpoint=keyed("gemini", lambda s: s.api_keys.gemini, lambda s: s.api_endpoints.gemini),
        offer=GEMINI_MODELS,
        listing=Listing(listing.by_use, fresh_s=SELDOM_S),
        dialect=GeminiDialect(),
    ),
    Row(
        "deepseek",
        endpoint=keyed(
            "deepseek", lambda s: s.api_keys.deepseek, lambda s: s.api_endpoints.deepseek
        ),
        offer=DEEPSEEK_MODELS,
        listing=Listing(listing.to_talk_to, fresh_s=SELDOM_S),
        embedding_model=None,
    ),
    Row(
        "mistral",
        endpoint=keyed("mistral", lambda s: s.api_keys.mistral, lambda s: s.api_endpoints.mistral),
        offer=MISTRAL_MODELS,
        listing=Listing(listing.to_talk_to, fresh_s=SELDOM_S),
    ),
    Row(
        "openrouter",
        endpoint=keyed(
            "openrouter", lambda s: s.api_keys.openrouter, lambda s: s.api_endpoints.openrouter
        ),
        offer=OPENROUTER_MODELS,
        listing=Listing(listing.to_talk_to, fresh_s=SELDOM_S),
        embedding_model=None,
    ),
    Row(
        "lmstudio",
        endpoint=open_at(
            "lmstudio",
            lambda s: versioned(s.api_endpoints.lmstudio),
            lambda s: s.api_keys.lmstudio,
        ),
        listing=Listing(listing.by_name, fresh_s=OFTEN_S),
    ),
    Row(
        BUILT_IN,
        offer=Offer(chat={"extractive": "Cited extracts (no model)"}),
        chat_model=None,
        embedding_model=None,
    ),
    Row(
        CUSTOM,
        endpoint=open_at(
            CUSTOM, lambda s: s.custom_openai.api_url, lambda s: s.custom_openai.api_key
        ),
        configured=custom_offer,
        is_clients=True,
        embedding_model=None,
    ),
)
