"""A deadline that moves with each thing that comes, in virtual time."""

import asyncio
from contextlib import suppress

import pytest

from actors.patience import Patience
from tests.clock import virtual
from upstreams.diary import NO_FIRST_WORD, SILENT, Diary, enter, span


async def lasted(*pauses_s: float, first_s: float = 30, gap_s: float = 20) -> float:
    """After how many seconds nobody waited any more for what came after such pauses."""
    loop = asyncio.get_running_loop()
    began = loop.time()
    try:
        async with Patience(first_s, gap_s) as patience:
            for pause_s in pauses_s:
                await asyncio.sleep(pause_s)
                patience.renew()
            await asyncio.Event().wait()
    except TimeoutError:
        return loop.time() - began
    raise AssertionError("it was waited for without end")


@virtual
async def test_first_has_its_own_time() -> None:
    """Where nothing comes, that is known when the time for the first is over."""
    assert await lasted() == pytest.approx(30)
    assert await lasted(first_s=5) == pytest.approx(5)


@virtual
async def test_each_has_its_time_from_the_one_before() -> None:
    """The time runs from the latest, to the moment, however many there were and how fast."""
    assert await lasted(29) == pytest.approx(49)
    assert await lasted(19, 19, 19) == pytest.approx(77)
    assert await lasted(*[0.02] * 1_000) == pytest.approx(40)


@virtual
async def test_time_left_for_the_first_is_not_the_seconds() -> None:
    """The second is not waited for longer, because the first might have been."""
    assert await lasted(1) == pytest.approx(21)
    assert await lasted(1, first_s=120) == pytest.approx(21)


async def failure(*pauses_s: float) -> object:
    """What the span says whose block waits in vain after such pauses."""
    kept = Diary(asyncio.get_running_loop().time)
    enter(kept)
    with suppress(TimeoutError):
        async with Patience(30, 20) as patience:
            with span("model"):
                for pause_s in pauses_s:
                    await asyncio.sleep(pause_s)
                    patience.renew()
                await asyncio.Event().wait()
    enter(None)
    return kept.story()[0].facts["failed"]


@virtual
async def test_span_that_is_cut_off_names_the_limit() -> None:
    """Its reader knows which one; `cancelled` is left for what nobody wants any more."""
    assert await failure() == NO_FIRST_WORD
    assert await failure(1, 1) == SILENT


@virtual
async def test_who_is_cancelled_by_others_as_well_stays_cancelled() -> None:
    """Though the time is over in the same moment."""
    waiting = asyncio.ensure_future(lasted(first_s=5))
    asyncio.get_running_loop().call_later(5, waiting.cancel)
    with pytest.raises(asyncio.CancelledError):
        await waiting


@virtual
async def test_block_that_ends_in_time_leaves_nothing_to_ring() -> None:
    """Nobody is interrupted after the block, nor is its own error lost in it."""
    async with Patience(30, 20) as patience:
        patience.renew()
    with pytest.raises(LookupError):
        async with Patience(30, 20):
            raise LookupError
    await asyncio.sleep(100)
