"""Token buckets and crowds, on a clock that a test sets."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from access.buckets import Buckets, Crowd
from protocol.errors import Busy, TooLarge
from protocol.refusals import RateLimited

ANN, BOB = ("address 10.0.0.1", "name ann"), ("address 10.0.0.1", "name bob")


class Clock:
    """Seconds that only go forward."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        """What it shows."""
        return self.now


def made(most: int, most_keys: int = 100) -> tuple[Buckets, Clock]:
    """Buckets that fill in a minute, and their clock."""
    clock = Clock()
    return Buckets("questions", most, period_s=60, now=clock, most_keys=most_keys), clock


def wait_s(act: Callable[[], object]) -> float:
    """How long one is told to wait; 0 where it is done."""
    try:
        act()
    except RateLimited as refused:
        return refused.again_after_s or 0.0
    return 0.0


def test_bucket_gives_what_it_holds_and_then_says_when_there_is_more() -> None:
    """A minute's worth at once, then one whenever a minute's part has passed."""
    buckets, clock = made(6)
    assert [wait_s(lambda: buckets.take(ANN)) for _ in range(7)] == [0] * 6 + [10]
    clock.now += 9
    assert wait_s(lambda: buckets.take(ANN)) == pytest.approx(1)
    clock.now += 1
    assert [wait_s(lambda: buckets.take(ANN)) for _ in range(2)] == [0, pytest.approx(10)]


@given(st.lists(st.floats(0, 30), max_size=60), st.integers(1, 20))
def test_no_minute_gives_more_than_a_bucket_and_its_refill(pauses: list[float], most: int) -> None:
    """And the time that is told is true: then, and not before, it is done."""
    buckets, clock = made(most)
    taken: list[float] = []
    for pause_s in pauses:
        clock.now += pause_s
        wait = wait_s(lambda: buckets.take(ANN))
        if wait:
            clock.now += wait / 2
            assert wait_s(lambda: buckets.take(ANN))
            clock.now += wait / 2
            assert not wait_s(lambda: buckets.take(ANN))
        taken.append(clock.now)
    for at in taken:
        assert sum(at <= other < at + 60 for other in taken) <= 2 * most


def test_who_is_refused_by_one_bucket_loses_nothing_of_the_other() -> None:
    """Ann has used up what her address may: Bob waits with her, and keeps his own."""
    buckets, clock = made(2)
    buckets.take(ANN, 2)
    assert wait_s(lambda: buckets.take(BOB)) == pytest.approx(30)
    assert not wait_s(lambda: buckets.take(("name bob",), 2))
    clock.now += 60
    assert not wait_s(lambda: buckets.take(ANN, 2))


def test_what_no_bucket_ever_holds_is_too_large() -> None:
    """Waiting would not help."""
    buckets, _ = made(5)
    with pytest.raises(TooLarge):
        buckets.take(ANN, 6)


@pytest.mark.parametrize(("most", "keys"), [(0, ANN), (1, ())])
def test_no_limit_and_nobody_are_never_refused(most: int, keys: tuple[str, ...]) -> None:
    """Nor are they kept."""
    buckets, crowd = made(most)[0], Crowd("sockets", most)
    for _ in range(100):
        buckets.take(keys)
        crowd.enter(keys)
    assert (len(buckets), len(crowd)) == (0, 0)


def test_table_forgets_full_buckets_and_is_bounded() -> None:
    """First those that were not used for longest."""
    buckets, clock = made(2, most_keys=10)
    for n in range(50):
        buckets.take((f"name {n}",))
        assert len(buckets) <= 10
    assert wait_s(lambda: buckets.take(("name 49",), 2))
    clock.now += 60
    for n in range(10):
        buckets.take((f"name {n}",))
        clock.now += 30
    assert len(buckets) == 1


def test_key_that_is_used_is_not_forgotten_for_one_that_is_not() -> None:
    """What counts is the last time, not the first."""
    buckets, _ = made(2, most_keys=2)
    for key in ("a", "b", "a", "c"):
        buckets.take((key,))
    assert wait_s(lambda: buckets.take(("a",)))
    assert not wait_s(lambda: buckets.take(("b",), 2))


def test_crowd_counts_those_that_are_at_it() -> None:
    """For each key; nothing is kept of who has left."""
    crowd = Crowd("sockets", 2)
    leaves = [crowd.enter(ANN), crowd.enter(BOB)]
    with pytest.raises(Busy) as refused:
        crowd.enter(ANN, again_after_s=3)
    assert refused.value.again_after_s == 3
    assert crowd.enter(("name ann",)) is not None
    leaves.pop()()
    crowd.enter(BOB)()
    leaves.pop()()
    assert len(crowd) == 1


def test_many_networks_of_one_customer_are_bounded_together() -> None:
    """A /48 may do four times what each of its /64s may: it can be several customers."""
    buckets, crowd = made(2)[0], Crowd("sockets", 2)
    places = [(f"address 2001:db8:1:{n}::/64", "address 2001:db8:1::/48") for n in range(9)]
    for keys in places[:8]:
        assert wait_s(lambda keys=keys: buckets.take(keys)) == 0  # type: ignore[misc]
        crowd.enter(keys)
    assert wait_s(lambda: buckets.take(places[8])) > 0
    with pytest.raises(Busy):
        crowd.enter(places[8])
    assert wait_s(lambda: buckets.take(("address 2001:db8:2::/64", "address 2001:db8:2::/48"))) == 0


def test_token_that_is_given_back_was_never_taken() -> None:
    """Nothing is kept of a bucket that is full again."""
    buckets, _ = made(2)
    for _ in range(5):
        buckets.take(ANN)
        buckets.give_back(ANN)
    assert len(buckets) == 0
    buckets.take(ANN)
    assert wait_s(lambda: buckets.take(ANN)) == 0
    assert wait_s(lambda: buckets.take(ANN)) > 0
    unlimited, _ = made(0)
    unlimited.give_back(ANN)
    assert len(unlimited) == 0
