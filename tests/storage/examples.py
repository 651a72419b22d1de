"""Writes to try a store with."""

from datetime import UTC, datetime

from protocol.access import EVERYBODY, KEEPER, Person
from protocol.events import Accepted, Delta, Entry, Event, Finished
from protocol.ids import ChatId, MessageId, SessionId, TurnId
from protocol.values import ModelChoice, Models, Node, Question, TurnInfo
from protocol.writes import AcceptTurn, AppendEntries, DeleteChat, EndTurn, TurnState

NOON = datetime(2026, 11, 23, 12, 0, 0, 493_000, tzinfo=UTC)
SECRET = "sk-never-stored"
MODELS = Models(ModelChoice("openai", "gpt", f"https://x/?key={SECRET}", SECRET))


def asked(
    turn: str,
    chat: str,
    message: str,
    text: str = "why?",
    *,
    by: Person = KEEPER,
    files: tuple[str, ...] = (),
) -> AcceptTurn:
    """A question; the answer's id is the turn's with an ``a`` before it."""
    names = (ChatId(chat), MessageId(message))
    question = Question(*names, text, "webSearch", "speed", files=files)
    ids = (TurnId(turn), SessionId("s"), MessageId(f"a{turn}"))
    info = TurnInfo(*ids, question, MODELS, by)
    return AcceptTurn(info, Entry(1, Accepted()), NOON)


def wrote(turn: str, *texts: str, after: int = 1) -> AppendEntries:
    """Pieces of an answer, numbered from behind ``after``."""
    return AppendEntries(TurnId(turn), entries(*map(Delta, texts), after=after))


def ended(
    turn: str,
    text: str = "because",
    *,
    state: TurnState = "finished",
    error: str | None = None,
    sources: tuple[Node, ...] = (),
    after: int = 1,
) -> EndTurn:
    """The end of a turn."""
    last = entries(Finished(), after=after)
    return EndTurn(TurnId(turn), last, state, text, sources, error, NOON)


def deleted(chat: str) -> DeleteChat:
    """A chat to be removed."""
    return DeleteChat(ChatId(chat), EVERYBODY)


def entries(*events: Event, after: int = 0) -> tuple[Entry, ...]:
    """The events with their numbers."""
    return tuple(Entry(seq, event) for seq, event in enumerate(events, after + 1))
