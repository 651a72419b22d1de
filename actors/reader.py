"""Reads pages and uploaded files."""

import functools
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import ClassVar

import structlog

from actors.base import Actor, on
from protocol.access import Reach
from protocol.messages import (
    Deepen,
    Deepened,
    FilesSearched,
    PagesRead,
    Read,
    SearchFiles,
)
from protocol.values import Upload
from providers.service import Providers
from retrieval.service import Retrieval

log = structlog.get_logger(__name__)

ReadUpload = Callable[[str, Reach], Awaitable[Upload | None]]

MOST_FILES = 50  # of one question
GONE = "Some of the attached files are no longer here; please attach them again."


class Reader(Actor):
    """Reads the pages and files that a question names, and the pages that a search found."""

    mailbox_bound: ClassVar[int] = 1

    def __init__(self, retrieval: Retrieval, providers: Providers, upload: ReadUpload) -> None:
        super().__init__()
        self._upload = upload
        self._retrieval = retrieval
        self._providers = providers

    @on(Read)
    async def read(self, message: Read) -> PagesRead:
        """Reply with what the pages say, summed up by the chat model where there is one."""
        complete = functools.partial(self._providers.complete, message.model, temperature=0)
        has_model = self._providers.has_model(message.model)
        read = await self._retrieval.read_links(
            message.query, message.links, complete if has_model else None
        )
        log.debug("reading.finished", links=len(message.links), nodes_out=len(read.nodes))
        return read

    @on(SearchFiles)
    async def search_files(self, message: SearchFiles) -> FilesSearched:
        """Reply with the best passages of the files; those that are gone are in the note."""
        found: list[str] = []

        async def uploads() -> AsyncIterator[Upload]:
            for file_id in dict.fromkeys(message.files[:MOST_FILES]):
                upload = await self._upload(file_id, message.reach)
                if upload is not None:
                    found.append(file_id)
                    yield upload

        nodes = await self._retrieval.files.search(message.query, uploads(), self._providers.embed)
        log.debug("files.searched", files=len(found), nodes_out=len(nodes))
        return FilesSearched(nodes, "" if len(found) == len(set(message.files)) else GONE)

    @on(Deepen)
    async def deepen(self, message: Deepen) -> Deepened:
        """Reply with passages of the best pages in place of what the search said of them."""
        deepened = await self._retrieval.deepen(message.query, message.nodes)
        log.debug("deepening.finished", pages=deepened.pages, nodes_out=len(deepened.nodes))
        return deepened
