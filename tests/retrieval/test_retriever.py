"""LlamaIndex on both sides of a search backend."""

import pytest
from llama_index.core.retrievers import BaseRetriever
from llama_index.core.schema import NodeWithScore, QueryBundle, TextNode

from protocol.errors import SearchUnavailable
from retrieval.retriever import BackendRetriever, RetrieverBackend, retrieve
from tests.retrieval.fakes import Asked, node


class Fixed(BaseRetriever):
    """A retriever as somebody else would write it."""

    def _retrieve(self, query_bundle: QueryBundle) -> list[NodeWithScore]:
        if query_bundle.query_str == "fail":
            raise ConnectionError("their words")
        found = TextNode(text="theirs", id_="n1", metadata={"file_path": "a.md"})
        return [NodeWithScore(node=found, score=0.7)]


async def test_a_backend_is_a_retriever() -> None:
    """Aretrieve asks the backend with the retriever's engines and language."""
    backend = Asked("one", node("text", "T", "https://a.example"))
    retriever = BackendRetriever(backend, engines=("arxiv",), language="de")
    (found,) = await retriever.aretrieve("q")
    assert found.node.get_content() == "text"
    assert found.node.metadata == {"title": "T", "url": "https://a.example"}
    assert backend.asked == [("q", ("arxiv",), "de")]


def test_a_retriever_works_without_a_loop() -> None:
    """Retrieve gives the same for callers that do not use asyncio."""
    assert len(BackendRetriever(Asked("one", node())).retrieve("q")) == 1


async def test_any_retriever_is_a_backend() -> None:
    """A node of another retriever gets a title and an address from its metadata."""
    (found,) = await retrieve(RetrieverBackend("theirs", Fixed()), "q", engines=(), language="en")
    assert (found.text, found.title, found.url, found.score) == ("theirs", "a.md", "a.md", 0.7)


async def test_errors_that_were_named_are_search_unavailable() -> None:
    """A retriever's own errors are translated without their words."""
    backend = RetrieverBackend("theirs", Fixed(), (ConnectionError,))
    with pytest.raises(SearchUnavailable) as caught:
        await backend.search("fail", engines=(), language="en")
    assert "their words" not in str(caught.value)
