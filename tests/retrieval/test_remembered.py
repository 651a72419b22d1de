"""Vectors are remembered by model and text."""

import asyncio
from collections.abc import Hashable, Sequence

import numpy as np
import pytest

from protocol.errors import ModelUnavailable
from retrieval.cache import Bounds, Cache
from retrieval.postprocessor import Vectors
from retrieval.remembered import RememberedVectors, weight
from tests.clock import virtual

WIDE = Bounds(entries=100, size_bytes=1_000_000, keep_s=60)


class Embedder:
    """Vectors of length and first letter; nothing for texts without words, an error for one."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, ...]] = []

    async def __call__(self, texts: Sequence[str]) -> Vectors:
        """Shape (n, 2), or (n, 0) where no text has words."""
        self.asked.append(tuple(texts))
        await asyncio.sleep(1)
        if "broken" in texts:
            raise ModelUnavailable("stand-in", "it is down")
        if not any(text.strip() for text in texts):
            return np.zeros((len(texts), 0), dtype=np.float32)
        rows = [[len(text.strip()), ord(text[0]) if text.strip() else 0] for text in texts]
        return np.array(rows, dtype=np.float32)


def cache() -> Cache[Vectors]:
    return Cache(WIDE, clock=lambda: 1.0, weigh=weight)


@virtual
async def test_only_new_texts_are_embedded() -> None:
    """In one call; the order is that of the texts, also where one comes twice."""
    embed = Embedder()
    remembered = RememberedVectors(embed, cache(), "model")
    first = await remembered(["a", "bb", "a"])
    second = await remembered(["ccc", "bb", "a", "ccc"])
    assert first.tolist() == [[1, 97], [2, 98], [1, 97]]
    assert second.tolist() == [[3, 99], [2, 98], [1, 97], [3, 99]]
    assert second.dtype == np.float32
    assert embed.asked == [("a", "bb"), ("ccc",)]


@virtual
async def test_all_remembered_asks_nobody() -> None:
    """The matrix is a new one each time: to change it changes nothing that is remembered."""
    embed = Embedder()
    remembered = RememberedVectors(embed, cache(), "model")
    for _ in range(3):
        rows = await remembered(["a", "bb"])
        assert rows.tolist() == [[1, 97], [2, 98]]
        rows[:] = 0
    assert len(embed.asked) == 1


@virtual
async def test_models_do_not_share_vectors() -> None:
    """Nor does a service of somebody's own with the same names."""
    embed, kept = Embedder(), cache()
    models: list[Hashable] = ["one", "two", ("one", "key")]
    for model in models:
        await RememberedVectors(embed, kept, model)(["a"])
    assert len(embed.asked) == 3


@virtual
async def test_askers_at_once_share_a_call() -> None:
    """Where they ask for the same."""
    embed = Embedder()
    remembered = RememberedVectors(embed, cache(), "model")
    rows = await asyncio.gather(*(remembered(["a", "bb"]) for _ in range(4)))
    assert {row.tobytes() for row in rows} == {rows[0].tobytes()}
    assert len(embed.asked) == 1


@virtual
async def test_failures_and_zeros_are_not_kept() -> None:
    """They are tried again."""
    embed = Embedder()
    remembered = RememberedVectors(embed, cache(), "model")
    for _ in range(2):
        with pytest.raises(ModelUnavailable):
            await remembered(["broken"])
        assert (await remembered([" ", "a"])).tolist() == [[0, 0], [1, 97]]
    assert embed.asked == [("broken",), (" ", "a"), ("broken",), (" ",)]


@virtual
async def test_odd_texts_have_vectors() -> None:
    """None at all, no words at all, half a character."""
    remembered = RememberedVectors(Embedder(), cache(), "model")
    assert (await remembered([])).shape == (0, 0)
    assert (await remembered(["", " "])).shape == (2, 0)
    assert (await remembered(["\ud800", "a"])).shape == (2, 2)
    assert (await remembered(["", "a"])).tolist() == [[0, 0], [1, 97]]
