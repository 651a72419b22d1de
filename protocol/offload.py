"""How work leaves the event loop: handed in, so that threads have one owner."""

from collections.abc import Awaitable, Callable
from typing import Protocol, TypeVar

T = TypeVar("T")


class Offload(Protocol):
    """Runs a function that blocks or computes in a thread, and gives what it returns."""

    def __call__(self, work: Callable[[], T], /) -> Awaitable[T]:
        """What ``work`` returns or raises; leaving the wait does not stop the thread."""
