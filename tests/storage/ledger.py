"""What a store has promised, and whether it has kept its word."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import takewhile

from protocol.access import EVERYBODY
from protocol.events import Delta, Entry, Event, Failed, SourcesFound
from protocol.ids import TurnId
from protocol.values import Node
from protocol.writes import AcceptTurn, AppendEntries, EndTurn
from storage.recovery import INTERRUPTED
from storage.sqlite import SqliteStore
from storage.store import StoredTurn

PROMISES = (
    "questions lost",
    "answers lost",
    "lines lost",
    "texts that differ",
    "turns left running",
    "databases damaged",
)
TurnWrite = AcceptTurn | AppendEntries | EndTurn


@dataclass
class Told:
    """One turn: all that the store was asked to keep, and how much of it is acknowledged."""

    asked: AcceptTurn
    entries: list[Entry] = field(default_factory=list)
    sure: int = 0  # lines that are acknowledged; 0 means that not even the question is
    end: EndTurn | None = None
    outcome: StoredTurn | None = None  # acknowledged

    @property
    def turn_id(self) -> TurnId:
        """The turn."""
        return self.asked.turn.turn_id

    @property
    def next_seq(self) -> int:
        """The number of its next line."""
        return len(self.entries) + 1

    def offer(self, write: TurnWrite) -> None:
        """Note what the store is asked to keep."""
        self.entries += [write.entry] if isinstance(write, AcceptTurn) else write.entries
        if isinstance(write, EndTurn):
            self.end = write

    def acknowledge(self) -> None:
        """Note that all of it is durable."""
        self.sure = len(self.entries)
        self.outcome = self.offered()

    def offered(self) -> StoredTurn | None:
        """How its end reads in a store that has it."""
        if self.end is None:
            return None
        end, answer = self.end, self.asked.turn.answer_id
        last, error = end.entries[-1].seq, end.error or ""
        return StoredTurn(self.turn_id, answer, end.state, last, end.text, end.sources, error)

    def settle(self, turn: StoredTurn, journal: Sequence[Entry]) -> None:
        """Expect from now on what a client could have read."""
        self.entries, self.sure, self.outcome = list(journal), len(journal), turn


class Ledger:
    """All turns that a store was told of, over all its lives.

    Attributes:
        turns: What is expected of each.
        broken: How often each of PROMISES was broken.
        checked: What the checks have seen.

    """

    def __init__(self) -> None:
        self.turns: dict[TurnId, Told] = {}
        self.broken: Counter[str] = Counter()
        self.checked: Counter[str] = Counter()

    def offer(self, write: TurnWrite) -> Told:
        """Note what is about to be committed."""
        if isinstance(write, AcceptTurn):
            self.turns[write.turn.turn_id] = Told(write)
        told = self._told(write)
        told.offer(write)
        return told

    def acknowledge(self, writes: Iterable[TurnWrite]) -> None:
        """Note that the commit has returned."""
        for write in writes:
            self._told(write).acknowledge()
            self.checked["questions acknowledged"] += isinstance(write, AcceptTurn)
            self.checked["answers acknowledged"] += isinstance(write, EndTurn)

    async def check(self, store: SqliteStore) -> None:
        """Compare everything with a store that has just been opened, and expect it henceforth."""
        self.checked["openings"] += 1
        self.broken["databases damaged"] += not await _is_sound(store)
        self.broken["turns left running"] += await _running(store)
        for told in list(self.turns.values()):
            turn = await store.turn(told.asked.turn.answer_id, EVERYBODY)
            if turn is None or not await _has_question(store, told):
                self.broken["questions lost"] += told.sure > 0
                del self.turns[told.turn_id]
                continue
            journal = await store.entries(told.turn_id, EVERYBODY)
            self._compare(told, turn, journal)
            told.settle(turn, journal)

    def _compare(self, told: Told, turn: StoredTurn, journal: Sequence[Entry]) -> None:
        kept = _own_lines(told, journal)
        self.broken["lines lost"] += kept < told.sure
        if told.outcome:
            self.broken["answers lost"] += turn != told.outcome
            return
        # An end whose commit was cut off may be there whole; all other turns are interrupted.
        self.checked[f"others {turn.state}"] += 1
        is_interrupted = turn.state == "interrupted"
        expected = _interrupted(told, journal, kept) if is_interrupted else told.offered()
        self.broken["texts that differ"] += turn != expected

    def _told(self, write: TurnWrite) -> Told:
        turn_id = write.turn.turn_id if isinstance(write, AcceptTurn) else write.turn_id
        return self.turns[turn_id]


async def _is_sound(store: SqliteStore) -> bool:
    integrity = await store._reader.rows("PRAGMA integrity_check")
    return integrity == [("ok",)] and not await store._reader.rows("PRAGMA foreign_key_check")


async def _running(store: SqliteStore) -> int:
    [(count,)] = await store._reader.rows("SELECT count(*) FROM turn WHERE state = 'running'")
    return int(count)


async def _has_question(store: SqliteStore, told: Told) -> bool:
    """Whether its chat shows the question once, as it was asked."""
    question = told.asked.turn.question
    messages = await store.messages(question.chat_id, EVERYBODY)
    rows = [(m.role, m.content) for m in messages if m.message_id == question.message_id]
    return rows == [("user", question.text)]


def _own_lines(told: Told, journal: Sequence[Entry]) -> int:
    """How many lines of the journal are the turn's own, in order and without a hole."""
    pairs = zip(told.entries, journal, strict=False)
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))


def _interrupted(told: Told, journal: Sequence[Entry], kept: int) -> StoredTurn:
    """The turn as its journal tells it, behind whose own lines only an ending may stand."""
    events: list[Event] = [entry.event for entry in journal]
    own, ending = events[:kept], events[kept:]
    text, answer = text_of(events), told.asked.turn.answer_id
    as_it_should = [Failed] if text_of(own) else [Delta, Failed]
    error = INTERRUPTED if [type(event) for event in ending] == as_it_should else "a wrong ending"
    return StoredTurn(told.turn_id, answer, "interrupted", kept, text, sources_of(own), error)


def text_of(events: Iterable[Event]) -> str:
    """The text that the events tell."""
    return "".join(event.text for event in events if isinstance(event, Delta))


def sources_of(events: Iterable[Event]) -> tuple[Node, ...]:
    """The sources that the events tell."""
    return next((event.nodes for event in events if isinstance(event, SourcesFound)), ())
