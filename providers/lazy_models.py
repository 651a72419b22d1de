"""Models built where that does not hold up the event loop."""

from collections.abc import AsyncGenerator, Callable, Sequence
from typing import TYPE_CHECKING, TypeVar

from protocol.errors import ModelUnavailable
from protocol.offload import Offload
from protocol.values import Prompt
from providers.catalogue import Row
from providers.loaded import Loaded, Order

if TYPE_CHECKING:
    from llama_index.core.base.embeddings.base import BaseEmbedding
    from llama_index.core.llms import LLM

    from providers.vectors import Vectors

T = TypeVar("T")


class LazyModels:
    """Builds the LlamaIndex model of an order, and uses it.

    The first model of each row is built in a thread, as that may import LlamaIndex; later ones
    take some microseconds and are built in place.
    """

    def __init__(self, loaded: Loaded, offload: Offload) -> None:
        self._loaded = loaded
        self._offload = offload
        self._built: set[Callable[..., object]] = set()  # the builders of rows used before

    async def chat_model(self, row: Row, order: Order) -> "LLM":
        """The chat model of an order; raises ModelUnavailable when the row has none."""
        build = row.chat_model
        if build is None:
            raise ModelUnavailable(row.name, "no chat model stands behind it")
        return await self._first_in_thread(build, lambda: build(self._loaded, order))

    async def embedding_model(self, row: Row, order: Order) -> "BaseEmbedding":
        """The embedding model of an order; raises ModelUnavailable when the row has none."""
        build = row.embedding_model
        if build is None:
            raise ModelUnavailable(row.name, "no embedding model stands behind it")
        return await self._first_in_thread(build, lambda: build(self._loaded, order))

    def pieces(self, llm: "LLM", prompt: Prompt) -> AsyncGenerator[str, None]:
        """The pieces of the model's answer, over our own path where the class is our own."""
        from providers.llama_chat import pieces_of  # noqa: PLC0415 - imports LlamaIndex

        return pieces_of(llm, prompt)

    async def vectors(self, embedder: "BaseEmbedding", texts: Sequence[str]) -> "Vectors":
        """The vectors of the texts, shape (n, d)."""
        from providers.llama_embedding import vectors_of  # noqa: PLC0415 - imports LlamaIndex

        return await vectors_of(embedder, texts, self._offload)

    async def _first_in_thread(self, build: Callable[..., object], work: Callable[[], T]) -> T:
        if build in self._built:
            return work()
        made = await self._offload(work)
        self._built.add(build)
        return made
