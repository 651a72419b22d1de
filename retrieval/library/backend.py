"""A folder of documents as a search backend."""

import asyncio
import functools
import threading
import time
from collections.abc import Callable, Sequence

import structlog

from protocol.errors import SearchUnavailable
from protocol.offload import Offload
from protocol.values import Node
from retrieval.library.folder import Folder, Stamp
from retrieval.library.index import Index
from retrieval.library.reader import DocumentReader, Unreadable

log = structlog.get_logger(__name__)
MOST_RESULTS = 30


class Shelf:
    """A folder and its index; brings the second up to date with the first. Its methods block."""

    def __init__(self, folder: Folder, index: Index, reader: DocumentReader) -> None:
        self._folder = folder
        self._index = index
        self._reader = reader
        self._refreshing = threading.Lock()
        self._closed = threading.Event()

    def refresh(self) -> None:
        """Index what is new or changed, forget what is gone; stops early when closed.

        Raises:
            SearchUnavailable: The folder or the index cannot be used.

        """
        with self._refreshing:
            known, there = self._index.stamps(), self._folder.documents()
            self._index.remove([name for name in known if name not in there])
            changed = [(name, stamp) for name, stamp in there.items() if known.get(name) != stamp]
            for name, stamp in changed:
                if self._closed.is_set():
                    return
                self._replace(name, stamp)
        if changed:
            log.info("library.refreshed", documents=len(there), changed=len(changed))

    def find(self, question: str) -> list[Node]:
        """Passages that answer the question, best first."""
        return self._index.find(question, MOST_RESULTS)

    def stop(self) -> None:
        """Let a refresh end after its current document."""
        self._closed.set()

    def close(self) -> None:
        """Close the index."""
        self._index.close()

    def _replace(self, name: str, stamp: Stamp) -> None:
        data = self._folder.read(name)
        try:
            passages = self._reader.read(data, name) if data is not None else []
        except Unreadable as error:
            log.warning("library.skipped", document=name, problem=str(error))
            passages = []
        self._index.replace(name, stamp, passages)


class LibraryBackend:
    """Searches a shelf; looks for changes at most every ``check_s`` seconds."""

    def __init__(
        self,
        name: str,
        shelf: Shelf,
        offload: Offload,
        *,
        clock: Callable[[], float] = time.monotonic,
        check_s: float = 3.0,
        patience_s: float = 1.0,
    ) -> None:
        self.name = name
        self._shelf = shelf
        self._offload = offload
        self._clock = clock
        self._check_s = check_s
        self._patience_s = patience_s
        self._checked_at: float | None = None
        self._refresh: asyncio.Future[None] | None = None

    async def search(self, query: str, *, engines: Sequence[str], language: str) -> list[Node]:
        """Passages by their scores; engines and language mean nothing here."""
        del engines, language
        await self._freshen()
        return await self._offload(functools.partial(self._shelf.find, query))

    def prepare(self) -> None:
        """Index the folder now; blocks. A folder that cannot be used is told at the search."""
        try:
            self._shelf.refresh()
        except SearchUnavailable as error:
            log.warning("library.failed", backend=self.name, problem=str(error))

    async def close(self) -> None:
        """Stop what is running."""
        self._shelf.stop()
        if self._refresh is not None:
            await asyncio.wait({self._refresh}, timeout=self._patience_s)
        self._shelf.close()

    async def _freshen(self) -> None:
        """Wait for a refresh that is due; a long one goes on without us."""
        if self._refresh is None and self._is_due():
            self._checked_at = self._clock()
            self._refresh = asyncio.ensure_future(self._offload(self._shelf.refresh))
            self._refresh.add_done_callback(self._refreshed)
        if self._refresh is not None:
            done, _ = await asyncio.wait({self._refresh}, timeout=self._patience_s)
            for refresh in done:
                refresh.result()

    def _is_due(self) -> bool:
        return self._checked_at is None or self._clock() - self._checked_at >= self._check_s

    def _refreshed(self, refresh: asyncio.Future[None]) -> None:
        self._refresh = None
        error = None if refresh.cancelled() else refresh.exception()
        if error is not None:
            self._checked_at = None  # so that the next search looks again
            log.warning("library.failed", backend=self.name, problem=str(error))
