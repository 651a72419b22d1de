"""An event loop whose time jumps to the next timer, so that an hour passes in a moment."""

import asyncio
import functools
import math
import selectors
from collections.abc import Callable, Coroutine
from typing import Any, ParamSpec, TypeVar

T = TypeVar("T")
P = ParamSpec("P")

MIDNIGHT = 1000.0  # any time but zero, which code may take for "no time"


class StandStill(RuntimeError):
    """Somebody waits, but no timer and no task is left that could end the wait in its time."""


class _Jump(selectors.SelectSelector):
    """Where a loop would sleep until its next timer, this moves its clock there."""

    def __init__(self, now: float, until: float) -> None:
        super().__init__()
        self.now = now
        self.until = until

    def select(self, timeout: float | None = None) -> list[Any]:
        if timeout is None or self.now > self.until:
            raise StandStill
        self.now += max(0.0, timeout)
        return []


class VirtualLoop(asyncio.SelectorEventLoop):
    """Runs what is ready, then jumps, but not over ``until``; knows no sockets and no threads."""

    def __init__(self, now: float = MIDNIGHT, until: float = math.inf) -> None:
        self._jump = _Jump(now, until)
        super().__init__(self._jump)

    def time(self) -> float:
        """Seconds since the virtual midnight's zero."""
        return self._jump.now


def run_virtual(work: Coroutine[Any, Any, T]) -> T:
    """What the work returns; raises StandStill when it waits for what can never come.

    What the loop would only log, such as an error in a callback, fails the run.
    """
    logged: list[dict[str, Any]] = []
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        runner.get_loop().set_exception_handler(lambda _loop, problem: logged.append(problem))
        value = runner.run(work)
    assert not logged, logged
    return value


def virtual(test: Callable[P, Coroutine[Any, Any, T]]) -> Callable[P, T]:
    """A test that is a coroutine, run on the virtual clock."""

    @functools.wraps(test)
    def run(*args: P.args, **kwargs: P.kwargs) -> T:
        return run_virtual(test(*args, **kwargs))

    return run
