"""A call that may succeed in a moment is made once more, while there is time for it."""

import asyncio
from collections.abc import AsyncGenerator, Callable

import pytest

from protocol.errors import SearchUnavailable
from tests.clock import virtual
from upstreams.retry import LEAST_PAUSE_S, SPREAD_S, Retry, after_status
from upstreams.tally import Tally

WITHIN_S = 4.0
PASSES = SearchUnavailable("searxng", "status 500", again_after_s=0)
LASTS = SearchUnavailable("searxng", "status 404")


def failure(after_s: float) -> SearchUnavailable:
    """One whose service says when to come again."""
    return SearchUnavailable("searxng", "status 503", again_after_s=after_s)


class Service:
    """Fails as it is told, one after the other, then answers with how often it was asked."""

    def __init__(self, *failures: Exception, takes_s: float = 0) -> None:
        self.asked = 0
        self._failures = list(failures)
        self._takes_s = takes_s

    async def ask(self) -> int:
        """The number of the call."""
        self.asked += 1
        await asyncio.sleep(self._takes_s)
        if self._failures:
            raise self._failures.pop(0)
        return self.asked

    async def pieces(self, before: int = 0) -> AsyncGenerator[int, None]:
        """Some pieces ahead of what ``ask`` gives."""
        for place in range(before):
            yield -place
        yield await self.ask()


def retry(most: int = 1, random: Callable[[], float] = float) -> Retry:
    """On the clock of the loop that runs."""
    return Retry(most, Tally(), random=random, clock=asyncio.get_running_loop().time)


@virtual
async def test_call_that_may_succeed_is_made_once_more() -> None:
    """The caller has its answer, and it is counted for whom."""
    again = retry()
    assert await again("searxng", Service(PASSES).ask, within_s=WITHIN_S) == 2
    assert again.tally.told()["retried"] == {"searxng": 1}


@virtual
async def test_ends_of_calls_are_counted() -> None:
    """Each try counts for itself: by its status, as well, or as without a reply."""
    refusal, odd = failure(0), failure(0)
    refusal.code, odd.code = 503, 799
    again = retry(most=3)
    await again("searxng", Service(refusal, odd, PASSES).ask, within_s=WITHIN_S)
    ended = {"503": 1, "7xx": 1, "none": 1, "2xx": 1}
    assert again.tally.calls == {("searxng", how): count for how, count in ended.items()}


@virtual
async def test_call_that_nobody_waits_for_has_no_status() -> None:
    """Whose time is up, or who has found something elsewhere, has left."""
    again = retry()
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(1):
            await again("searxng", Service(takes_s=2).ask, within_s=WITHIN_S)
    assert again.tally.calls == {("searxng", "left"): 1}


@virtual
async def test_second_failure_is_final() -> None:
    """Two calls are all."""
    service = Service(PASSES, failure(0), PASSES)
    with pytest.raises(SearchUnavailable, match="503"):
        await retry()("searxng", service.ask, within_s=WITHIN_S)
    assert service.asked == 2


@pytest.mark.parametrize("error", [LASTS, failure(3), failure(10)])
@pytest.mark.parametrize("takes_s", [0, 2.5])
def test_call_is_not_made_again_in_vain(error: SearchUnavailable, takes_s: float) -> None:
    """What will not pass, or not within the time that is left."""

    @virtual
    async def test() -> None:
        service = Service(error, takes_s=takes_s)
        with pytest.raises(SearchUnavailable):
            await retry()("searxng", service.ask, within_s=WITHIN_S)
        assert service.asked == 1

    test()


@virtual
async def test_call_that_took_long_to_fail_is_not_made_again() -> None:
    """Half of the time must be left for the second one."""
    service = Service(PASSES, takes_s=2)
    with pytest.raises(SearchUnavailable):
        await retry()("searxng", service.ask, within_s=WITHIN_S)
    assert service.asked == 1


@virtual
async def test_service_that_says_when_is_not_asked_sooner() -> None:
    """Its word is kept where there is time for it."""
    began = asyncio.get_running_loop().time()
    assert await retry()("searxng", Service(failure(1)).ask, within_s=WITHIN_S) == 2
    assert asyncio.get_running_loop().time() - began == pytest.approx(1 + LEAST_PAUSE_S)


@virtual
async def test_pause_differs_from_caller_to_caller() -> None:
    """So that they do not come back together."""
    began = asyncio.get_running_loop().time()
    await retry(random=lambda: 0.5)("searxng", Service(PASSES).ask, within_s=WITHIN_S)
    took_s = asyncio.get_running_loop().time() - began
    assert took_s == pytest.approx(LEAST_PAUSE_S + SPREAD_S / 2)


@virtual
async def test_it_can_be_turned_off() -> None:
    """Then the first failure is the last."""
    with pytest.raises(SearchUnavailable):
        await retry(0)("searxng", Service(PASSES).ask, within_s=WITHIN_S)


@virtual
async def test_stream_is_made_anew_before_its_first_piece() -> None:
    """Nobody has seen anything of the first one."""
    made = retry().pieces("openai chat", Service(PASSES).pieces, within_s=WITHIN_S)
    assert [piece async for piece in made] == [2]


@virtual
async def test_stream_that_has_begun_is_not_made_anew() -> None:
    """Its reader would have the beginning twice."""
    service = Service(PASSES)
    made = retry().pieces("openai chat", lambda: service.pieces(2), within_s=WITHIN_S)
    assert [await anext(made), await anext(made)] == [0, -1]
    with pytest.raises(SearchUnavailable):
        await anext(made)
    assert service.asked == 1


@virtual
async def test_stream_without_a_piece_ends_as_it_is() -> None:
    """An empty answer is an answer."""

    async def nothing() -> AsyncGenerator[int, None]:
        for piece in list[int]():
            yield piece

    assert [piece async for piece in retry().pieces("x", nothing, within_s=WITHIN_S)] == []


@pytest.mark.parametrize(
    ("status", "header", "after_s"),
    [
        (500, "", 0),
        (503, "2", 2),
        (429, " 30 ", 30),
        (429, "Wed, 21 Oct 2015 07:28:00 GMT", None),
        (429, "soon", None),
        (429, "²", None),
        (429, "-1", None),
        (401, "", None),
        (404, "1", None),
        (302, "", None),
    ],
)
def test_only_busy_and_broken_services_may_be_well_soon(
    status: int, header: str, after_s: float | None
) -> None:
    """At once, or when they say; a refusal of the request will be the same again."""
    assert after_status(status, header) == after_s
