"""What the program needs of a store, whatever keeps the rows."""

from collections.abc import Sequence
from typing import Any, Protocol

from protocol.base import Value
from protocol.events import Entry
from protocol.ids import ChatId, MessageId, TurnId
from protocol.values import ChatFile, Node, Role, Upload
from protocol.writes import TurnState, Write


class StoredChat(Value, frozen=True):
    """A chat; ``created_at`` is ISO 8601 in UTC; ``files`` are empty in lists of chats."""

    id: ChatId
    title: str
    created_at: str
    focus_mode: str
    files: tuple[ChatFile, ...] = ()


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


class Store(Protocol):
    """Keeps conversations; every method raises StorageUnavailable when it cannot be used."""

    async def commit(self, writes: Sequence[Write]) -> None:
        """Make all the writes durable together, in their order; durable on return.

        After StorageUnavailable nothing of the batch is kept. A caller that leaves before the
        end cannot know whether all or nothing is kept; giving the same batch once more is
        harmless in either case. To delete a chat that is not there spoils nothing: all other
        writes are kept before ChatNotFound is raised.
        """

    async def chats(self) -> list[StoredChat]:
        """All chats, newest first; of those that began at the same time, the last kept first."""

    async def chat(self, chat_id: ChatId) -> StoredChat:
        """One chat; raises ChatNotFound."""

    async def messages(self, chat_id: ChatId) -> list[StoredMessage]:
        """Messages of a chat, each question followed by its answer, in the order of asking.

        Empty for an unknown chat.
        """

    async def upload(self, file_id: str) -> Upload | None:
        """An upload with its passages; ``None`` for an unknown one."""

    async def entries(self, turn_id: TurnId, after: int = 0) -> list[Entry]:
        """Journal of a turn from behind number ``after``; empty for a turn that is gone."""

    async def turn(self, answer_id: MessageId) -> StoredTurn | None:
        """The turn that made an answer; ``None`` for one that is not there."""

    async def check(self) -> None:
        """Return when the store can be read at this moment."""

    async def close(self) -> None:
        """Let go of everything; does nothing the second time."""
