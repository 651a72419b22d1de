"""Embedding models as LlamaIndex classes. Loaded when first used.

LlamaIndex sees ordinary embedding models, which speak in lists; the program itself goes through
``vectors``, which keeps to arrays.
"""

from abc import abstractmethod
from collections.abc import Sequence

from llama_index.core.base.embeddings.base import BaseEmbedding, Embedding
from llama_index.core.bridge.pydantic import PrivateAttr

from protocol.offload import Offload
from providers.blocking import waited
from providers.loaded import Order
from providers.local_models import LocalModel
from providers.remote import Remote
from providers.vectors import Vectors, stacked


class OwnEmbedding(BaseEmbedding):
    """An embedding model that gives its vectors as an array."""

    @abstractmethod
    async def vectors(self, texts: Sequence[str], offload: Offload) -> Vectors:
        """Vectors of the texts, shape (n, d); what computes goes through ``offload``."""


class RemoteEmbedding(OwnEmbedding):
    """An embedding model of a remote service."""

    _remote: Remote = PrivateAttr()

    @classmethod
    def of(cls, remote: Remote, order: Order) -> "RemoteEmbedding":
        """The model that an order names, at its service."""
        made = cls(model_name=order.model)
        made._remote = remote
        return made

    async def vectors(self, texts: Sequence[str], _offload: Offload) -> Vectors:
        """Vectors of the texts, shape (n, d); see ``Remote.embed``."""
        return await self._remote.embed(self.model_name, list(texts))

    async def _aget_text_embeddings(self, texts: list[str]) -> list[Embedding]:
        return _listed(await self._remote.embed(self.model_name, texts))

    async def _aget_text_embedding(self, text: str) -> Embedding:
        return (await self._aget_text_embeddings([text]))[0]

    async def _aget_query_embedding(self, query: str) -> Embedding:
        return await self._aget_text_embedding(query)

    def _get_text_embeddings(self, texts: list[str]) -> list[Embedding]:
        return _listed(waited(self._remote, lambda remote: remote.embed(self.model_name, texts)))

    def _get_text_embedding(self, text: str) -> Embedding:
        return self._get_text_embeddings([text])[0]

    def _get_query_embedding(self, query: str) -> Embedding:
        return self._get_text_embedding(query)


class LocalEmbedding(OwnEmbedding):
    """A model that needs no service. Its methods compute where they are called."""

    _local: LocalModel = PrivateAttr()

    @classmethod
    def of(cls, local: LocalModel, order: Order) -> "LocalEmbedding":
        """The LlamaIndex face of the loaded model."""
        made = cls(model_name=order.model)
        made._local = local
        return made

    async def vectors(self, texts: Sequence[str], offload: Offload) -> Vectors:
        """Vectors of the texts, shape (n, d); see ``LocalModel.embed``."""
        return await offload(lambda: self._local.embed(texts))

    def _get_text_embeddings(self, texts: list[str]) -> list[Embedding]:
        return _listed(self._local.embed(texts))

    def _get_text_embedding(self, text: str) -> Embedding:
        return self._get_text_embeddings([text])[0]

    def _get_query_embedding(self, query: str) -> Embedding:
        return self._get_text_embedding(query)

    async def _aget_query_embedding(self, query: str) -> Embedding:
        return self._get_query_embedding(query)


async def vectors_of(embedder: BaseEmbedding, texts: Sequence[str], offload: Offload) -> Vectors:
    """Vectors of the texts by any LlamaIndex model, shape (n, d), zeros where one is no number."""
    if isinstance(embedder, OwnEmbedding):
        return await embedder.vectors(texts, offload)
    vectors = await embedder.aget_text_embedding_batch(list(texts))
    return stacked(vectors, count=len(texts))


def _listed(vectors: Vectors) -> list[Embedding]:
    listed: list[Embedding] = vectors.tolist()
    return listed
