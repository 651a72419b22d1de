"""How each kind of write becomes rows; one function and one row of the table for each."""

from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, get_args

from protocol.access import Reach
from protocol.accounts import AccountWrite
from protocol.events import Entry
from protocol.ids import ChatId, TurnId
from protocol.writes import (
    AcceptTurn,
    AppendEntries,
    DeleteChat,
    EndTurn,
    ForgetJournals,
    ImportChat,
    ImportedMessage,
    KeepUploads,
    Write,
)
from storage.accounts import change_accounts
from storage.database import Database
from storage.metadata import answer_metadata, question_metadata, wire_time
from storage.text import as_json
from storage.traces import forget_recordings, keep_recording
from storage.turns import forget_journals
from storage.uploads import forget_files, keep_uploads, name_files

_ADD_CHAT = """
INSERT INTO chat (id, title, created_at, focus_mode, owner) VALUES (?, ?, ?, ?, ?)
ON CONFLICT (id) DO NOTHING
"""

_FIND_CHAT = "SELECT number FROM chat WHERE id = ? AND coalesce(owner = ?, TRUE)"

_ADD_QUESTION = """
INSERT INTO message (chat, message_id, role, content, metadata)
SELECT number, ?, 'user', ?, ? FROM chat WHERE id = ?
ON CONFLICT (chat, message_id) WHERE role = 'user' DO NOTHING
"""

_FIND_QUESTION = """
SELECT message.chat, message.id FROM message JOIN chat ON chat.number = message.chat
WHERE chat.id = ? AND message.message_id = ? AND message.role = 'user'
"""

_ADD_TURN = """
INSERT INTO turn (
    id, question, owner, state, session_id, answer_id, asked, focus_mode, optimization_mode,
    files, chat_provider, chat_model, embedding_provider, embedding_model, accepted_at
)
SELECT ?, message.id, ?, 'running', ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?
FROM message JOIN chat ON chat.number = message.chat
WHERE chat.id = ? AND message.message_id = ? AND message.role = 'user'
"""

# Lines of a turn that is gone or has ended find no row to belong to, and are dropped.
_ADD_ENTRY = """
INSERT INTO entry (turn, seq, event)
SELECT number, ?, ? FROM turn WHERE id = ? AND state = 'running'
ON CONFLICT (turn, seq) DO UPDATE SET event = excluded.event
"""

_ADD_ANSWER = """
INSERT INTO message (chat, question, message_id, role, content, metadata)
SELECT message.chat, message.id, turn.answer_id, 'assistant', ?, ?
FROM turn JOIN message ON message.id = turn.question
WHERE turn.id = ? AND turn.state = 'running'
"""

# A commit that seemed to fail may have gone through: what its process says later is the truth.
_REOPEN = """
UPDATE turn SET state = 'running' WHERE id = ? AND owner = ? AND state <> 'running'
"""

_DROP_ANSWER = """
DELETE FROM message WHERE role = 'assistant' AND (question, message_id) IN (
    SELECT question, answer_id FROM turn WHERE id = ?
)
"""

_END_TURN = """
UPDATE turn SET state = ?, survived = ?, ended_at = ? WHERE id = ? AND state = 'running'
"""

# Numbers of messages are never used again, so this may be more than the highest there is.
_LAST_MESSAGE = "SELECT coalesce(max(seq), 0) FROM sqlite_sequence WHERE name = 'message'"

_ADD_MESSAGE = """
INSERT INTO message (id, chat, question, message_id, role, content, metadata)
VALUES (?, ?, ?, ?, ?, ?, ?)
"""

_ADD_FILE = """
INSERT INTO chat_file (chat, file_id, name) VALUES (?, ?, ?)
ON CONFLICT (chat, file_id) DO NOTHING
"""


class Batch:
    """One transaction on its way; ``refused`` are the writes that could not be done."""

    def __init__(self, database: Database, owner: int) -> None:
        self.database = database
        self.owner = owner
        self.refused: list[Write] = []

    async def apply(self, writes: Sequence[Write]) -> None:
        """Turn the writes into rows, in order; the transaction is the caller's."""
        for write in writes:
            await _WRITERS[type(write)](self, write)


async def _accept_turn(batch: Batch, write: AcceptTurn) -> None:
    """Keep chat, question and turn; a turn that is there already was given twice."""
    question, reach = write.turn.question, write.turn.person.reach
    if await batch.database.rows("SELECT 1 FROM turn WHERE id = ?", write.turn.turn_id):
        return
    is_new = await _keep_chat(batch, write)
    if not is_new and not await _finds_chat(batch, question.chat_id, reach):
        batch.refused.append(write)
        return
    await _keep_question(batch, write)
    await name_files(batch.database, question.chat_id, question.files, reach)
    await _keep_turn(batch, write)
    await _keep_entries(batch, write.turn.turn_id, [write.entry])


async def _finds_chat(batch: Batch, chat_id: ChatId, reach: Reach) -> bool:
    return bool(await batch.database.rows(_FIND_CHAT, chat_id, reach.owner))


async def _keep_chat(batch: Batch, write: AcceptTurn) -> bool:
    question, owner = write.turn.question, write.turn.person.name
    facts = (question.chat_id, question.text, wire_time(write.at), question.focus_mode)
    return bool(await batch.database.run(_ADD_CHAT, *facts, owner))


async def _keep_question(batch: Batch, write: AcceptTurn) -> None:
    question = write.turn.question
    metadata = question_metadata(write.at)
    values = (question.message_id, question.text, metadata, question.chat_id)
    if not await batch.database.run(_ADD_QUESTION, *values):
        await _forget_what_followed(batch, write)


async def _forget_what_followed(batch: Batch, write: AcceptTurn) -> None:
    """Remove what stands behind a question in its chat, and the turns it had before.

    A turn that still runs is removed with its question or as one of these, so that nothing is
    left to which it could add its answer.
    """
    question = write.turn.question
    [(chat, row)] = await batch.database.rows(_FIND_QUESTION, question.chat_id, question.message_id)
    await batch.database.run(
        "DELETE FROM message WHERE chat = ? AND coalesce(question, id) >= ? AND id <> ?",
        chat,
        row,
        row,
    )
    await batch.database.run("DELETE FROM turn WHERE question = ?", row)


async def _keep_turn(batch: Batch, write: AcceptTurn) -> None:
    turn, question, models = write.turn, write.turn.question, write.turn.models
    await batch.database.run(
        _ADD_TURN,
        turn.turn_id,
        batch.owner,
        turn.session_id,
        turn.answer_id,
        question.text,
        question.focus_mode,
        question.optimization_mode,
        as_json(question.files),
        models.chat.provider,
        models.chat.model,
        models.embedding.provider,
        models.embedding.model,
        wire_time(write.at),
        question.chat_id,
        question.message_id,
    )


async def _keep_entries(batch: Batch, turn_id: TurnId, entries: Iterable[Entry]) -> None:
    rows = ((entry.seq, as_json(entry.event), turn_id) for entry in entries)
    await batch.database.run_many(_ADD_ENTRY, rows)


async def _append_entries(batch: Batch, write: AppendEntries) -> None:
    await _keep_entries(batch, write.turn_id, write.entries)


async def _end_turn(batch: Batch, write: EndTurn) -> None:
    """Keep the last lines and the answer; nothing for a turn that is gone or another's."""
    run = batch.database.run
    if await run(_REOPEN, write.turn_id, batch.owner):
        await run(_DROP_ANSWER, write.turn_id)
    await _keep_entries(batch, write.turn_id, write.entries)
    metadata = answer_metadata(write.at, write.sources, write.error)
    await run(_ADD_ANSWER, write.text, metadata, write.turn_id)
    if write.recording:
        await keep_recording(batch.database, write.turn_id, write.recording)
    survived = write.survived or write.entries[-1].seq
    await run(_END_TURN, write.state, survived, wire_time(write.at), write.turn_id)


async def _delete_chat(batch: Batch, write: DeleteChat) -> None:
    if not await _finds_chat(batch, write.chat_id, write.reach):
        batch.refused.append(write)
        return
    await forget_files(batch.database, write.chat_id)
    await batch.database.run("DELETE FROM chat WHERE id = ?", write.chat_id)


async def _import_chat(batch: Batch, write: ImportChat) -> None:
    """Keep a chat with its messages and files, unless one of that id is there."""
    database = batch.database
    facts = (write.chat_id, write.title, wire_time(write.created_at), write.focus_mode)
    if not await database.run(_ADD_CHAT, *facts, write.owner):
        return
    [(chat,)] = await database.rows("SELECT number FROM chat WHERE id = ?", write.chat_id)
    [(last,)] = await database.rows(_LAST_MESSAGE)
    await database.run_many(_ADD_MESSAGE, numbered(write.messages, chat, last + 1))
    files = [(chat, file.file_id, file.name) for file in write.files]
    await database.run_many(_ADD_FILE, files)


def numbered(
    messages: Iterable[ImportedMessage], chat: int, first: int
) -> Iterator[tuple[object, ...]]:
    """Rows of messages: an answer belongs to the question before it, if there is one."""
    question: int | None = None
    for number, message in enumerate(messages, first):
        is_question = message.role == "user"
        question = number if is_question else question
        yield (
            number,
            chat,
            None if is_question else question,
            message.message_id,
            message.role,
            message.text,
            message.metadata,
        )


async def _keep_uploads(batch: Batch, write: KeepUploads) -> None:
    await keep_uploads(batch.database, write)


async def _forget_journals(batch: Batch, write: ForgetJournals) -> None:
    await forget_journals(batch.database, write)
    await forget_recordings(batch.database, write)


async def _change_accounts(batch: Batch, write: AccountWrite) -> None:
    if not await change_accounts(batch.database, write):
        batch.refused.append(write)


_WRITERS: Mapping[type[Write], Callable[[Batch, Any], Awaitable[None]]] = {
    AcceptTurn: _accept_turn,
    AppendEntries: _append_entries,
    EndTurn: _end_turn,
    DeleteChat: _delete_chat,
    ForgetJournals: _forget_journals,
    ImportChat: _import_chat,
    KeepUploads: _keep_uploads,
    **dict.fromkeys(get_args(AccountWrite), _change_accounts),
}
