"""A breaker stops asking a service that is dead, and finds out when it is well again."""

import pytest

from upstreams.breaker import Breaker, BreakerPolicy


class Clock:
    """Time that passes when it is told to."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        """Now."""
        return self.now


def opened(clock: Clock, policy: BreakerPolicy | None = None) -> Breaker:
    """A breaker that a time-out has opened."""
    breaker = Breaker("search", policy or BreakerPolicy(), clock)
    assert breaker.admits()
    breaker.failed("no answer", timed_out=True)
    return breaker


def test_one_time_out_is_enough() -> None:
    """The next caller is refused at once, and the reason is known."""
    breaker = opened(Clock())
    assert not breaker.admits()
    assert (breaker.state, breaker.problem, breaker.refused) == ("open", "no answer", 1)


def test_other_failures_count_in_a_row() -> None:
    """An answer in between begins the row anew."""
    breaker = Breaker("search", BreakerPolicy(failures=3), Clock())
    for outcome in (False, False, True, False, False):
        assert breaker.admits()
        breaker.succeeded() if outcome else breaker.failed("status 500")
    assert breaker.admits()
    breaker.failed("status 500")
    assert not breaker.admits()


def test_one_probe_is_let_in_after_the_pause() -> None:
    """The others are refused until it is known how that ended."""
    clock = Clock()
    breaker = opened(clock)
    clock.now += 4.9
    assert not breaker.admits()
    clock.now += 0.1
    assert breaker.admits()
    assert not breaker.admits()
    breaker.succeeded()
    assert breaker.admits()
    assert (breaker.state, breaker.problem) == ("closed", "")


def test_pause_doubles_with_each_failed_probe_and_is_bounded() -> None:
    """And is short again after the service has been well."""
    clock = Clock()
    breaker = opened(clock, BreakerPolicy(pause_s=5, most_pause_s=15))
    for pause_s in (5, 10, 15, 15):
        clock.now += pause_s - 0.1
        assert not breaker.admits()
        clock.now += 0.1
        assert breaker.admits()
        breaker.failed("no answer", timed_out=True)
    clock.now += 15
    assert breaker.admits()
    breaker.succeeded()
    breaker.failed("no answer", timed_out=True)
    clock.now += 5
    assert breaker.admits()


def test_probe_whose_caller_leaves_is_not_counted() -> None:
    """Nothing is known of the service; the next probe comes after the same pause."""
    clock = Clock()
    breaker = opened(clock)
    clock.now += 5
    assert breaker.admits()
    breaker.left()
    assert not breaker.admits()
    clock.now += 5
    assert breaker.admits()


@pytest.mark.parametrize("timed_out", [True, False])
def test_it_can_be_turned_off(timed_out: bool) -> None:
    """No number of failures opens it then."""
    breaker = Breaker("search", BreakerPolicy(failures=0), Clock())
    for _ in range(10):
        breaker.failed("no answer", timed_out=timed_out)
    assert breaker.admits()
