"""Takes the conversations of the reference back end into a store."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from protocol.access import EVERYBODY
from protocol.ids import ChatId
from protocol.writes import ImportChat, ImportedMessage
from storage.reference_file import ChatRow, MessageRow, ReferenceFile, opened
from storage.reference_rows import (
    ROLES,
    new_metadata,
    read_files,
    read_message_id,
    read_metadata,
    read_text,
    read_time,
)
from storage.store import Store

TOGETHER = 50  # chats in one transaction: others who write to the store wait for no more
FOCUS_MODE = "webSearch"

HERE = "chats that are here already"
NAMELESS = "chats without an id"
EMPTY = "chats without messages"
HOMELESS = "messages whose chat is not there"
ROLELESS = "messages of neither user nor assistant"
AGAIN = "questions with the id of an earlier one in their chat"
UNREADABLE = "messages with unreadable metadata, taken without it"


@dataclass
class Tally:
    """What an import took, what it left and why, and where it had to leave something out."""

    chats: int = 0
    messages: int = 0
    left: Counter[str] = field(default_factory=Counter)
    mended: Counter[str] = field(default_factory=Counter)

    def lines(self) -> list[str]:
        """The tally for a person to read."""
        return [
            f"Took {self.chats} chats with {self.messages} messages.",
            *(f"Left {count} {what}." for what, count in self.left.items()),
            *(f"Mended {count} {what}." for what, count in self.mended.items()),
        ]


async def import_reference(path: Path, store: Store, *, now: datetime, owner: str = "") -> Tally:
    """Keep the file's chats in the store; those that are there already stay as they are.

    Reading the file blocks: this is for a process that does nothing else meanwhile.

    Args:
        path: The file; it is left untouched.
        store: Where the chats go; others may use it at the same time.
        now: When a chat began of which nothing tells that.
        owner: Whose the chats will be.

    Raises:
        NotImportable: The file is no database of the reference back end, or damaged. What was
            kept before that is noticed stays kept; to import it again doubles nothing.

    """
    with opened(path) as file:
        taking = Taking(file, {chat.id for chat in await store.chats(EVERYBODY)}, now, owner)
        for batch in batches(taking.chats(), TOGETHER):
            await store.commit(batch)
            taking.tally.chats += len(batch)
            taking.tally.messages += sum(len(chat.messages) for chat in batch)
    return taking.tally


def batches(chats: Iterator[ImportChat], size: int) -> Iterator[list[ImportChat]]:
    """The chats in lists of at most ``size``."""
    batch: list[ImportChat] = []
    for chat in chats:
        batch.append(chat)
        if len(batch) == size:
            yield batch
            batch = []
    if batch:
        yield batch


class Taking:
    """One import under way."""

    def __init__(self, file: ReferenceFile, here: set[ChatId], now: datetime, owner: str) -> None:
        self.tally = Tally()
        self._file = file
        self._here = here
        self._owner = owner
        self._began = now  # of the chat before: they are in the order in which they began
        self._places = file.messages_by_chat()

    def chats(self) -> Iterator[ImportChat]:
        """What can be taken, oldest first."""
        rows = self._file.chats()
        known = {row.id for row in rows}
        homeless = sum(len(found) for chat, found in self._places.items() if chat not in known)
        self._leave(HOMELESS, homeless)
        for row in rows:
            chat = self._chat(row)
            if chat is not None:
                yield chat

    def _chat(self, row: ChatRow) -> ImportChat | None:
        name = ChatId(read_text(row.id))
        if not name or name in self._here:
            self._leave(HERE if name else NAMELESS)
            return None
        messages = self._file.messages(self._places.get(row.id, ()))
        self._began = read_time(row.created_at) or _first_time(messages) or self._began
        taken = tuple(self._messages(messages))
        if not taken:
            self._leave(EMPTY)
            return None
        title = read_text(row.title) or taken[0].text
        mode = read_text(row.focus_mode) or FOCUS_MODE
        files = read_files(row.files)
        return ImportChat(name, title, self._began, mode, taken, files, self._owner)

    def _messages(self, rows: Sequence[MessageRow]) -> Iterator[ImportedMessage]:
        asked: set[str] = set()
        for place, row in enumerate(rows):
            role = ROLES.get(read_text(row.role))
            name = read_message_id(row.message_id, place=place)
            if role is None or (role == "user" and name in asked):
                self._leave(AGAIN if role else ROLELESS)
                continue
            if role == "user":
                asked.add(name)
            yield ImportedMessage(name, role, read_text(row.content), self._metadata(row))

    def _metadata(self, row: MessageRow) -> str:
        found = read_metadata(row.metadata)
        if found is not None:
            return found[0]
        self.tally.mended[UNREADABLE] += 1
        return new_metadata(self._began)

    def _leave(self, why: str, count: int = 1) -> None:
        if count:
            self.tally.left[why] += count


def _first_time(messages: Sequence[MessageRow]) -> datetime | None:
    """When the first message says that it was written."""
    for row in messages[:1]:
        found = read_metadata(row.metadata)
        said: Any = found[1].get("createdAt") if found else None
        return read_time(said)
    return None
