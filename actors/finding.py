"""The first half of a turn: from the question to its sources."""

from collections.abc import Callable, Coroutine
from contextlib import AbstractContextManager
from functools import partial
from typing import Any

import structlog

from actors.early import EarlySearches
from actors.ref import Ref
from protocol.base import Value
from protocol.errors import ServiceError
from protocol.events import Stage
from protocol.messages import (
    Deepen,
    Divide,
    FilesSearched,
    Read,
    Rephrase,
    Rephrased,
    Rerank,
    Search,
    SearchFiles,
    SearchFinished,
)
from protocol.settings import Limits
from protocol.values import Node, TurnInfo
from retrieval.modes import FocusMode
from retrieval.pages.links import SUMMARIZE, hosts
from retrieval.quality import fused
from retrieval.rephrased import unrephrased
from retrieval.side_by_side import side_by_side
from retrieval.sources import shown
from retrieval.uploads import shared_places
from upstreams.diary import note
from upstreams.recorded import recorded

log = structlog.get_logger(__name__)

BUILT_IN = "documents"  # the search backend of what comes with the program
KEPT = 15  # sources of an answer whose ranking failed: the search's own order

SearchFor = Callable[[str], Coroutine[Any, Any, SearchFinished]]
InStage = Callable[[Stage, str], AbstractContextManager[None]]


class Crew(Value, frozen=True):
    """Whom a turn asks, whether it searches early, and whether what it is given is recorded."""

    searcher: Ref
    reader: Ref
    reranker: Ref
    writer: Ref
    persister: Ref
    early: EarlySearches
    records: bool = False


class Finding:
    """Asks searcher, reader and reranker for the sources of one answer; failing stages degrade.

    ``in_stage`` tells the client what is being done, and for how long it was.
    """

    def __init__(
        self, turn: TurnInfo, crew: Crew, mode: FocusMode, limits: Limits, in_stage: InStage
    ) -> None:
        self._question = turn.question
        self._models = turn.models
        self._reach = turn.person.reach
        self._crew = crew
        self._mode = mode
        self._limits = limits
        self._stage = in_stage
        self._query = turn.question.text

    async def sources(self) -> tuple[SearchFinished, tuple[Node, ...]]:
        """What was found, and the best of it in the order of its citations; may be nothing."""
        found = await self._found()
        nodes = shown(await self._ranked(found))
        if self._question.files:
            return await self._with_files(found, nodes)
        return found, nodes

    async def _found(self) -> SearchFinished:
        if not self._mode.searches:
            return SearchFinished((), "")
        raw = unrephrased(self._question.text, reads_links=self._mode.reads_links)
        early_query = "" if raw.links else raw.query
        async with self._crew.early.begun(early_query, self._search) as search_early:
            search = self._noted(search_early)
            with self._stage("rephrasing", ""):
                rephrased = await self._rephrase()
            self._query = rephrased.query
            if rephrased.query and not rephrased.links:
                return await self._searched(rephrased.query, search)
        if not rephrased.links:  # the model says that nothing needs to be looked up
            return SearchFinished((), "")
        with self._stage("reading", hosts(rephrased.links)):
            return await self._read(rephrased)

    async def _searched(self, query: str, search: SearchFor) -> SearchFinished:
        if self._mode.goes_deep(self._question.optimization_mode):
            return await self._find_deeply(query, search)
        with self._stage("searching", query):
            return await search(query)

    async def _find_deeply(self, query: str, search: SearchFor) -> SearchFinished:
        with self._stage("rephrasing", "one question into several queries"):
            queries = await self._divide(query)
        with self._stage("searching", " | ".join(queries)):
            found = fused(await side_by_side(search(each) for each in queries))
        if not found.nodes or not self._mode.reads_results:
            return found
        with self._stage("reading", f"the best of {len(found.nodes)} results"):
            return await self._deepen(query, found)

    def _noted(self, search: SearchFor) -> SearchFor:
        """The same search, from the turn's recording where it is played."""

        async def search_noted(query: str) -> SearchFinished:
            asked = (query, self._question.focus_mode)
            found = await recorded("search", asked, lambda: search(query), SearchFinished)
            note("found", query=query, results=len(found.nodes), backend=found.backend)
            return found

        return search_noted

    async def _rephrase(self) -> Rephrased:
        question = self._question
        request = Rephrase(question.text, question.history, question.focus_mode, self._models.chat)
        try:
            return await self._crew.searcher.ask(request, timeout=self._limits.rephrase_s)
        except ServiceError as error:  # the question as it stands still finds something
            log.warning("rephrase.failed", key=error.key, problem=str(error))
            note_failure("rephrase", error)
            return unrephrased(question.text, reads_links=self._mode.reads_links)

    async def _divide(self, query: str) -> tuple[str, ...]:
        request = Divide(query, self._models.chat)
        try:
            reply = await self._crew.searcher.ask(request, timeout=self._limits.rephrase_s)
        except ServiceError as error:  # one query still finds something
            log.warning("division.failed", key=error.key)
            note_failure("division", error)
            return (query,)
        return reply.queries

    async def _read(self, rephrased: Rephrased) -> SearchFinished:
        request = Read(rephrased.query, rephrased.links, self._models.chat)
        try:
            read = await self._crew.reader.ask(request, timeout=self._limits.read_s)
        except ServiceError as error:  # the answer says that nothing was read
            log.warning("reading.failed", key=error.key)
            note_failure("reading", error)
            return SearchFinished((), "", f"Nothing could be read: {error}")
        return SearchFinished(read.nodes, "pages", read.note)

    async def _deepen(self, query: str, found: SearchFinished) -> SearchFinished:
        request = Deepen(query, found.nodes)
        try:
            deepened = await self._crew.reader.ask(request, timeout=self._limits.read_s)
        except ServiceError as error:  # what the search says of its pages is something, too
            log.warning("reading.failed", key=error.key)
            note_failure("reading", error)
            return found
        return SearchFinished(deepened.nodes, found.backend, found.note)

    async def _search(self, query: str) -> SearchFinished:
        request = Search(query, self._question.focus_mode)
        try:
            return await self._crew.searcher.ask(request, timeout=self._limits.search_s + 1)
        except ServiceError as error:  # the answer says that nothing was found
            log.warning("search.failed", key=error.key, problem=str(error))
            note_failure("search", error)
            return SearchFinished((), "", f"Nothing could be searched: {error}")

    async def _ranked(self, found: SearchFinished) -> tuple[Node, ...]:
        if not found.nodes or self._query == SUMMARIZE:  # a page as a whole has its own order
            return found.nodes[:KEPT]
        question = self._question
        request = Rerank(
            self._query,
            found.nodes,
            question.focus_mode,
            question.optimization_mode,
            self._models.embedding,
        )
        try:
            with self._stage("reranking", f"{len(found.nodes)} passages"):
                timeout_s = self._limits.rerank_s
                best = (await self._crew.reranker.ask(request, timeout=timeout_s)).nodes
                note("kept", results=len(found.nodes), kept=len(best))
                return best
        except ServiceError as error:  # the search's own order is still an order
            log.warning("rerank.failed", key=error.key, problem=str(error))
            note_failure("rerank", error)
            return found.nodes[:KEPT]

    async def _with_files(
        self, found: SearchFinished, nodes: tuple[Node, ...]
    ) -> tuple[SearchFinished, tuple[Node, ...]]:
        """The sources with passages of the attached files ahead, and what is to be said of them."""
        files = self._question.files
        with self._stage("reading", f"{len(files)} attached files"):
            searched = await self._search_files(files)
        if searched.nodes and found.backend == BUILT_IN:  # the program's own: a stopgap
            found, nodes = SearchFinished((), ""), ()
        notes = " ".join(filter(None, (found.note, searched.note)))
        sources = shared_places(shown(searched.nodes), nodes)
        return SearchFinished(sources, found.backend, notes), sources

    async def _search_files(self, files: tuple[str, ...]) -> FilesSearched:
        query = self._query or self._question.text
        request = SearchFiles(query, files, self._reach)
        ask = partial(self._crew.reader.ask, request, timeout=self._limits.read_s)
        try:
            return await recorded("files", (query, files), ask, FilesSearched)
        except ServiceError as error:  # the answer says that they were not read
            log.warning("files.failed", key=error.key)
            note_failure("files", error)
            return FilesSearched((), f"The attached files could not be read: {error}")


def note_failure(work: str, error: ServiceError) -> None:
    """Have the turn's story say what was given up, and why."""
    note("failed", work=work, key=error.key, problem=error.problem)
