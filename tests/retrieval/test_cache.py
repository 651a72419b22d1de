"""A cache remembers within its bounds, and asks once for all who ask at once."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retrieval.cache import Bounds, Cache, CacheCounts
from tests.clock import virtual

WIDE = Bounds(entries=10, size_bytes=1000, keep_s=60)


class Time:
    """A clock that the test turns."""

    def __init__(self) -> None:
        self.now = 5.0

    def __call__(self) -> float:
        """The time."""
        return self.now


class Maker:
    """Makes values, and counts how often."""

    def __init__(self, value: str = "value", error: Exception | None = None) -> None:
        self.made = 0
        self.cancelled = 0
        self._value = value
        self._error = error

    async def __call__(self) -> str:
        """The value after a second, or the error."""
        self.made += 1
        try:
            await asyncio.sleep(1)
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        if self._error:
            raise self._error
        return self._value


def cache(bounds: Bounds = WIDE, clock: Callable[[], float] | None = None) -> Cache[str]:
    return Cache(bounds, clock=clock or Time(), weigh=len)


async def settled(awaitable: Awaitable[Any]) -> Any:
    return (await asyncio.gather(awaitable, return_exceptions=True))[0]


@virtual
async def test_what_was_made_is_taken_again() -> None:
    """Once made, and counted."""
    kept, make = cache(), Maker()
    assert [await kept.get("a", make), await kept.get("a", make)] == ["value", "value"]
    assert make.made == 1
    assert kept.counts == CacheCounts(hits=1, misses=1)


@virtual
async def test_what_is_stale_is_made_anew() -> None:
    """Exactly when its time is over."""
    clock, make = Time(), Maker()
    kept = cache(clock=clock)
    await kept.get("a", make)
    clock.now += 59.9
    await kept.get("a", make)
    assert make.made == 1
    clock.now += 0.1
    await kept.get("a", make)
    assert make.made == 2


@virtual
async def test_askers_at_once_share_a_call() -> None:
    """One call, whatever comes of it; other keys have their own."""
    kept, make, other = cache(), Maker(), Maker("other")
    asking = [kept.get("a", make) for _ in range(5)]
    assert await asyncio.gather(*asking, kept.get("b", other)) == ["value"] * 5 + ["other"]
    assert (make.made, other.made, kept.counts.shared) == (1, 1, 4)


@virtual
async def test_a_failure_is_told_to_all_and_not_kept() -> None:
    """The next asker tries again."""
    kept, make = cache(), Maker(error=KeyError("broken"))
    told = await asyncio.gather(*(settled(kept.get("a", make)) for _ in range(3)))
    assert [type(error) for error in told] == [KeyError] * 3
    assert make.made == 1
    assert await kept.get("a", Maker("whole")) == "whole"


@virtual
async def test_a_call_goes_on_as_long_as_somebody_waits() -> None:
    """The first asker may leave; when the last one leaves, the call is cancelled."""
    kept, make = cache(), Maker()
    first, second = (asyncio.ensure_future(kept.get("a", make)) for _ in range(2))
    await asyncio.sleep(0.5)
    first.cancel()
    assert await second == "value"
    assert (make.made, make.cancelled) == (1, 0)
    alone = asyncio.ensure_future(kept.get("b", make))
    await asyncio.sleep(0.5)
    alone.cancel()
    await settled(alone)
    await asyncio.sleep(0)
    assert (make.made, make.cancelled) == (2, 1)


@virtual
async def test_who_comes_after_the_last_has_left_begins_anew() -> None:
    """A call that is being cancelled is not joined."""
    kept, make = cache(), Maker()
    left = asyncio.ensure_future(kept.get("a", make))
    await asyncio.sleep(0.5)
    left.cancel()
    await settled(left)
    assert await kept.get("a", make) == "value"
    assert (make.made, make.cancelled) == (2, 1)


@virtual
async def test_oldest_unasked_goes_first() -> None:
    """What was asked for lately stays."""
    kept = cache(Bounds(entries=2, size_bytes=1000, keep_s=60))
    for key in ("a", "b", "a", "c"):
        await kept.get(key, Maker())
    assert [kept.find(key) is not None for key in "abc"] == [True, False, True]


@pytest.mark.parametrize(
    ("bounds", "stays"),
    [
        (Bounds(entries=10, size_bytes=5, keep_s=60), True),
        (Bounds(entries=10, size_bytes=4, keep_s=60), False),
        (Bounds(entries=10, size_bytes=5, keep_s=0), False),
        (Bounds(entries=0, size_bytes=5, keep_s=60), False),
    ],
)
def test_what_has_no_room_is_given_and_not_kept(bounds: Bounds, stays: bool) -> None:
    """A cache without room or time still shares calls."""

    @virtual
    async def test() -> None:
        kept = cache(bounds)
        assert await kept.get("a", Maker()) == "value"
        assert (kept.find("a") is not None) == stays

    test()


Step = tuple[str, int, float]


@given(
    st.lists(st.tuples(st.sampled_from("abcdef"), st.integers(0, 12), st.floats(0, 30))),
    st.integers(1, 4),
    st.integers(1, 20),
)
def test_bounds_hold_whatever_comes(steps: list[Step], entries: int, size_bytes: int) -> None:
    """Never more entries or bytes than allowed, and nothing stale is given."""
    clock = Time()
    kept = cache(Bounds(entries, size_bytes, keep_s=60), clock)
    model: dict[str, tuple[str, float]] = {}
    for key, size, later in steps:
        clock.now += later
        found = kept.find(key)
        if found is not None:
            assert model[key] == (found.value, found.until)
            assert found.until > clock.now
        kept.keep(key, "x" * size)
        model[key] = ("x" * size, clock.now + 60)
        held = [kept._kept[key].size for key in kept._kept]
        assert len(held) <= entries
        assert sum(held) == kept._size <= size_bytes
