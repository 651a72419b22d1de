"""Turns that go on at random, as writes for a store."""

from collections.abc import Iterable
from random import Random

from protocol.events import Accepted, Delta, Entry, Event, Failed, Finished, SourcesFound, Stopped
from protocol.ids import ChatId, MessageId, SessionId, TurnId
from protocol.values import Node, Question, TurnInfo
from protocol.writes import AcceptTurn, AppendEntries, EndTurn, TurnState
from tests.storage.examples import NOON
from tests.storage.ledger import Ledger, Told, TurnWrite, sources_of, text_of

RUNNING = 5
SHARE_OF_ENDS = 0.2
LETTERS = "abcdefgh äöü €"
ENDS: tuple[tuple[TurnState, Event, str | None], ...] = (
    ("finished", Finished(), None),
    ("finished", Finished(), None),
    ("stopped", Stopped(), "STOPPED"),
    ("failed", Failed("MODEL_UNAVAILABLE", "sorry"), "MODEL_UNAVAILABLE"),
)


class Asking:
    """Draws what turns do next, and tells the ledger; ``name`` sets its turns apart."""

    def __init__(self, dice: Random, ledger: Ledger, name: str) -> None:
        self._dice = dice
        self._ledger = ledger
        self._name = name
        self._asked = 0
        self._running: list[Told] = []

    def batch(self) -> list[TurnWrite]:
        """The writes of one commit, for one turn or several."""
        return [self._offered(self._next()) for _ in range(self._dice.randint(1, 4))]

    def _offered(self, write: TurnWrite) -> TurnWrite:
        told = self._ledger.offer(write)
        if isinstance(write, AcceptTurn):
            self._running.append(told)
        return write

    def _next(self) -> TurnWrite:
        if len(self._running) < self._dice.randint(1, RUNNING):
            return self._question()
        told = self._dice.choice(self._running)
        if self._dice.random() < SHARE_OF_ENDS:
            self._running.remove(told)
            return self._end(told)
        return AppendEntries(told.turn_id, _numbered(told, self._events(told)))

    def _question(self) -> AcceptTurn:
        self._asked += 1
        name = f"{self._name}-{self._asked}"
        chat = ChatId(f"{self._name}-{self._asked % 3}")
        question = Question(chat, MessageId(name), self._words(200), "webSearch", "speed")
        turn = TurnInfo(TurnId(name), SessionId("s"), MessageId(f"a{name}"), question)
        return AcceptTurn(turn, Entry(1, Accepted()), NOON)

    def _events(self, told: Told) -> list[Event]:
        """The sources first, then text, sometimes more than a page of the database holds."""
        if told.next_seq == 2:
            return [SourcesFound(tuple(map(self._node, range(self._dice.randint(0, 15)))))]
        return [Delta(self._words(900)) for _ in range(self._dice.randint(1, 6))]

    def _end(self, told: Told) -> EndTurn:
        state, event, error = self._dice.choice(ENDS)
        events = [entry.event for entry in told.entries]
        text, sources = text_of(events), sources_of(events)
        last = _numbered(told, [event])
        return EndTurn(told.turn_id, last, state, text, sources, error, NOON)

    def _node(self, number: int) -> Node:
        return Node(self._words(300), f"title {number}", f"http://site{number}.example")

    def _words(self, most: int) -> str:
        return "".join(self._dice.choices(LETTERS, k=self._dice.randint(1, most)))


def _numbered(told: Told, events: Iterable[Event]) -> tuple[Entry, ...]:
    return tuple(Entry(seq, event) for seq, event in enumerate(events, told.next_seq))
