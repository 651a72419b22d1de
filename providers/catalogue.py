"""Who serves models: a table, one row a provider, in the order in which clients see them.

A provider that speaks like OpenAI is one row::

    Row("groq", endpoint=keyed("groq", lambda s: s.api_keys.groq, lambda s: "https://…/v1")),

One with an API of its own brings its ``Dialect`` as well. A LlamaIndex class that does everything
by itself is plugged in through ``chat_model`` or ``embedding_model``::

    Row("mine", offer=Offer(chat={"large": "Mine, large"}),
        chat_model=lambda _loaded, order: MyLLM(order.model, temperature=order.temperature))
"""

from collections.abc import Callable
from typing import TYPE_CHECKING

from protocol.base import Value
from protocol.settings import Settings
from providers import listing
from providers.calls import Dialect
from providers.endpoint import Endpoint
from providers.listing import Listing, Offer
from providers.loaded import Loaded, Order, remote_chat, remote_embedding, static_embedding
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
    those names are always accepted. ``is_clients`` marks the one whose address comes with each
    choice. ``failures`` are the errors of a plugged-in class that mean a model out of reach.
    """

    name: str
    endpoint: Locate | None = None
    offer: Offer = Offer()
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


def open_at(provider: str, base_url: Callable[[Settings], str]) -> Locate:
    """The endpoint of a service without keys; none without an address."""

    def locate(settings: Settings) -> Endpoint | None:
        address = base_url(settings)
        return Endpoint(provider, address) if address else None

    return locate


OPENAI_MODELS = Offer(
    chat={
        "gpt-3.5-turbo": "GPT-3.5 Turbo",
        "gpt-4": "GPT-4",
        "gpt-4-turbo": "GPT-4 turbo",
        "gpt-4o": "GPT-4 omni",
        "gpt-4o-mini": "GPT-4 omni mini",
    },
    embedding={
        "text-embedding-3-small": "Text Embedding 3 Small",
        "text-embedding-3-large": "Text Embedding 3 Large",
    },
)

ROWS: tuple[Row, ...] = (
    Row(
        "openai",
        endpoint=keyed("openai", lambda s: s.api_keys.openai, lambda s: s.api_endpoints.openai),
        offer=OPENAI_MODELS,
        listing=Listing(listing.openai, fresh_s=600),
    ),
    Row(
        LOCAL,
        offer=Offer(embedding={"wordllama-l2-supercat-256": "WordLlama (built in)"}),
        chat_model=None,
        embedding_model=static_embedding,
    ),
    Row(
        "ollama",
        endpoint=open_at("ollama", lambda s: s.api_endpoints.ollama),
        listing=Listing(listing.all_for_both, fresh_s=5),
        dialect=OllamaDialect(),
    ),
    Row(
        BUILT_IN,
        offer=Offer(chat={"extractive": "Cited extracts (no model)"}),
        chat_model=None,
        embedding_model=None,
    ),
    Row(CUSTOM, is_clients=True, embedding_model=None),
)
