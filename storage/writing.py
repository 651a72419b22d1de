"""How each kind of write becomes rows; one function and one row of the table for each."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
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
from storage.database import Statements
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

    def __init__(self, statements: Statements, owner: int) -> None:
        self.statements = statements
        self.owner = owner
        self.refused: list[Write] = []


def apply(writes: Sequence[Write], owner: int, statements: Statements) -> list[Write]:
    """Turn the writes into rows, in order; those that could not be done.

    The transaction is the caller's; ``owner`` is the slot of the process.
    """
    batch = Batch(statements, owner)
    for write in writes:
        _WRITERS[type(write)](batch, write)
    return batch.refused


def _accept_turn(batch: Batch, write: AcceptTurn) -> None:
    """Keep chat, question and turn; a turn that is there already was given twice."""
    question, reach = write.turn.question, write.turn.person.reach
    if batch.statements.rows("SELECT 1 FROM turn WHERE id = ?", write.turn.turn_id):
        return
    is_new = _keep_chat(batch, write)
    if not is_new and not _finds_chat(batch, question.chat_id, reach):
        batch.refused.append(write)
        return
    _keep_question(batch, write)
    name_files(batch.statements, question.chat_id, question.files, reach)
    _keep_turn(batch, write)
    _keep_entries(batch, write.turn.turn_id, [write.entry])


def _finds_chat(batch: Batch, chat_id: ChatId, reach: Reach) -> bool:
    return bool(batch.statements.rows(_FIND_CHAT, chat_id, reach.owner))


def _keep_chat(batch: Batch, write: AcceptTurn) -> bool:
    question, owner = write.turn.question, write.turn.person.name
    facts = (question.chat_id, question.text, wire_time(write.at), question.focus_mode)
    return bool(batch.statements.run(_ADD_CHAT, *facts, owner))


def _keep_question(batch: Batch, write: AcceptTurn) -> None:
    question = write.turn.question
    metadata = question_metadata(write.at)
    values = (question.message_id, question.text, metadata, question.chat_id)
    if not batch.statements.run(_ADD_QUESTION, *values):
        _forget_what_followed(batch, write)


def _forget_what_followed(batch: Batch, write: AcceptTurn) -> None:
    """Remove what stands behind a question in its chat, and the turns it had before.

    A turn that still runs is removed with its question or as one of these, so that nothing is
    left to which it could add its answer.
    """
    question = write.turn.question
    [(chat, row)] = batch.statements.rows(_FIND_QUESTION, question.chat_id, question.message_id)
    batch.statements.run(
        "DELETE FROM message WHERE chat = ? AND coalesce(question, id) >= ? AND id <> ?",
        chat,
        row,
        row,
    )
    batch.statements.run("DELETE FROM turn WHERE question = ?", row)


def _keep_turn(batch: Batch, write: AcceptTurn) -> None:
    turn, question, models = write.turn, write.turn.question, write.turn.models
    batch.statements.run(
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


def _keep_entries(batch: Batch, turn_id: TurnId, entries: Iterable[Entry]) -> None:
    rows = ((entry.seq, as_json(entry.event), turn_id) for entry in entries)
    batch.statements.run_many(_ADD_ENTRY, rows)


def _append_entries(batch: Batch, write: AppendEntries) -> None:
    _keep_entries(batch, write.turn_id, write.entries)


def _end_turn(batch: Batch, write: EndTurn) -> None:
    """Keep the last lines and the answer; nothing for a turn that is gone or another's."""
    run = batch.statements.run
    if run(_REOPEN, write.turn_id, batch.owner):
        run(_DROP_ANSWER, write.turn_id)
    _keep_entries(batch, write.turn_id, write.entries)
    metadata = answer_metadata(write.at, write.sources, write.error)
    run(_ADD_ANSWER, write.text, metadata, write.turn_id)
    if write.recording:
        keep_recording(batch.statements, write.turn_id, write.recording)
    survived = write.survived or write.entries[-1].seq
    run(_END_TURN, write.state, survived, wire_time(write.at), write.turn_id)


def _delete_chat(batch: Batch, write: DeleteChat) -> None:
    if not _finds_chat(batch, write.chat_id, write.reach):
        batch.refused.append(write)
        return
    forget_files(batch.statements, write.chat_id)
    batch.statements.run("DELETE FROM chat WHERE id = ?", write.chat_id)


def _import_chat(batch: Batch, write: ImportChat) -> None:
    """Keep a chat with its messages and files, unless one of that id is there."""
    statements = batch.statements
    facts = (write.chat_id, write.title, wire_time(write.created_at), write.focus_mode)
    if not statements.run(_ADD_CHAT, *facts, write.owner):
        return
    [(chat,)] = statements.rows("SELECT number FROM chat WHERE id = ?", write.chat_id)
    [(last,)] = statements.rows(_LAST_MESSAGE)
    statements.run_many(_ADD_MESSAGE, numbered(write.messages, chat, last + 1))
    files = [(chat, file.file_id, file.name) for file in write.files]
    statements.run_many(_ADD_FILE, files)


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


def _keep_uploads(batch: Batch, write: KeepUploads) -> None:
    keep_uploads(batch.statements, write)


def _forget_journals(batch: Batch, write: ForgetJournals) -> None:
    forget_journals(batch.statements, write)
    forget_recordings(batch.statements, write)


def _change_accounts(batch: Batch, write: AccountWrite) -> None:
    if not change_accounts(batch.statements, write):
        batch.refused.append(write)


_WRITERS: Mapping[type[Write], Callable[[Batch, Any], None]] = {
    AcceptTurn: _accept_turn,
    AppendEntries: _append_entries,
    EndTurn: _end_turn,
    DeleteChat: _delete_chat,
    ForgetJournals: _forget_journals,
    ImportChat: _import_chat,
    KeepUploads: _keep_uploads,
    **dict.fromkeys(get_args(AccountWrite), _change_accounts),
}
