"""The lag of the event loop is what holds it up."""

import asyncio

import pytest

from metrics.lag import EVERY_S, LoopLag
from tests.clock import VirtualLoop, virtual


@virtual
async def test_loop_that_is_free_has_no_lag() -> None:
    """It is asked twice a second."""
    lags: list[float] = []
    lag = LoopLag(lags.append)
    lag.start()
    await asyncio.sleep(2.1)
    lag.stop()
    assert lags == [0, 0, 0, 0]


@virtual
async def test_whatever_holds_up_the_loop_is_told() -> None:
    """In seconds, once."""
    lags: list[float] = []
    lag = LoopLag(lags.append)
    lag.start()
    loop = asyncio.get_running_loop()
    assert isinstance(loop, VirtualLoop)
    loop._jump.now += EVERY_S + 0.3  # as if somebody had slept
    await asyncio.sleep(0.6)
    lag.stop()
    assert lags == [pytest.approx(0.3), pytest.approx(0)]


@virtual
async def test_end_is_the_end() -> None:
    """No timer is left; ending twice does nothing."""
    lags: list[float] = []
    lag = LoopLag(lags.append)
    lag.stop()
    lag.start()
    lag.stop()
    lag.stop()
    await asyncio.sleep(5)
    assert lags == []
