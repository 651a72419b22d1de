"""What the store is asked to make durable; a batch of these is one transaction."""

from datetime import datetime
from typing import Literal

from protocol.base import Value
from protocol.events import Entry
from protocol.ids import ChatId, TurnId
from protocol.values import Node, TurnInfo

TurnState = Literal["running", "finished", "failed", "stopped", "interrupted"]


class AcceptTurn(Value, frozen=True):
    """Keep the question, and its chat when it is new.

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

    The answer is dropped when its question has been removed or asked anew meanwhile.
    """

    turn_id: TurnId
    entries: tuple[Entry, ...]
    state: TurnState
    text: str
    sources: tuple[Node, ...]
    error: str | None
    at: datetime


class DeleteChat(Value, frozen=True):
    """Remove a chat with its messages and journals; raises ChatNotFound for an unknown one."""

    chat_id: ChatId


Write = AcceptTurn | AppendEntries | EndTurn | DeleteChat
