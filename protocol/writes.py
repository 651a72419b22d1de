"""What the store is asked to make durable; a batch of these is one transaction."""

from datetime import datetime
from typing import Literal

from protocol.access import Reach
from protocol.accounts import AccountWrite
from protocol.base import Value
from protocol.events import Entry
from protocol.ids import ChatId, MessageId, TurnId
from protocol.values import ChatFile, Node, Role, TurnInfo, Upload

TurnState = Literal["running", "finished", "failed", "stopped", "interrupted"]


class AcceptTurn(Value, frozen=True):
    """Keep the question, its chat when it is new, and which files of who asks the chat uses.

    A new chat belongs to who asks; refused where the chat is somebody else's.

    A ``message_id`` that the chat already has is a rewrite: the question's row stays as it is, and
    all that follows it in this chat is removed.
    """

    turn: TurnInfo
    entry: Entry
    at: datetime


class AppendEntries(Value, frozen=True):
    """Keep further lines of a turn's journal; lines of a turn that is gone are dropped."""

    turn_id: TurnId
    entries: tuple[Entry, ...]


class EndTurn(Value, frozen=True):
    """Keep the last line of a journal together with the answer as the chat shows it.

    The answer is dropped when its question has been removed or asked anew meanwhile. Another end of
    the same turn takes the place of the first. ``survived`` is the number of the last line that a
    client may have seen, where that is not the last of all. ``recording`` is what the turn
    was given by the world outside; empty for none.
    """

    turn_id: TurnId
    entries: tuple[Entry, ...]
    state: TurnState
    text: str
    sources: tuple[Node, ...]
    error: str | None
    at: datetime
    survived: int | None = None
    recording: bytes = b""


class DeleteChat(Value, frozen=True):
    """Remove a chat with its messages, journals and the uploads of its owner that no other uses.

    Refused for one that is not there, or not within reach.
    """

    chat_id: ChatId
    reach: Reach


class ImportedMessage(Value, frozen=True):
    """A message of another program's chat; ``metadata`` is an object as JSON text."""

    message_id: MessageId
    role: Role
    text: str
    metadata: str


class ImportChat(Value, frozen=True):
    """Keep a whole chat of another program; one whose id is there already stays as it is.

    The messages are in the order of reading; no two questions among them have the same id.
    """

    chat_id: ChatId
    title: str
    created_at: datetime
    focus_mode: str
    messages: tuple[ImportedMessage, ...]
    files: tuple[ChatFile, ...] = ()
    owner: str = ""


class ForgetJournals(Value, frozen=True):
    """Remove the journals of turns that ended before a time, and all but the newest ``most``.

    A bounded number at a time, the oldest first; answers stay, and so do turns that run. Recordings
    go with their journals, and all but those of the newest ``recordings`` turns.
    """

    before: datetime
    most: int
    recordings: int = 0


class KeepUploads(Value, frozen=True):
    """Keep files that their owner has given, until no chat uses them."""

    uploads: tuple[Upload, ...]
    at: datetime
    owner: str = ""


Write = (
    AcceptTurn
    | AppendEntries
    | EndTurn
    | DeleteChat
    | ForgetJournals
    | ImportChat
    | KeepUploads
    | AccountWrite
)
