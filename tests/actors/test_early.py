"""The question itself is searched while it is rephrased, where the settings want that."""

import asyncio

import pytest

from actors.early import EarlySearches
from protocol.messages import SearchFinished
from protocol.values import Node
from tests.clock import virtual
from upstreams.tally import Tally

RAW = "How tall is the lighthouse?"
TAKES_S = 1.0


class Searches:
    """Searches that take a second, and who began them."""

    def __init__(self, *, is_on: bool = True) -> None:
        self.asked: list[str] = []
        self.left: list[str] = []
        self._tally = Tally()
        self.early = EarlySearches(self._tally, is_on=is_on)

    async def search(self, query: str) -> SearchFinished:
        """One page, which says what was asked."""
        self.asked.append(query)
        try:
            await asyncio.sleep(TAKES_S)
        except asyncio.CancelledError:
            self.left.append(query)
            raise
        return SearchFinished((Node(query, query, f"https://a.example/{query}"),), "searxng")

    async def texts(self, rephrased: str, after_s: float = 2) -> list[str]:
        """What is found when the question is rephrased so."""
        async with self.early.begun(RAW, self.search) as search:
            await asyncio.sleep(after_s)
            return [node.text for node in (await search(rephrased)).nodes]

    @property
    def counts(self) -> dict[str, int]:
        """How many were begun and used."""
        return dict(self._tally.told()["early"])


@virtual
async def test_same_query_is_searched_once() -> None:
    """Its results are there sooner."""
    searches = Searches()
    began = asyncio.get_running_loop().time()
    assert await searches.texts("how tall is the lighthouse", after_s=0.5) == [RAW]
    assert asyncio.get_running_loop().time() - began == pytest.approx(TAKES_S)
    assert searches.asked == [RAW]
    assert searches.counts == {"started": 1, "used": 1}


@virtual
async def test_what_fits_another_query_is_added() -> None:
    """The rest is dropped."""
    searches = Searches()
    assert await searches.texts("tall lighthouse") == ["tall lighthouse", RAW]
    assert await searches.texts("harbour depth") == ["harbour depth"]
    assert searches.counts == {"started": 2, "used": 1}


@virtual
async def test_search_that_is_not_needed_is_left() -> None:
    """Nobody waits for it: the question was answered otherwise, or its asker has gone."""
    searches = Searches()
    async with searches.early.begun(RAW, searches.search):
        await asyncio.sleep(0.5)
    assert searches.left == [RAW]
    turn = asyncio.create_task(searches.texts("x", after_s=0.5))
    await asyncio.sleep(0.7)
    turn.cancel()
    await asyncio.wait({turn})
    assert searches.left == [RAW, "x", RAW]


@pytest.mark.parametrize(("is_on", "raw"), [(False, RAW), (True, "")])
def test_nothing_is_begun_unasked(raw: str, *, is_on: bool) -> None:
    """It is off, or there is nothing to search for."""

    @virtual
    async def test() -> None:
        searches = Searches(is_on=is_on)
        async with searches.early.begun(raw, searches.search) as search:
            await asyncio.sleep(1)
            assert searches.asked == []
            await search("rephrased")
        assert (searches.asked, searches.counts) == (["rephrased"], {})

    test()
