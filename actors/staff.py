"""All actors of one program, put together: who is started, in which order, and who knows whom."""

import asyncio
from collections.abc import Callable, Mapping, MutableSequence
from datetime import datetime
from functools import partial
from typing import Any

import structlog

from access.quotas import Quotas
from actors.early import EarlySearches
from actors.extras import Extras
from actors.finding import Crew
from actors.intake import Intake
from actors.journal import Journals, Watch, unwatched
from actors.line import Line
from actors.outlet import Pace
from actors.persister import Perform, Persister
from actors.pool import Pool
from actors.reader import Reader
from actors.recall import Recaller
from actors.reranker import Reranker
from actors.searcher import Searcher
from actors.session import House
from actors.sessions import AnnounceDrain, Conversation, Sessions
from actors.supervisor import Tree
from actors.system import Counts
from actors.turns import Turns
from actors.unkept import Answerer, Answers, Forgetter, forgetting
from actors.writer import Writer
from protocol.access import Reach
from protocol.base import Value
from protocol.errors import ChatNotFound
from protocol.ids import ChatId
from protocol.settings import Settings
from protocol.writes import DeleteChat, Write
from providers.service import Providers
from retrieval.service import Retrieval
from storage.store import Store
from upstreams.tally import Tally

log = structlog.get_logger(__name__)

RETRY_AFTER_MS = 2000  # about what a start takes
TURN_ID_BYTES = 7  # 14 hex digits, as the web UI's own
UPLOAD_ID_BYTES = 16


class Tools(Value, frozen=True):
    """What the actors work with; all of it may be a stand-in, and time and chance are among it.

    Attributes:
        store: Keeps what outlives the program.
        retrieval: Finds and orders.
        providers: Has the models.
        now: The wall clock with its zone, for people; order and deadlines come from the loop.
        new_id: Random hex digits, two for each byte.
        shuffle: Puts a list into any order.
        tally: Counts what is done about slow services.
        watch: Is given the journal of each turn.

    """

    store: Store
    retrieval: Retrieval
    providers: Providers
    now: Callable[[], datetime]
    new_id: Callable[[int], str]
    shuffle: Callable[[MutableSequence[Any]], None]
    tally: Tally
    watch: Watch = unwatched


class Staff:
    """The running actors, as far as others need to know them."""

    def __init__(self, tree: Tree, settings: Settings, tools: Tools) -> None:
        """Start them below the tree, those that others need first."""
        limits, grow = settings.limits, tree.grow
        self._tree = tree
        modes = tools.retrieval.modes
        thinking = (tools.retrieval, tools.providers)
        pool = partial(grow, Pool, size=limits.workers)
        self._limits = limits
        self._journals: Journals = Journals()
        self.is_draining = False
        self.persister = grow(Persister, tools.store, tools.now, {}, settings.journal)
        crew = Crew(
            pool(Searcher, *thinking),
            pool(Reader, *thinking, tools.store.upload),
            pool(Reranker, *thinking),
            pool(Writer, *thinking, limits),
            self.persister,
            EarlySearches(tools.tally, is_on=settings.search.early),
            records=settings.journal.recordings > 0,
        )
        reading = (*thinking, self.persister, settings, partial(tools.new_id, UPLOAD_ID_BYTES))
        self.intake = grow(Pool, Intake, *reading, size=settings.uploads.workers)
        self.quotas = Quotas(limits, tree.system.now)
        loop = asyncio.get_running_loop()
        self.line = Line(limits.turns, limits.queue, self.quotas.turns, loop)
        working = (modes, limits, self.line)
        self.turns = grow(Turns, crew, *working)
        unkept = (Answerer, forgetting(crew, grow(Forgetter)), *working)
        # The line alone says who may run, and who may wait.
        self.answerers = grow(Pool, *unkept, size=limits.turns + limits.queue)
        self.extras = pool(Extras, tools.retrieval.extras, tools.providers, limits, tools.shuffle)
        new_id = partial(tools.new_id, TURN_ID_BYTES)
        general = settings.general
        pace = Pace(general.ui_gap_ms / 1000, general.merge_ms / 1000, limits.send_s)
        recaller, watch = pool(Recaller, tools.store), tools.watch
        asking = (limits, pace, new_id, self.quotas, watch)
        house = House(self.turns, recaller, self._journals, modes, *asking)
        self.answers = Answers(self.answerers, limits, new_id, watch)
        self.sessions = grow(Sessions, house, {})
        self.converse = Conversation(self.sessions, tools.providers, limits, self.quotas)

    async def drain(self, patience_s: float) -> None:
        """Take no more questions, say so, and wait until the running turns have ended.

        What still runs after ``patience_s`` is ended then, and marked.
        """
        if not self.is_draining:
            self.is_draining = True
            log.info("drain.started", turns=len(self.turns.life.children))
            self.line.close()
            self.sessions.tell(AnnounceDrain(RETRY_AFTER_MS))
        owners = (self.turns, self.answerers)
        await asyncio.gather(*(owner.stop(timeout=patience_s) for owner in owners))

    def backlog(self) -> dict[str, int]:
        """What is under way: open sessions, turns that run and that wait, all actors and tasks."""
        sessions, turns = self.sessions.life.children, self.turns.life.children
        unkept, queued = self.answerers.life.children, self.line.waiting
        return {
            "sessions": len(sessions) // 2,
            "turns": len(turns) + len(unkept) - queued,
            "queued": queued,
            "actors": self._tree.actors,
            "tasks": len(asyncio.all_tasks()),
        }

    @property
    def counts(self) -> Mapping[str, Counts]:
        """What became of messages, by kind of actor."""
        return self._tree.system.counts

    def waiting(self) -> Mapping[str, int]:
        """How many messages wait, by kind of actor."""
        return self._tree.waiting()

    async def delete_chat(self, chat_id: ChatId, reach: Reach) -> None:
        """Remove a chat with all that belongs to it, running turns included; or ChatNotFound."""
        for journal in list(self._journals.values()):
            if journal.turn.question.chat_id == chat_id and reach.includes(journal.owner):
                journal.stop()
        if not await self.perform(DeleteChat(chat_id, reach)):
            raise ChatNotFound

    async def perform(self, write: Write) -> bool:
        """Make one write durable that belongs to no turn; whether it could be done."""
        return await self.persister.ask(Perform(write), timeout=self._limits.store_s)
