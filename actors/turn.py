"""One question and all that is done to answer it."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import structlog

from actors.base import Actor, on
from actors.errors import ActorDead, Killed, MailboxFull
from actors.journal import Journal, apologise
from actors.persister import Grown, Keep
from actors.ref import Ref
from protocol.base import Message, Value
from protocol.errors import DeadlineExceeded, ServerDraining, ServiceError, TurnFailed
from protocol.events import (
    Accepted,
    Delta,
    Event,
    Failed,
    Finished,
    SourcesFound,
    Stage,
    Status,
)
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
    Write,
    Written,
)
from protocol.settings import Limits
from protocol.values import Node
from retrieval.modes import FocusMode
from retrieval.pages.links import SUMMARIZE, hosts
from retrieval.quality import fused
from retrieval.rephrased import unrephrased
from retrieval.side_by_side import side_by_side
from retrieval.uploads import shared_places

log = structlog.get_logger(__name__)

BUILT_IN = "documents"  # the search backend of what comes with the program
KEPT = 15  # sources of an answer whose ranking failed: the search's own order


class Crew(Value, frozen=True):
    """Whom a turn asks."""

    searcher: Ref
    reader: Ref
    reranker: Ref
    writer: Ref
    persister: Ref


class Begin(Message, frozen=True):
    """Answer the question of your journal."""


class Turn(Actor):
    """Finds, ranks, writes and keeps one answer; ends in every case, and says how."""

    def __init__(
        self, journal: Journal, crew: Crew, mode: FocusMode, limits: Limits, *, flush_s: float = 0.2
    ) -> None:
        super().__init__()
        self._journal = journal
        self._question = journal.turn.question
        self._models = journal.turn.models
        self._crew = crew
        self._mode = mode
        self._query = self._question.text
        self._limits = limits
        self._flush_s = flush_s
        self._flush_at = 0.0
        self._writing = False
        self._began = self.life.system.now()
        self._stages: dict[str, int] = {}

    @on(Begin)
    async def run(self, _message: Begin) -> None:
        """Answer within the time of a whole turn, or say why there is no answer."""
        try:
            async with asyncio.timeout(self._limits.turn_s):
                await self._answer()
        except TimeoutError:
            await self._fail(DeadlineExceeded("The whole answer", after_s=self._limits.turn_s))
        except ServiceError as error:
            await self._fail(error)
        self.stop()

    async def on_failure(self, exception_type: Any, exception_value: Any, traceback: Any) -> None:
        """Whatever broke: the client is told, and what was written is kept."""
        del exception_type, traceback
        killed = isinstance(exception_value, Killed)
        if not self._journal.ended:
            await self._fail(ServerDraining() if killed else TurnFailed())

    async def _answer(self) -> None:
        await self._promise(Accepted())
        found = await self._find()
        nodes = await self._rank(found)
        if self._question.files:
            found, nodes = await self._with_files(found, nodes)
        await self._promise(SourcesFound(nodes))
        with self._stage("writing"):
            if found.note and (nodes or not found.nodes):  # else its sources fell away
                self._show(f"*{found.note}*\n\n")
            written = await self._ask_writer(nodes)
        await self._promise(Finished(self._stages))
        self._log("turn.finished", writer=written.writer)

    async def _find(self) -> SearchFinished:
        if not self._mode.searches:
            return SearchFinished((), "")
        with self._stage("rephrasing"):
            rephrased = await self._rephrase()
        self._query = rephrased.query
        if rephrased.links:
            with self._stage("reading", hosts(rephrased.links)):
                return await self._read(rephrased)
        if not rephrased.query:  # the model says that nothing needs to be looked up
            return SearchFinished((), "")
        if self._mode.goes_deep(self._question.optimization_mode):
            return await self._find_deeply(rephrased.query)
        with self._stage("searching", rephrased.query):
            return await self._search(rephrased.query)

    async def _find_deeply(self, query: str) -> SearchFinished:
        with self._stage("rephrasing", "one question into several queries"):
            queries = await self._divide(query)
        with self._stage("searching", " | ".join(queries)):
            found = fused(await side_by_side(self._search(each) for each in queries))
        if not found.nodes or not self._mode.reads_results:
            return found
        with self._stage("reading", f"the best of {len(found.nodes)} results"):
            return await self._deepen(query, found)

    async def _rephrase(self) -> Rephrased:
        question = self._question
        request = Rephrase(question.text, question.history, question.focus_mode, self._models.chat)
        try:
            return await self._crew.searcher.ask(request, timeout=self._limits.rephrase_s)
        except ServiceError as error:  # the question as it stands still finds something
            log.warning("rephrase.failed", key=error.key, problem=str(error))
            return unrephrased(question.text, reads_links=self._mode.reads_links)

    async def _divide(self, query: str) -> tuple[str, ...]:
        request = Divide(query, self._models.chat)
        try:
            reply = await self._crew.searcher.ask(request, timeout=self._limits.rephrase_s)
        except ServiceError as error:  # one query still finds something
            log.warning("division.failed", key=error.key)
            return (query,)
        return reply.queries

    async def _read(self, rephrased: Rephrased) -> SearchFinished:
        request = Read(rephrased.query, rephrased.links, self._models.chat)
        try:
            read = await self._crew.reader.ask(request, timeout=self._limits.read_s)
        except ServiceError as error:  # the answer says that nothing was read
            log.warning("reading.failed", key=error.key)
            return SearchFinished((), "", f"Nothing could be read: {error}")
        return SearchFinished(read.nodes, "pages", read.note)

    async def _deepen(self, query: str, found: SearchFinished) -> SearchFinished:
        request = Deepen(query, found.nodes)
        try:
            deepened = await self._crew.reader.ask(request, timeout=self._limits.read_s)
        except ServiceError as error:  # what the search says of its pages is something, too
            log.warning("reading.failed", key=error.key)
            return found
        return SearchFinished(deepened.nodes, found.backend, found.note)

    async def _search(self, query: str) -> SearchFinished:
        request = Search(query, self._question.focus_mode)
        try:
            return await self._crew.searcher.ask(request, timeout=self._limits.search_s + 1)
        except ServiceError as error:  # the answer says that nothing was found
            log.warning("search.failed", key=error.key, problem=str(error))
            return SearchFinished((), "", f"Nothing could be searched: {error}")

    async def _rank(self, found: SearchFinished) -> tuple[Node, ...]:
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
                return (await self._crew.reranker.ask(request, timeout=timeout_s)).nodes
        except ServiceError as error:  # the search's own order is still an order
            log.warning("rerank.failed", key=error.key, problem=str(error))
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
        sources = shared_places(searched.nodes, nodes)
        return SearchFinished(sources, found.backend, notes), sources

    async def _search_files(self, files: tuple[str, ...]) -> FilesSearched:
        request = SearchFiles(self._query or self._question.text, files)
        try:
            return await self._crew.reader.ask(request, timeout=self._limits.read_s)
        except ServiceError as error:  # the answer says that they were not read
            log.warning("files.failed", key=error.key)
            return FilesSearched((), f"The attached files could not be read: {error}")

    async def _ask_writer(self, nodes: tuple[Node, ...]) -> Written:
        request = Write(self._question, nodes, self._models, self._write_delta)
        self._writing = True
        try:
            return await self._crew.writer.ask(request, timeout=self._limits.turn_s)
        finally:
            self._writing = False

    def _write_delta(self, text: str) -> None:
        """A piece from the writer; one that comes after its time is up is dropped."""
        if self._writing:
            self._show(text)

    def _show(self, text: str) -> None:
        """Show a piece at once, and have the persister keep it with the next group."""
        self._journal.write(Delta(text))
        now = self.life.system.now()
        if now >= self._flush_at:
            self._flush_at = now + self._flush_s
            self._crew.persister.tell(Grown(self._journal))

    async def _promise(self, event: Event) -> None:
        """Make the event durable, then show it."""
        entry = self._journal.next(event)
        request = Keep(self._journal, entry)
        await self._crew.persister.ask(request, timeout=self._limits.store_s)
        self._journal.publish(entry)

    async def _fail(self, error: ServiceError) -> None:
        """End with an apology in the answer; shown even where it cannot be kept."""
        apologise(self._journal, error)
        event = Failed(error.key, str(error), self._stages)
        try:
            await self._promise(event)
        except ServiceError as unkept:
            log.warning("turn.unkept", key=unkept.key)
            self._journal.write(event)
            with suppress(ActorDead, MailboxFull):
                self._crew.persister.tell(Grown(self._journal))  # kept when the store is back
        self._log("turn.failed", key=error.key)

    @contextmanager
    def _stage(self, stage: Stage, detail: str = "") -> Iterator[None]:
        self._journal.write(Status(stage, detail))
        began = self.life.system.now()
        try:
            yield
        finally:
            took_ms = round((self.life.system.now() - began) * 1000)
            self._stages[stage] = self._stages.get(stage, 0) + took_ms

    def _log(self, event: str, **facts: str) -> None:
        """The one line that tells the whole turn."""
        stages_ms = {f"{stage}_ms": ms for stage, ms in self._stages.items()}
        log.info(
            event,
            **facts,
            focus_mode=self._question.focus_mode,
            optimization_mode=self._question.optimization_mode,
            sources=len(self._journal.sources or ()),
            chars=self._journal.chars,
            duration_ms=round((self.life.system.now() - self._began) * 1000),
            **stages_ms,
        )
