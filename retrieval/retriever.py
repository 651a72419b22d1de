"""Search backends as LlamaIndex retrievers, and LlamaIndex retrievers as search backends."""

from collections.abc import Sequence

from llama_index.core.async_utils import asyncio_run
from llama_index.core.retrievers import BaseRetriever
from llama_index.core.schema import NodeWithScore, QueryBundle

from protocol.errors import SearchUnavailable
from protocol.values import Node
from retrieval.backend import SearchBackend
from retrieval.conversion import from_llama, to_llama


class BackendRetriever(BaseRetriever):
    """Any search backend as a retriever, for the engines and language it was made with."""

    def __init__(
        self, backend: SearchBackend, *, engines: Sequence[str] = (), language: str = "en"
    ) -> None:
        super().__init__()
        self._backend = backend
        self._engines = engines
        self._language = language

    async def _aretrieve(self, query_bundle: QueryBundle) -> list[NodeWithScore]:
        nodes = await self._backend.search(
            query_bundle.query_str, engines=self._engines, language=self._language
        )
        return [to_llama(node, place) for place, node in enumerate(nodes)]

    def _retrieve(self, query_bundle: QueryBundle) -> list[NodeWithScore]:
        found: list[NodeWithScore] = asyncio_run(self._aretrieve(query_bundle))
        return found


class RetrieverBackend:
    """Any LlamaIndex retriever as a search backend.

    ``errors`` are what the retriever raises when its service fails; anything else is a bug.
    """

    def __init__(
        self, name: str, retriever: BaseRetriever, errors: tuple[type[Exception], ...] = ()
    ) -> None:
        self.name = name
        self._retriever = retriever
        self._errors = errors

    async def search(self, query: str, *, engines: Sequence[str], language: str) -> list[Node]:
        """What the retriever finds; engines and language mean nothing to it."""
        del engines, language
        try:
            found = await self._retriever.aretrieve(query)
        except self._errors as error:
            raise SearchUnavailable(self.name, "it failed") from error
        return [from_llama(node) for node in found]


async def retrieve(
    backend: SearchBackend, query: str, *, engines: Sequence[str], language: str
) -> list[Node]:
    """Ask a backend the LlamaIndex way, so that its events and callbacks see every search."""
    retriever = BackendRetriever(backend, engines=engines, language=language)
    return [from_llama(node) for node in await retriever.aretrieve(query)]
