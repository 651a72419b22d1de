"""Places for work that may hang."""

import asyncio
import gc
from collections.abc import Callable
from typing import TypeVar
from weakref import ref

import pytest

from upstreams.places import Places

T = TypeVar("T")


class Thread:
    """An ``Offload`` whose work ends when the test says so."""

    def __init__(self) -> None:
        self.started = 0
        self.release = asyncio.Event()

    async def __call__(self, work: Callable[[], T], /) -> T:
        """Start, wait, work."""
        self.started += 1
        await self.release.wait()
        return work()


async def test_work_that_nobody_waits_for_keeps_its_place() -> None:
    """A thread cannot be stopped, so the next one waits for it."""
    thread = Thread()
    places = Places(thread, 1)
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(places(lambda: 1), 0.01)
    waiting = asyncio.ensure_future(places(lambda: 2))
    await asyncio.sleep(0)
    assert thread.started == 1
    thread.release.set()
    assert await waiting == 2


async def test_what_work_raises_frees_its_place() -> None:
    """Its asker is told, the next finds room."""
    thread = Thread()
    thread.release.set()
    places = Places(thread, 1)
    with pytest.raises(ZeroDivisionError):
        await places(lambda: 1 // 0)
    assert await places(lambda: 3) == 3


class WeaklyKnown(Exception):
    """One that says when it is gone."""


def fail() -> None:
    """Work that goes wrong."""
    raise WeaklyKnown


async def test_what_work_raises_does_not_wait_for_the_collector() -> None:
    """It is gone with whoever was told."""
    thread = Thread()
    thread.release.set()
    gc.disable()
    try:
        try:
            await Places(thread, 1)(fail)
        except WeaklyKnown as error:
            left = ref(error)
        await asyncio.sleep(0)
        assert left() is None
    finally:
        gc.enable()
