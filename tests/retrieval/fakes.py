"""Stand-ins that the tests of retrieval share."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from protocol.errors import SearchUnavailable
from protocol.values import Node

T = TypeVar("T")


def run_at_once(work: Callable[[], T]) -> Awaitable[T]:
    """An ``Offload`` without threads."""

    async def run() -> T:
        return work()

    return run()


async def in_thread(work: Callable[[], T]) -> T:
    """An ``Offload`` with the loop's own threads."""
    return await asyncio.to_thread(work)


def node(text: str = "some text", title: str = "Title", url: str = "https://a.example/") -> Node:
    """A node as a web search gives it."""
    return Node(text, title, url)


class Asked:
    """A search backend that gives what it was made with, and remembers what it was asked."""

    def __init__(self, name: str, *nodes: Node, error: str = "", hangs: bool = False) -> None:
        self.name = name
        self.asked: list[tuple[str, tuple[str, ...], str]] = []
        self._nodes = nodes
        self._error = error
        self._hangs = hangs

    async def search(self, query: str, *, engines: Sequence[str], language: str) -> list[Node]:
        """The nodes, or the error, or nothing for ever."""
        self.asked.append((query, tuple(engines), language))
        if self._hangs:
            await asyncio.Event().wait()
        if self._error:
            raise SearchUnavailable(self.name, self._error)
        return list(self._nodes)


async def letters(texts: Sequence[str]) -> npt.NDArray[np.float64]:
    """Vectors that count letters: alike for texts of like letters."""
    return np.array([[text.lower().count(chr(97 + i)) for i in range(26)] for text in texts], float)
