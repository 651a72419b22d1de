"""What a turn asks, as actors that do what a test tells them."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any, ClassVar

from access.buckets import Crowd
from actors.base import Actor, on
from actors.early import EarlySearches
from actors.finding import Crew
from actors.journal import Journal
from actors.line import Line
from actors.persister import Persister
from actors.policy import Policy
from actors.ref import Ref
from actors.supervisor import Tree
from actors.system import System
from actors.turn import Begin, Turn
from protocol.errors import SearchUnavailable, StorageUnavailable
from protocol.events import Delta, Event, SourcesFound, Status
from protocol.ids import ChatId, MessageId, SessionId, TurnId
from protocol.messages import (
    Deepen,
    Deepened,
    Divide,
    Divided,
    FilesSearched,
    PagesRead,
    Read,
    Rephrase,
    Rephrased,
    Rerank,
    Reranked,
    Search,
    SearchFiles,
    SearchFinished,
    Write,
    Written,
)
from protocol.settings import Journal as Retention
from protocol.settings import Limits
from protocol.values import Node, OptimizationMode, Question, TurnInfo
from protocol.writes import Write as StoreWrite
from retrieval.modes import FocusMode
from tests.storage.memory_store import MemoryStore
from upstreams.tally import Tally

NODES = tuple(Node(f"text {n}", f"title {n}", f"https://example.org/{n}") for n in range(20))
MODE = FocusMode("webSearch", searches=True, answer_temperature=0, answer_prompt="", rerank=True)
Act = Callable[[Any], Awaitable[Any]]


def now() -> datetime:
    """One moment for all."""
    return datetime(2026, 11, 23, tzinfo=UTC)


def turn_info(text: str = "Why?", name: str = "1", mode: OptimizationMode = "balanced") -> TurnInfo:
    """A turn of its own chat."""
    question = Question(
        ChatId(f"chat {name}"), MessageId(f"message {name}"), text, "webSearch", mode
    )
    return TurnInfo(TurnId(f"turn {name}"), SessionId("session"), MessageId(f"a {name}"), question)


async def rephrase(_message: Rephrase) -> Rephrased:
    """One query."""
    return Rephrased("a query")


async def search(_message: Search) -> SearchFinished:
    """Twenty nodes."""
    return SearchFinished(NODES, "stand-in")


async def rerank(message: Rerank) -> Reranked:
    """The last two."""
    return Reranked(message.nodes[-2:])


async def write(message: Write) -> Written:
    """Two words."""
    message.write_delta("Because")
    message.write_delta(" so [1].")
    return Written("stand-in/model", 2)


async def divide(message: Divide) -> Divided:
    """Two queries."""
    return Divided((f"{message.query} one", f"{message.query} two"))


async def read(message: Read) -> PagesRead:
    """A node a link."""
    return PagesRead(tuple(Node("read", link, link) for link in message.links))


async def deepen(message: Deepen) -> Deepened:
    """The same nodes, and one more."""
    return Deepened((Node("deep", "deep", "https://example.org/deep"), *message.nodes), 1)


async def search_files(message: SearchFiles) -> FilesSearched:
    """Twenty passages."""
    return FilesSearched(tuple(Node(f"passage {n}", "file", "File") for n in range(20)))


async def fail(_message: Any) -> Any:
    """A service that is out of order."""
    raise SearchUnavailable("stand-in", "it is out of order")


async def break_down(_message: Any) -> Any:
    """A bug."""
    raise KeyError("bug")


async def hang(_message: Any) -> Any:
    """No answer, ever."""
    await asyncio.Event().wait()


class Worker(Actor):
    """Searcher, reader, reranker and writer in one: each does what it was given."""

    policy: ClassVar[Policy] = Policy(restarts=100)

    def __init__(self, acts: dict[type, Act]) -> None:
        super().__init__()
        self._acts = acts

    @on(SearchFiles)
    async def search_files(self, message: SearchFiles) -> Any:
        """As told."""
        return await self._acts.get(SearchFiles, search_files)(message)

    @on(Rephrase)
    async def rephrase(self, message: Rephrase) -> Any:
        """As told."""
        return await self._acts.get(Rephrase, rephrase)(message)

    @on(Search)
    async def search(self, message: Search) -> Any:
        """As told."""
        return await self._acts.get(Search, search)(message)

    @on(Divide)
    async def divide(self, message: Divide) -> Any:
        """As told."""
        return await self._acts.get(Divide, divide)(message)

    @on(Read)
    async def read(self, message: Read) -> Any:
        """As told."""
        return await self._acts.get(Read, read)(message)

    @on(Deepen)
    async def deepen(self, message: Deepen) -> Any:
        """As told."""
        return await self._acts.get(Deepen, deepen)(message)

    @on(Rerank)
    async def rerank(self, message: Rerank) -> Any:
        """As told."""
        return await self._acts.get(Rerank, rerank)(message)

    @on(Write)
    async def write(self, message: Write) -> Any:
        """As told."""
        return await self._acts.get(Write, write)(message)


class BrokenStore(MemoryStore):
    """Refuses to keep anything while ``broken``; counts its transactions."""

    def __init__(self, *, broken: bool = False) -> None:
        super().__init__()
        self.broken = broken
        self.batches: list[int] = []

    async def commit(self, writes: Any) -> tuple[Any, ...]:
        """Keep, or not."""
        if self.broken:
            raise StorageUnavailable("the disk is full")
        self.batches.append(len(writes))
        return await super().commit(writes)


class Scene:
    """A tree with a crew; everything that a turn needs."""

    def __init__(
        self,
        acts: dict[type, Act] | None = None,
        store: MemoryStore | None = None,
        *,
        early: bool = False,
        places: int = 100,
        waiting: int = 100,
    ) -> None:
        self.store = store or MemoryStore()
        self.tree = Tree(System())
        self.persister = self.tree.grow(Persister, self.store, now, {}, Retention())
        worker = self.tree.grow(Worker, acts or {})
        self.crew = Crew(
            worker, worker, worker, worker, self.persister, EarlySearches(Tally(), is_on=early)
        )
        self.limits = Limits()
        loop = asyncio.get_running_loop()
        self.line = Line(places, waiting, Crowd("your questions", 0), loop)

    def play(self, journal: Journal, mode: FocusMode = MODE) -> Ref:
        """The turn of the journal, begun."""
        place = self.line.enter(journal.turn)
        turn = self.tree.grow(Turn, journal, place, self.crew, mode, self.limits)
        turn.life.when_ended(place.leave)
        turn.tell(Begin())
        return turn

    async def close(self) -> None:
        """Stop all."""
        await self.tree.stop(5)


async def ended(journal: Journal) -> list[Event]:
    """The events of a journal, once it has ended."""
    changed = asyncio.Event()
    journal.follow(changed.set)
    while not journal.ended:
        changed.clear()
        await changed.wait()
    return [entry.event for entry in journal.entries]


def told(events: list[Event]) -> list[str]:
    """Events in a few letters each: what a reader of a test wants to see."""
    words: dict[type, Callable[[Any], str]] = {
        Status: lambda event: f"status {event.stage}",
        SourcesFound: lambda event: f"sources {len(event.nodes)}",
        Delta: lambda event: event.text,
    }
    return [words.get(type(e), lambda event: type(event).__name__.lower())(e) for e in events]


__all__ = ["MODE", "NODES", "BrokenStore", "Scene", "StoreWrite", "ended", "told", "turn_info"]
