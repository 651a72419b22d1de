"""A store of plain lists: what a store means, said as simply as it can be."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import msgspec

from protocol.errors import ChatNotFound
from protocol.events import Entry
from protocol.ids import ChatId, MessageId, TurnId
from protocol.values import ChatFile, Question, Upload
from protocol.writes import (
    AcceptTurn,
    AppendEntries,
    DeleteChat,
    EndTurn,
    ForgetJournals,
    ImportChat,
    KeepUploads,
    TurnState,
    Write,
)
from storage.metadata import answer_metadata, question_metadata, wire_time
from storage.store import StoredChat, StoredMessage, StoredTurn
from storage.turns import answered


@dataclass(eq=False)
class Asked:
    """A question with the turn that works on it and, once that has ended, its answer."""

    chat_id: ChatId
    row: StoredMessage
    turn_id: TurnId
    answer_id: MessageId
    journal: list[Entry]
    answer: list[StoredMessage] = field(default_factory=list)
    state: TurnState = "running"
    survived: int = 0


class MemoryStore:
    """A Store that forgets everything."""

    def __init__(self) -> None:
        self._chats: dict[ChatId, StoredChat] = {}
        self._asked: list[Asked] = []
        self._uploads: dict[str, Upload] = {}
        self._rows = 0
        self._lacks_chat = False

    async def commit(self, writes: Sequence[Write]) -> None:
        """See Store."""
        self._lacks_chat = False
        for write in writes:
            self._WRITERS[type(write)](self, write)
        if self._lacks_chat:
            raise ChatNotFound

    async def chats(self) -> list[StoredChat]:
        """See Store."""
        bare = [msgspec.structs.replace(chat, files=()) for chat in self._chats.values()]
        return sorted(bare, key=lambda chat: chat.created_at)[::-1]

    async def chat(self, chat_id: ChatId) -> StoredChat:
        """See Store."""
        if chat_id not in self._chats:
            raise ChatNotFound
        return self._chats[chat_id]

    async def messages(self, chat_id: ChatId) -> list[StoredMessage]:
        """See Store."""
        return [row for asked in self._in(chat_id) for row in (asked.row, *asked.answer)]

    async def upload(self, file_id: str) -> Upload | None:
        """See Store."""
        return self._uploads.get(file_id)

    async def entries(self, turn_id: TurnId, after: int = 0) -> list[Entry]:
        """See Store."""
        asked = self._of(turn_id)
        return [entry for entry in asked.journal if entry.seq > after] if asked else []

    async def turn(self, answer_id: MessageId) -> StoredTurn | None:
        """See Store."""
        asked = next((a for a in self._asked if a.answer_id == answer_id), None)
        if asked is None:
            return None
        turn = StoredTurn(asked.turn_id, asked.answer_id, asked.state, asked.survived)
        if not asked.answer:
            return turn
        answer = asked.answer[0]
        return answered(turn, answer.content, msgspec.json.encode(answer.metadata))

    async def check(self) -> None:
        """See Store."""

    async def close(self) -> None:
        """See Store."""

    def _in(self, chat_id: ChatId) -> list[Asked]:
        return [asked for asked in self._asked if asked.chat_id == chat_id]

    def _of(self, turn_id: TurnId) -> Asked | None:
        return next((asked for asked in self._asked if asked.turn_id == turn_id), None)

    def _running(self, turn_id: TurnId) -> Asked | None:
        asked = self._of(turn_id)
        return asked if asked and asked.state == "running" else None

    def _accept(self, write: AcceptTurn) -> None:
        question = write.turn.question
        if self._of(write.turn.turn_id):
            return
        facts = (question.chat_id, question.text, wire_time(write.at), question.focus_mode)
        self._chats.setdefault(question.chat_id, StoredChat(*facts))
        self._name_files(question)
        old = [a for a in self._in(question.chat_id) if a.row.message_id == question.message_id]
        row = old[0].row if old else self._question(write)
        asked = Asked(
            question.chat_id, row, write.turn.turn_id, write.turn.answer_id, [write.entry]
        )
        if old:
            place = self._asked.index(old[0])
            later = [a for a in self._asked[place:] if a.chat_id == question.chat_id]
            self._asked = [a for a in self._asked if a not in later]
        self._asked.append(asked)

    def _question(self, write: AcceptTurn) -> StoredMessage:
        question = write.turn.question
        metadata = msgspec.json.decode(question_metadata(write.at))
        names = (question.chat_id, question.message_id)
        return StoredMessage(self._next_row(), question.text, *names, "user", metadata)

    def _append(self, write: AppendEntries) -> None:
        asked = self._running(write.turn_id)
        if asked:
            lines = {entry.seq: entry for entry in (*asked.journal, *write.entries)}
            asked.journal = [lines[seq] for seq in sorted(lines)]

    def _end(self, write: EndTurn) -> None:
        asked = self._of(write.turn_id)
        if asked:
            asked.state = "running"
            self._append(AppendEntries(write.turn_id, write.entries))
            asked.state = write.state
            asked.survived = write.survived or write.entries[-1].seq
            text = answer_metadata(write.at, write.sources, write.error)
            metadata = msgspec.json.decode(text)
            names = (asked.chat_id, asked.answer_id)
            answer = StoredMessage(self._next_row(), write.text, *names, "assistant", metadata)
            asked.answer = [answer]

    def _delete(self, write: DeleteChat) -> None:
        before = self._used()
        self._lacks_chat |= self._chats.pop(write.chat_id, None) is None
        for name in before - self._used():
            self._uploads.pop(name, None)
        self._asked = [asked for asked in self._asked if asked.chat_id != write.chat_id]

    def _import(self, write: ImportChat) -> None:
        if write.chat_id in self._chats:
            return
        facts = (write.chat_id, write.title, wire_time(write.created_at), write.focus_mode)
        self._chats[write.chat_id] = StoredChat(*facts, write.files)
        for said in write.messages:
            metadata = msgspec.json.decode(said.metadata)
            names = (write.chat_id, said.message_id, said.role)
            row = StoredMessage(self._next_row(), said.text, *names, metadata)
            before = self._in(write.chat_id)
            if said.role == "user" or not before:
                asked = Asked(write.chat_id, row, TurnId(""), MessageId(""), [])
                self._asked.append(asked)
            else:
                before[-1].answer.append(row)

    def _forget(self, write: ForgetJournals) -> None:
        ended = [asked for asked in self._asked if asked.answer]
        for place, asked in enumerate(ended):
            at = datetime.fromisoformat(asked.answer[0].metadata["createdAt"])
            if at < write.before or place < len(self._asked) - write.most:
                asked.journal = []

    def _keep_uploads(self, write: KeepUploads) -> None:
        for upload in write.uploads:
            self._uploads.setdefault(upload.id, upload)

    def _name_files(self, question: Question) -> None:
        chat = self._chats[question.chat_id]
        known = {file.file_id for file in chat.files}
        new = [name for name in dict.fromkeys(question.files) if name in self._uploads]
        files = (ChatFile(self._uploads[name].name, name) for name in new if name not in known)
        self._chats[chat.id] = msgspec.structs.replace(chat, files=(*chat.files, *files))

    def _used(self) -> set[str]:
        return {file.file_id for chat in self._chats.values() for file in chat.files}

    def _next_row(self) -> int:
        self._rows += 1
        return self._rows

    _WRITERS: Mapping[type[Write], Callable[[Any, Any], None]] = {
        AcceptTurn: _accept,
        AppendEntries: _append,
        EndTurn: _end,
        DeleteChat: _delete,
        ImportChat: _import,
        KeepUploads: _keep_uploads,
        ForgetJournals: _forget,
    }
