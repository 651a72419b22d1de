"""Finding and ordering, as the actors see it; importing this loads nothing heavy."""

from collections.abc import Callable, Hashable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Self

import httpx

from protocol.errors import InvalidFocusMode
from protocol.messages import Deepened, PagesRead, Rephrased, SearchFinished
from protocol.offload import Offload
from protocol.settings import Settings
from protocol.values import Node, OptimizationMode, Prompt, Utterance
from retrieval import lazy
from retrieval.backend import with_content
from retrieval.backends import (
    BACKENDS,
    Parts,
    Row,
    are_same_searches,
    build_chain,
    build_gallery,
)
from retrieval.caches import Caches
from retrieval.chain import SearchChain
from retrieval.extractive import extract_answer
from retrieval.extras import Extras
from retrieval.library.reader import DocumentReader
from retrieval.modes import FocusMode, load_focus_modes
from retrieval.pages.digest import Complete
from retrieval.pages.service import PageService
from retrieval.quality import parse_divided, selected
from retrieval.reading import Reading
from retrieval.rephrased import parse_rephrased, short_query, unrephrased, with_named_links
from retrieval.uploads import FileService
from retrieval.workshop.workshop import Workshop
from upstreams.addresses import page_policy
from upstreams.breaker import UpstreamHealth
from upstreams.recorded import recorded_now
from upstreams.retry import Retry, once

if TYPE_CHECKING:
    from retrieval.postprocessor import Embed
    from retrieval.ranking import Measure

KEEP = 15
EMBED_SHARE = 0.75  # of the time to rank: without vectors there is the rest for the words
RANKED: frozenset[OptimizationMode] = frozenset({"balanced", "quality"})


class Retrieval:
    """Searches, ranks, and says what the model is asked.

    Once ``prepare`` or ``ready`` has been through, nothing here blocks the event loop; wait for
    ``ready`` before making a prompt.
    """

    def __init__(
        self,
        modes: Mapping[str, FocusMode],
        parts: Parts,
        chain: SearchChain,
        pages: PageService,
        files: FileService,
        reading: Reading,
        now: Callable[[], datetime],
    ) -> None:
        self.modes = modes
        self.files = files
        self.caches = parts.caches
        self.extras = Extras(build_gallery(parts), self.ready)
        self._parts = parts
        self._chain = chain
        self._pages = pages
        self._reading = reading
        self._quality = parts.settings.quality
        self._embed_s = EMBED_SHARE * parts.settings.limits.rerank_s
        self._offload = parts.offload
        self._now = now
        self._measure: Measure = parts.settings.general.similarity_measure
        self._is_ready = False

    @classmethod
    def build(
        cls,
        settings: Settings,
        *,
        client: httpx.AsyncClient,
        offload: Offload,
        now: Callable[[], datetime],
        backends: Mapping[str, Row] = BACKENDS,
        reading: Reading | None = None,
        retry: Retry | None = None,
    ) -> Self:
        """Retrieval as the settings want it; raises SettingsError for a value of no use.

        Args:
            settings: Which backends, in which order, and how long they may take.
            client: Whose connections are used; it stays the caller's to close.
            offload: Runs what blocks in a thread.
            now: The local time with its date, for prompts.
            backends: The search backends that there are, by the names that the settings use.
            reading: Takes the text out of pages and files; by default processes of our own do.
            retry: Makes calls again that may succeed then, by default none; its clock is the one
                for time-outs and for what is remembered for a while.

        """
        retry = retry or once()
        caches = Caches(settings.cache, retry.clock)
        parts = Parts(settings, client, offload, DocumentReader(), caches, backends, retry)
        reading = reading or Workshop(
            offload, page_s=settings.pages.page_s, file_s=settings.uploads.read_s
        )
        measure = settings.general.similarity_measure
        page_service = PageService.build(
            settings, reading.read_page, offload, page_policy(settings).admits, caches.pages, retry
        )
        return cls(
            load_focus_modes(),
            parts,
            build_chain(parts, lazy.retrieve),
            page_service,
            FileService(reading.read_file, offload, measure, keep=KEEP),
            reading,
            now,
        )

    async def configure(self, settings: Settings) -> None:
        """Search by these settings from now on; searches under way go on as they began.

        Raises SettingsError, and changes nothing, for a value of no use.
        """
        if are_same_searches(self._parts.settings, settings):
            return
        parts = self._parts._replace(settings=settings)
        old, self._chain = self._chain, build_chain(parts, lazy.retrieve)
        self._parts = parts
        self.extras.use(build_gallery(parts))
        await old.close()

    def mode(self, name: str) -> FocusMode:
        """The focus mode of that name; raises InvalidFocusMode when there is none."""
        try:
            return self.modes[name]
        except KeyError:
            raise InvalidFocusMode(name, tuple(self.modes)) from None

    async def search(self, query: str, focus_mode: str) -> SearchFinished:
        """What the first backend that found anything found; empty for a mode without search.

        Failures of backends are in the log and, where it matters to the reader, in the note.

        Raises:
            InvalidFocusMode: There is no such mode.

        """
        mode = self.mode(focus_mode)
        wanted = short_query(query)
        if not mode.searches or not wanted:
            return SearchFinished((), "")
        await self.ready()
        return await self._chain.search(wanted, mode)

    async def read_links(
        self, query: str, links: Sequence[str], complete: Complete | None
    ) -> PagesRead:
        """What the pages at the links say towards the query, with a note on those that failed.

        Args:
            query: What is asked of them; ``summarize`` for all that they say.
            links: Addresses of the web; those over the limit are left out.
            complete: Asks the chat model, to sum up; without it pages are told by their passages.

        """
        await self.ready()
        return await self._pages.named.read(query, links, complete)

    async def deepen(self, query: str, nodes: Sequence[Node]) -> Deepened:
        """Passages of the best pages among the nodes in place of what the search said of them."""
        await self.ready()
        return await self._pages.found.read(query, nodes)

    async def rank(
        self,
        query: str,
        nodes: Sequence[Node],
        focus_mode: str,
        optimization_mode: OptimizationMode,
        embed: "Embed",
        remember_as: Hashable | None = None,
    ) -> tuple[Node, ...]:
        """The best 15 nodes at most, best first; ``speed`` keeps the order of the search.

        ``quality`` keeps fewer where they come from one site, or would be too much to read.

        Args:
            query: What they should be close to.
            nodes: What the search found; those without text are dropped.
            focus_mode: Says whether to rank, and the floor.
            optimization_mode: ``balanced`` and ``quality`` rank.
            embed: Gives vectors of shape (n, d) for n texts. Where it raises a ServiceError, or
                takes most of the time to rank, the order is by words alone.
            remember_as: Who makes the vectors, where they are to be remembered by their texts.

        Raises:
            InvalidFocusMode: There is no such mode.

        """
        mode = self.mode(focus_mode)
        usable = with_content(nodes, title_when_empty=mode.title_when_empty)
        if not usable or not mode.rerank or optimization_mode not in RANKED:
            return tuple(usable[:KEEP])
        await self.ready()
        is_deep = mode.goes_deep(optimization_mode)
        if remember_as is not None:
            embed = lazy.recording(lazy.remembering(embed, self.caches.vectors, remember_as))
        ranked = await lazy.rank(
            query,
            usable,
            embed=embed,
            offload=self._offload,
            measure=self._measure,
            floor=mode.floor,
            keep=len(usable) if is_deep else KEEP,
            within_s=self._embed_s,
        )
        return selected(ranked, self._quality, most=KEEP) if is_deep else tuple(ranked)

    def rephrase_prompt(
        self, focus_mode: str, question: str, history: Sequence[Utterance]
    ) -> Prompt:
        """What to ask the model for a query; to be asked at ``FocusMode.rephrase_temperature``."""
        return lazy.rephrase_prompt(self.mode(focus_mode), question, history)

    def answer_prompt(
        self,
        focus_mode: str,
        question: str,
        history: Sequence[Utterance],
        nodes: Sequence[Node],
    ) -> Prompt:
        """What to ask the model for the answer, with today's date, at the mode's temperature."""
        now = recorded_now(self._now)
        return lazy.answer_prompt(self.mode(focus_mode), question, history, nodes, now)

    def parse_rephrased(
        self, focus_mode: str, reply: str, question: str, history: Sequence[Utterance] = ()
    ) -> Rephrased:
        """What the model's reply to ``rephrase_prompt`` says; never without a use.

        In a mode that reads links, those that the question itself names are there in any case, and
        others only where the user has named them before; in any other mode there are none.
        """
        said = parse_rephrased(reply, question)
        reads_links = self.mode(focus_mode).reads_links
        return with_named_links(said, question, history) if reads_links else Rephrased(said.query)

    def unrephrased(self, focus_mode: str, question: str) -> Rephrased:
        """The same where no model could be asked."""
        return unrephrased(question, reads_links=self.mode(focus_mode).reads_links)

    def division_prompt(self, query: str) -> Prompt:
        """What to ask the model for queries that together cover this one; at temperature 0."""
        return lazy.division_prompt(query, self._quality.queries)

    def parse_divided(self, reply: str, query: str) -> tuple[str, ...]:
        """The queries in the model's reply to ``division_prompt``; at least the query itself."""
        return parse_divided(reply, query, self._quality.queries)

    def extract_answer(self, question: str, nodes: Sequence[Node]) -> list[str]:
        """Pieces of an answer without a model: cited sentences, and the word that they are that."""
        return extract_answer(question, nodes)

    def health(self) -> list[UpstreamHealth]:
        """How the search backends are, in their order."""
        return self._chain.health()

    def describe(self) -> str:
        """Which searches are configured, in their order, in words for the start line."""
        return self._chain.description

    def prepare(self) -> None:
        """Load what is heavy and read the documents; blocks, so call it in a thread."""
        lazy.load()
        self._is_ready = True
        self._chain.prepare()

    async def ready(self) -> None:
        """Wait until what is heavy is loaded."""
        if not self._is_ready:
            await self._offload(lazy.load)
            self._is_ready = True

    async def close(self) -> None:
        """Stop what the searches have running."""
        await self._pages.close()
        await self._chain.close()
        await self._offload(self._reading.close)
