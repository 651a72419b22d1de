"""A store of plain lists: what a store means, said as simply as it can be."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import msgspec

from protocol.access import Reach
from protocol.accounts import AccountWrite, AddAccount
from protocol.errors import ChatNotFound
from protocol.events import END, Entry
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
from storage.store import StoredChat, StoredMessage, StoredTurn, Trace
from storage.turns import answered
from tests.storage.memory_accounts import MemoryAccounts


@dataclass(eq=False)
class Asked:
    """A question with the turn that works on it and, once that has ended, its answer."""

    chat_id: ChatId
    row: StoredMessage
    turn_id: TurnId
    answer_id: MessageId
    journal: list[Entry]
    accepted: AcceptTurn | None = None
    recording: bytes = b""
    answer: list[StoredMessage] = field(default_factory=list)
    state: TurnState = "running"
    survived: int = 0


class MemoryStore:
    """A Store that forgets everything."""

    def __init__(self) -> None:
        self._chats: dict[ChatId, StoredChat] = {}
        self._asked: list[Asked] = []
        self._uploads: dict[str, Upload] = {}
        self._owners: dict[str, str] = {}  # of uploads
        self._rows = 0
        self.accounts = MemoryAccounts()

    async def commit(self, writes: Sequence[Write]) -> tuple[Write, ...]:
        """See Store."""
        return tuple(write for write in writes if self._refuses(write))

    def _refuses(self, write: Write) -> bool:
        if isinstance(write, AccountWrite):
            is_done = self.accounts.change(write)
            if is_done and isinstance(write, AddAccount) and self.accounts.is_first_admin(write):
                self._give_to(write.name)
            return not is_done
        return self._WRITERS[type(write)](self, write) is False

    def _give_to(self, name: str) -> None:
        """What has no owner gets one."""
        for key, chat in self._chats.items():
            self._chats[key] = msgspec.structs.replace(chat, owner=chat.owner or name)
        self._owners = {key: owner or name for key, owner in self._owners.items()}

    async def chats(self, reach: Reach) -> list[StoredChat]:
        """See Store."""
        bare = [msgspec.structs.replace(chat, files=()) for chat in self._chats.values()]
        mine = [chat for chat in bare if reach.includes(chat.owner)]
        return sorted(mine, key=lambda chat: chat.created_at)[::-1]

    async def chat(self, chat_id: ChatId, reach: Reach) -> StoredChat:
        """See Store."""
        if not self._sees(chat_id, reach):
            raise ChatNotFound
        return self._chats[chat_id]

    async def messages(self, chat_id: ChatId, reach: Reach) -> list[StoredMessage]:
        """See Store."""
        seen = self._in(chat_id) if self._sees(chat_id, reach) else []
        return [row for asked in seen for row in (asked.row, *asked.answer)]

    async def upload(self, file_id: str, reach: Reach) -> Upload | None:
        """See Store."""
        return self._uploads.get(file_id) if self._may_use(file_id, reach) else None

    async def entries(self, turn_id: TurnId, reach: Reach, after: int = 0) -> list[Entry]:
        """See Store."""
        asked = self._of(turn_id)
        if asked is None or not self._sees(asked.chat_id, reach):
            return []
        return [entry for entry in asked.journal if entry.seq > after]

    async def turn(self, answer_id: MessageId, reach: Reach) -> StoredTurn | None:
        """See Store."""
        asked = next((a for a in self._asked if a.answer_id == answer_id), None)
        if asked is None or not self._sees(asked.chat_id, reach):
            return None
        turn = StoredTurn(asked.turn_id, asked.answer_id, asked.state, asked.survived)
        if not asked.answer:
            return turn
        answer = asked.answer[0]
        return answered(turn, answer.content, msgspec.json.encode(answer.metadata))

    async def trace(self, name: MessageId | TurnId, reach: Reach) -> Trace | None:
        """See Store."""
        kept = await self.traces("", reach, 10**9)
        found = [trace for trace in kept if name in {trace.message_id, trace.turn_id}]
        return found[0] if found else None

    async def traces(self, name: str, reach: Reach, most: int) -> list[Trace]:
        """See Store."""
        seen = [a for a in self._asked if a.accepted and self._sees(a.chat_id, reach)]
        traces = [traced(asked) for asked in seen]
        return [t for t in traces if name in {"", *names(t)}][-most:]

    async def recording(self, turn_id: TurnId, reach: Reach) -> bytes:
        """See Store."""
        asked = self._of(turn_id)
        return asked.recording if asked and self._sees(asked.chat_id, reach) else b""

    async def check(self) -> None:
        """See Store."""

    async def close(self) -> None:
        """See Store."""

    def _sees(self, chat_id: ChatId, reach: Reach) -> bool:
        return chat_id in self._chats and reach.includes(self._chats[chat_id].owner)

    def _may_use(self, file_id: str, reach: Reach) -> bool:
        return file_id in self._uploads and reach.includes(self._owners.get(file_id, ""))

    def _in(self, chat_id: ChatId) -> list[Asked]:
        return [asked for asked in self._asked if asked.chat_id == chat_id]

    def _of(self, turn_id: TurnId) -> Asked | None:
        return next((asked for asked in self._asked if asked.turn_id == turn_id), None)

    def _running(self, turn_id: TurnId) -> Asked | None:
        asked = self._of(turn_id)
        return asked if asked and asked.state == "running" else None

    def _accept(self, write: AcceptTurn) -> bool:
        question, person = write.turn.question, write.turn.person
        if self._of(write.turn.turn_id):
            return True
        facts = (question.chat_id, question.text, wire_time(write.at), question.focus_mode)
        self._chats.setdefault(question.chat_id, StoredChat(*facts, owner=person.name))
        if not self._sees(question.chat_id, person.reach):
            return False
        self._name_files(question, person.reach)
        old = [a for a in self._in(question.chat_id) if a.row.message_id == question.message_id]
        row = old[0].row if old else self._question(write)
        asked = Asked(
            question.chat_id, row, write.turn.turn_id, write.turn.answer_id, [write.entry]
        )
        asked.accepted = write
        if old:
            place = self._asked.index(old[0])
            later = [a for a in self._asked[place:] if a.chat_id == question.chat_id]
            self._asked = [a for a in self._asked if a not in later]
        self._asked.append(asked)
        return True

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
            asked.recording = write.recording

    def _delete(self, write: DeleteChat) -> bool:
        before = self._used()
        if not self._sees(write.chat_id, write.reach):
            return False
        owner = self._chats.pop(write.chat_id).owner
        for name in before - self._used():
            if self._owners.get(name) == owner:
                self._uploads.pop(name, None)
        self._asked = [asked for asked in self._asked if asked.chat_id != write.chat_id]
        return True

    def _import(self, write: ImportChat) -> None:
        if write.chat_id in self._chats:
            return
        facts = (write.chat_id, write.title, wire_time(write.created_at), write.focus_mode)
        self._chats[write.chat_id] = StoredChat(*facts, write.files, write.owner)
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
        for asked in self._asked[: max(0, len(self._asked) - write.recordings)]:
            asked.recording = b""

    def _keep_uploads(self, write: KeepUploads) -> None:
        for upload in write.uploads:
            self._uploads.setdefault(upload.id, upload)
            self._owners.setdefault(upload.id, write.owner)

    def _name_files(self, question: Question, reach: Reach) -> None:
        chat = self._chats[question.chat_id]
        known = {file.file_id for file in chat.files}
        new = [name for name in dict.fromkeys(question.files) if self._may_use(name, reach)]
        files = (ChatFile(self._uploads[name].name, name) for name in new if name not in known)
        self._chats[chat.id] = msgspec.structs.replace(chat, files=(*chat.files, *files))

    def _used(self) -> set[str]:
        return {file.file_id for chat in self._chats.values() for file in chat.files}

    def _next_row(self) -> int:
        self._rows += 1
        return self._rows

    _WRITERS: Mapping[type[Write], Callable[[Any, Any], bool | None]] = {
        AcceptTurn: _accept,
        AppendEntries: _append,
        EndTurn: _end,
        DeleteChat: _delete,
        ImportChat: _import,
        KeepUploads: _keep_uploads,
        ForgetJournals: _forget,
    }


def names(trace: Trace) -> tuple[str, ...]:
    """What a turn is found by."""
    return trace.chat_id, trace.session_id, trace.turn_id, trace.message_id


def traced(asked: Asked) -> Trace:
    """A turn as whoever looks into it sees it."""
    assert asked.accepted
    turn, question = asked.accepted.turn, asked.accepted.turn.question
    ended_at = asked.answer[0].metadata["createdAt"] if asked.answer else ""
    bare = Trace(
        *(turn.turn_id, turn.answer_id, question.chat_id, turn.session_id, asked.state),
        *(question.text, question.focus_mode, question.optimization_mode),
        *(turn.models.chat.provider, turn.models.chat.model),
        *(wire_time(asked.accepted.at), ended_at),
    )
    end = asked.journal[-1].event if asked.journal else None
    if not isinstance(end, END):
        return bare
    key = getattr(end, "key", "")
    return msgspec.structs.replace(bare, error=key, stages=end.stages, spans=end.story)
