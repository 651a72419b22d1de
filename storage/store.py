"""What the program needs of a store, whatever keeps the rows."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Protocol

import msgspec

from protocol.access import Person, Reach
from protocol.accounts import Account, Credential
from protocol.base import Value
from protocol.events import Entry
from protocol.ids import ChatId, MessageId, SessionId, TurnId
from protocol.traces import Span
from protocol.values import ChatFile, Node, Role, Upload
from protocol.writes import TurnState, Write


class StoredChat(Value, frozen=True):
    """A chat; ``created_at`` is ISO 8601 in UTC; ``files`` are empty in lists of chats.

    ``owner`` is the name of whose it is, empty where the server knew no accounts.
    """

    id: ChatId
    title: str
    created_at: str
    focus_mode: str
    files: tuple[ChatFile, ...] = ()
    owner: str = ""


class StoredMessage(Value, frozen=True):
    """A question or an answer.

    ``metadata`` has ``createdAt``; in answers also ``sources`` as clients read them
    (``pageContent`` and ``metadata`` with ``title``, ``url`` and perhaps ``img_src``), and
    ``error`` with the key of what went wrong, where something did.
    """

    id: int
    content: str
    chat_id: ChatId
    message_id: MessageId
    role: Role
    metadata: dict[str, Any]


class StoredTurn(Value, frozen=True):
    """A turn as the store has it.

    ``survived`` is the number of its last event; of an interrupted turn the last that its process
    stored before it died, of one that runs 0. ``text``, ``sources`` and ``error`` are those of its
    answer, empty while it runs.
    """

    turn_id: TurnId
    answer_id: MessageId
    state: TurnState
    survived: int
    text: str = ""
    sources: tuple[Node, ...] = ()
    error: str = ""


class Trace(Value, frozen=True, rename="camel"):
    """A turn as whoever looks into it sees it.

    Times are ISO 8601 in UTC, ``ended_at`` empty while it runs. ``stages`` has milliseconds. There
    are no spans of turns that run, that were interrupted, or whose journal has been forgotten.
    """

    turn_id: TurnId
    message_id: MessageId
    chat_id: ChatId
    session_id: SessionId
    state: TurnState
    question: str
    focus_mode: str
    optimization_mode: str
    provider: str
    model: str
    accepted_at: str
    ended_at: str
    error: str = ""
    stages: dict[str, int] = msgspec.field(default_factory=dict)
    spans: tuple[Span, ...] = ()


class AccountReader(Protocol):
    """Who may ask; every method raises StorageUnavailable when the store cannot be used."""

    async def account(self, name: str) -> Account | None:
        """The account of that name."""

    async def accounts(self) -> list[Account]:
        """All accounts, in the order in which they were made."""

    async def holder(self, digest: str, at: datetime) -> Person | None:
        """Whose login or key has a secret of that digest, and may be used at that time."""

    async def keys(self) -> list[Credential]:
        """The keys of programs, of all accounts, the oldest first."""


class Store(Protocol):
    """Keeps conversations; every method raises StorageUnavailable when it cannot be used.

    Each reading method is told whose things may be seen; what belongs to others is not there.
    """

    @property
    def accounts(self) -> AccountReader:
        """Who may ask."""

    async def commit(self, writes: Sequence[Write]) -> tuple[Write, ...]:
        """Make the writes durable together, in their order; durable on return.

        After StorageUnavailable nothing of the batch is kept. A caller that leaves before the
        end cannot know whether all or nothing is kept; giving the same batch once more is
        harmless in either case.

        Returns:
            Those that could not be done, and spoil nothing: a question in somebody else's chat,
            the removal of a chat or account that is not there, an account whose name is taken.

        """

    async def chats(self, reach: Reach) -> list[StoredChat]:
        """All chats, newest first; of those that began at the same time, the last kept first."""

    async def chat(self, chat_id: ChatId, reach: Reach) -> StoredChat:
        """One chat; raises ChatNotFound."""

    async def messages(self, chat_id: ChatId, reach: Reach) -> list[StoredMessage]:
        """Messages of a chat, each question followed by its answer, in the order of asking.

        Empty for an unknown chat.
        """

    async def upload(self, file_id: str, reach: Reach) -> Upload | None:
        """An upload with its passages; ``None`` for an unknown one."""

    async def entries(self, turn_id: TurnId, reach: Reach, after: int = 0) -> list[Entry]:
        """Journal of a turn from behind number ``after``; empty for a turn that is gone."""

    async def turn(self, answer_id: MessageId, reach: Reach) -> StoredTurn | None:
        """The turn that made an answer; ``None`` for one that is not there."""

    async def trace(self, name: MessageId | TurnId, reach: Reach) -> Trace | None:
        """The trace of a turn, by its id or its answer's; ``None`` for one that is not there."""

    async def traces(self, name: str, reach: Reach, most: int) -> list[Trace]:
        """Of the chat, session, turn or answer of that name the newest turns, oldest first.

        Of all turns where the name is empty.
        """

    async def recording(self, turn_id: TurnId, reach: Reach) -> bytes:
        """What a turn was given by the world outside; empty where that is not kept."""

    async def check(self) -> None:
        """Return when the store can be read at this moment."""

    async def close(self) -> None:
        """Let go of everything; does nothing the second time."""
