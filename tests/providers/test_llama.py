"""Our models as LlamaIndex sees them, and LlamaIndex's models as rows of the table."""

import asyncio
from collections.abc import Callable
from typing import TypeVar

import pytest
from llama_index.core.base.embeddings.base import BaseEmbedding
from llama_index.core.base.llms.types import ChatMessage, MessageRole
from llama_index.core.embeddings import MockEmbedding
from llama_index.core.llms import LLM
from llama_index.core.llms.mock import MockLLM

from protocol.errors import ModelUnavailable
from protocol.settings import Settings
from protocol.values import ModelChoice
from providers.catalogue import ROWS, Row
from providers.endpoint import Endpoint
from providers.listing import Offer
from providers.loaded import STATIC, Loaded, Order, local_embedding, remote_chat, remote_embedding
from providers.openai_api import OpenAiDialect
from providers.service import Providers
from tests.providers.places import in_thread, told
from tests.providers.tiny_server import Seen, TinyServer, Wire, answers, event, routed, says

T = TypeVar("T")

SERVICE = routed(
    {
        "/chat/completions": says("Hel", "lo"),
        "/embeddings": answers({"data": [{"index": 0, "embedding": [1, 2]}]}),
    }
)


def order_at(url: str) -> Order:
    """What a model at an address is built from."""
    return Order("openai", "tiny", 0.3, Endpoint("openai", url, "sk-secret"), OpenAiDialect())


def chat_model(url: str, loaded: Loaded | None = None) -> LLM:
    """Our chat model at an address."""
    return remote_chat(loaded or Loaded(), order_at(url))


def test_chat_model_is_a_llama_index_model() -> None:
    """It has LlamaIndex's type and metadata, and keeps its key out of what is shown or saved."""
    model = chat_model("http://127.0.0.1:1")
    assert isinstance(model, LLM)
    assert model.metadata.model_name == "tiny"
    assert model.metadata.is_chat_model
    assert "secret" not in f"{model!r} {model} {model.to_json()} {model.to_payload()}"


async def test_asynchronous_methods_stream_and_collect() -> None:
    """``astream_chat``, ``achat`` and their twins for plain prompts go over our own path."""
    async with TinyServer(SERVICE) as server:
        model = chat_model(server.url)
        messages = [
            ChatMessage(role=MessageRole.DEVELOPER, content="Be brief."),
            ChatMessage(role=MessageRole.TOOL, content="42"),
        ]
        responses = [r async for r in await model.astream_chat(messages)]
        assert "".join(str(r.delta) for r in responses) == "Hello"
        assert responses[-1].message.content == "Hello"
        assert (await model.achat(messages)).message.content == "Hello"
        completed = [str(r.delta) async for r in await model.astream_complete("Hi")]
        assert "".join(completed) == "Hello"
        assert (await model.acomplete("Hi")).text == "Hello"
        asked = server.seen[0].json()
        assert [message["role"] for message in asked["messages"]] == ["system", "user"]
        assert asked["temperature"] == 0.3


async def off_the_loop(work: Callable[[], T]) -> T:
    """What a blocking method returns, called in a thread without an event loop."""
    return await asyncio.to_thread(work)


async def test_blocking_methods_do_the_same_over_connections_of_their_own() -> None:
    """``chat``, ``stream_chat`` and their twins work where no event loop runs."""
    async with TinyServer(SERVICE) as server:
        model = chat_model(server.url)
        messages = [ChatMessage(role=MessageRole.USER, content="Hi")]
        chat = await off_the_loop(lambda: model.chat(messages))
        assert chat.message.content == "Hello"
        streamed = await off_the_loop(lambda: [str(r.delta) for r in model.stream_chat(messages)])
        assert "".join(streamed) == "Hello"
        assert (await off_the_loop(lambda: model.complete("Hi"))).text == "Hello"
        completed = await off_the_loop(lambda: [str(r.delta) for r in model.stream_complete("Hi")])
        assert "".join(completed) == "Hello"


async def test_blocking_stream_that_is_left_closes_the_call() -> None:
    """Breaking out of a blocking stream closes its connection."""

    async def endless(_request: Seen, wire: Wire) -> None:
        await wire.head()
        await wire.send(event("one"))
        await wire.gone()

    def take_one(model: LLM) -> None:
        stream = model.stream_chat([ChatMessage(content="Hi")])
        next(stream)
        stream.close()

    async with TinyServer(endless) as server:
        await off_the_loop(lambda: take_one(chat_model(server.url)))
        async with asyncio.timeout(1):
            await server.closed.wait()


async def test_blocking_methods_refuse_to_hold_up_an_event_loop() -> None:
    """On a loop they say so at once."""
    with pytest.raises(RuntimeError, match="event loop"):
        chat_model("http://127.0.0.1:1").chat([ChatMessage(content="Hi")])


async def test_embedding_models_are_llama_index_models() -> None:
    """Lists come out of LlamaIndex's methods, whoever computes them."""
    async with TinyServer(SERVICE) as server:
        remote = remote_embedding(Loaded(), order_at(server.url))
        assert isinstance(remote, BaseEmbedding)
        assert "secret" not in f"{remote!r} {remote.to_json()}"
        assert await remote.aget_text_embedding_batch(["a"]) == [[1, 2]]
        assert await remote.aget_query_embedding("a") == [1, 2]
        assert await off_the_loop(lambda: remote.get_text_embedding("a")) == [1, 2]
    local = local_embedding(Loaded(), Order("local", STATIC, 0, None, OpenAiDialect()))
    assert len(local.get_query_embedding("a")) == 256
    assert local.get_text_embedding_batch(["a", "b"])[0] == await local.aget_text_embedding("a")


def plugged(**kinds: object) -> Providers:
    """Providers with a row of a LlamaIndex class."""
    offer = Offer(chat={"large": "Mine, large"}, embedding={"small": "Mine, small"})
    row = Row("mine", offer=offer, **kinds)  # type: ignore[arg-type]
    return Providers(Settings(), offload=in_thread, rows=(row, *ROWS))


async def test_any_llama_index_model_can_be_a_row() -> None:
    """Its ``astream_chat`` becomes our stream; it is listed and chosen like any other."""
    providers = plugged(chat_model=lambda _loaded, _order: MockLLM(max_tokens=3))
    assert (await providers.models()).chat["mine"] == {"large": "Mine, large"}
    assert await told(providers, ModelChoice("mine", "large")) == ["text ", "text ", "text"]


async def test_any_llama_index_embedding_can_be_a_row() -> None:
    """Its lists become our arrays."""
    providers = plugged(embedding_model=lambda _loaded, _order: MockEmbedding(embed_dim=3))
    vectors = await providers.embed(ModelChoice("mine", "small"), ["a", "b"])
    assert vectors.tolist() == [[0.5] * 3] * 2


async def test_failure_of_a_plugged_in_model_is_told_as_ours() -> None:
    """The errors that its row names mean a model out of reach."""

    def broken(_loaded: Loaded, _order: Order) -> LLM:
        raise LookupError("their own words")

    providers = plugged(chat_model=broken, failures=(LookupError,))
    with pytest.raises(ModelUnavailable, match="could not be used"):
        await told(providers, ModelChoice("mine", "large"))
