"""Stand-ins that the tests of retrieval share."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import BinaryIO, TypeVar

import numpy as np
import numpy.typing as npt

from protocol.errors import SearchUnavailable
from protocol.offload import Offload
from protocol.values import Node
from retrieval.library.passages import Passage
from retrieval.library.reader import DocumentReader
from retrieval.pages.content import Page, PageContent
from retrieval.pages.fetcher import Fetched
from retrieval.uploads import read_upload

T = TypeVar("T")


def run_at_once(work: Callable[[], T]) -> Awaitable[T]:
    """An ``Offload`` without threads."""

    async def run() -> T:
        return work()

    return run()


async def in_thread(work: Callable[[], T]) -> T:
    """An ``Offload`` with the loop's own threads."""
    return await asyncio.to_thread(work)


class ReadHere:
    """Reads documents in a thread of the test, as the reading process does."""

    def __init__(self, offload: Offload = in_thread) -> None:
        self._offload = offload
        self._reader = DocumentReader()

    async def read_page(self, fetched: Fetched, most_bytes: int) -> Page:
        """The page."""
        content = PageContent(self._reader, most_bytes=most_bytes)
        return await self._offload(partial(content.read, fetched))

    async def read_file(self, file: BinaryIO, name: str) -> list[Passage]:
        """The passages."""
        return await self._offload(partial(read_upload, file, name, self._reader))

    def close(self) -> None:
        """Nothing runs."""


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
