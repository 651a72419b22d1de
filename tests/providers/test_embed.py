"""Vectors from services and from the built-in model."""

import json

import numpy as np
import pytest

from protocol.errors import ModelUnavailable
from protocol.settings import Settings
from protocol.values import ModelChoice
from providers.remote import EMBED_BATCH, EMBED_CHARS
from tests.providers.places import providers_for, serving
from tests.providers.tiny_server import Reply, Seen, Wire, answers

SMALL = ModelChoice("openai", "text-embedding-3-small")
OLLAMA = ModelChoice("ollama", "nomic")
LOCAL = ModelChoice("local", "wordllama-l2-supercat-256")


async def lengths(request: Seen, wire: Wire) -> None:
    """Each text's vector is its length and a one, sent in the wrong order."""
    texts = request.json()["input"]
    data = [{"index": i, "embedding": [float(len(text)), 1]} for i, text in enumerate(texts)]
    await answers({"data": data[::-1]})(request, wire)


async def test_vectors_come_in_the_order_of_the_texts_by_one_call() -> None:
    """All texts of a ranking go in one request; the answer's own numbers give the order."""
    async with serving(lengths, openai=True, base="/v1") as (server, providers):
        vectors = await providers.embed(SMALL, ["a", "bbb", "cc"])
        assert vectors.tolist() == [[1, 1], [3, 1], [2, 1]]
        assert vectors.dtype == np.float32
        (request,) = server.seen
        assert request.path == "/v1/embeddings"
        assert request.json() == {"model": SMALL.model, "input": ["a", "bbb", "cc"]}


async def test_ollama_embeds_all_texts_in_one_call() -> None:
    """Ollama is sent the whole list, too."""
    async with serving(answers({"embeddings": [[1, 0], [0, 1]]}), ollama=True) as (
        server,
        providers,
    ):
        assert (await providers.embed(OLLAMA, ("a", "b"))).tolist() == [[1, 0], [0, 1]]
        (request,) = server.seen
        assert (request.path, request.json()["input"]) == ("/api/embed", ["a", "b"])


async def test_texts_without_words_are_zeros_and_not_sent() -> None:
    """Services refuse empty texts; they have no direction anyway."""
    async with serving(lengths, openai=True) as (server, providers):
        vectors = await providers.embed(SMALL, ["", "bbb", " \n"])
        assert vectors.tolist() == [[0, 0], [3, 1], [0, 0]]
        assert (await providers.embed(SMALL, [" "])).shape == (1, 0)
        assert (await providers.embed(SMALL, [])).shape == (0, 0)
        assert len(server.seen) == 1


async def test_many_texts_go_in_batches_and_long_ones_are_cut() -> None:
    """A request stays within what services take."""
    async with serving(lengths, openai=True) as (server, providers):
        texts = ["x" * (EMBED_CHARS + 5)] + ["y"] * EMBED_BATCH
        vectors = await providers.embed(SMALL, texts)
        assert vectors[:, 0].tolist() == [EMBED_CHARS] + [1] * EMBED_BATCH
        assert [len(request.json()["input"]) for request in server.seen] == [EMBED_BATCH, 1]


async def not_a_number(_request: Seen, wire: Wire) -> None:
    """A number that is too large for a float of 32 bits."""
    await wire.head()
    await wire.send(json.dumps({"embeddings": [[1e300, 1], [2, 2]]}).encode())
    await wire.end()


async def test_value_that_is_no_number_makes_its_vector_zeros() -> None:
    """An overflow does not spoil the order of the others."""
    async with serving(not_a_number, ollama=True) as (_server, providers):
        assert (await providers.embed(OLLAMA, ["a", "b"])).tolist() == [[0, 0], [2, 2]]


@pytest.mark.parametrize(
    "reply",
    [
        answers({}, 500),
        answers({"embeddings": [[1, 2]]}),
        answers({"embeddings": [[1, 2], [1]]}),
        answers({"embeddings": [[1, 2], [None, 1]]}),
        answers({"embeddings": "x"}),
        answers([]),
    ],
)
async def test_reply_that_is_no_set_of_vectors_is_a_failure(reply: Reply) -> None:
    """Refusals, missing vectors, ragged ones and garbage are ModelUnavailable."""
    async with serving(reply, ollama=True) as (_server, providers):
        with pytest.raises(ModelUnavailable):
            await providers.embed(OLLAMA, ["a", "b"])


async def test_built_in_model_finds_what_is_close() -> None:
    """The model that ships with the program tells a near text from a far one."""
    async with providers_for(Settings()) as providers:
        vectors = await providers.embed(
            LOCAL, ["How do I bake bread?", "An oven for baking loaves", "Tax law of 1974", ""]
        )
        assert vectors.shape == (4, 256)
        assert vectors.dtype == np.float32
        question, near, far, nothing = vectors
        norm = np.linalg.norm
        assert question @ near / norm(near) > question @ far / norm(far)
        assert not nothing.any()


async def test_built_in_model_takes_any_text() -> None:
    """Odd and endless texts have a finite vector, in a moment."""
    texts = ["\x00", "\ud800", "😀" * 5, " ", "word " * 400_000, "a" * 1_000_000, "١٢٣", "\u202e"]
    async with providers_for(Settings()) as providers:
        vectors = await providers.embed(ModelChoice(), texts)
        assert vectors.shape == (len(texts), 256)
        assert np.isfinite(vectors).all()
        assert vectors[4].any()


async def test_provider_without_embedding_models() -> None:
    """The writer of extracts embeds nothing."""
    async with providers_for(Settings()) as providers:
        with pytest.raises(ModelUnavailable):
            await providers.embed(ModelChoice("built_in", "extractive"), ["a"])
