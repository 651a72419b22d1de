"""Ranking as a LlamaIndex postprocessor."""

import asyncio
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from llama_index.core.schema import NodeWithScore

from protocol.errors import ModelUnavailable
from protocol.values import Node
from retrieval.conversion import from_llama, to_llama
from retrieval.postprocessor import HybridRank
from tests.retrieval.fakes import letters, run_at_once


def found(*texts: str, score: float | None = None) -> list[NodeWithScore]:
    nodes = [Node(t, t, f"https://a.example/{t}", score=score) for t in texts]
    return [to_llama(node, place) for place, node in enumerate(nodes)]


def texts_of(nodes: list[NodeWithScore]) -> list[str]:
    return [from_llama(node).text for node in nodes]


async def no_model(texts: Sequence[str]) -> npt.NDArray[np.float64]:
    raise ModelUnavailable("test", "down")


async def test_nodes_are_ordered_and_scored() -> None:
    """The closest leads, with its score."""
    rank = HybridRank(embed=letters, offload=run_at_once)
    kept = await rank.apostprocess_nodes(found("zebra", "apple tart"), query_str="apple")
    assert texts_of(kept) == ["apple tart", "zebra"]
    assert kept[0].score == 1


def test_it_works_without_a_loop() -> None:
    """The sync way gives the same."""
    rank = HybridRank(embed=letters, offload=run_at_once, keep=1)
    assert texts_of(rank.postprocess_nodes(found("b", "a"), query_str="a")) == ["a"]


async def test_a_failing_model_leaves_the_order_to_words() -> None:
    """Ranking degrades instead of failing, and without vectors there is no floor."""
    rank = HybridRank(embed=no_model, offload=run_at_once, floor=0.3)
    kept = await rank.apostprocess_nodes(found("zebra", "apple tart"), query_str="apple")
    assert texts_of(kept) == ["apple tart", "zebra"]


async def test_a_silent_model_leaves_the_order_to_words() -> None:
    """Vectors are waited for no longer than is said, and their call is given up then."""
    given_up = asyncio.Event()

    async def silent(_texts: Sequence[str]) -> npt.NDArray[np.float64]:
        try:
            await asyncio.Event().wait()
            return np.zeros((0, 0))
        finally:
            given_up.set()

    rank = HybridRank(embed=silent, offload=run_at_once, floor=0.3, within_s=0.01)
    kept = await rank.apostprocess_nodes(found("zebra", "apple tart"), query_str="apple")
    assert texts_of(kept) == ["apple tart", "zebra"]
    assert given_up.is_set()


async def test_nodes_that_were_weighed_already_pass_the_floor() -> None:
    """The floor is for web results; the library's passages have scores of their own."""
    rank = HybridRank(embed=letters, offload=run_at_once, floor=0.99)
    kept = await rank.apostprocess_nodes(found("zebra", score=3.2), query_str="apple")
    assert texts_of(kept) == ["zebra"]
    assert await rank.apostprocess_nodes(found("zebra"), query_str="apple") == []


async def test_nothing_stays_nothing() -> None:
    """No nodes are not embedded."""
    rank = HybridRank(embed=no_model, offload=run_at_once)
    assert await rank.apostprocess_nodes([], query_str="x") == []
