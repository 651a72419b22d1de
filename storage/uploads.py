"""How uploads become rows, and how long they stay."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from protocol.access import Reach
from protocol.ids import ChatId
from protocol.values import ModelChoice, Upload, UploadPassage
from protocol.writes import KeepUploads
from storage.database import Database, Statements
from storage.metadata import wire_time

# An upload that no question has named for so long will be named by none: its page is gone.
UNUSED = timedelta(days=7)

_ADD_UPLOAD = """
INSERT INTO upload (id, name, bytes, embedding_provider, embedding_model, kept_at, owner)
VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING
"""

_ADD_PASSAGE = """
INSERT INTO upload_passage (upload, place, title, text, vector)
SELECT number, ?, ?, ?, ? FROM upload WHERE id = ?
"""

_NAME_FILE = """
INSERT INTO chat_file (chat, file_id, name)
SELECT chat.number, upload.id, upload.name FROM chat, upload
WHERE chat.id = ? AND upload.id = ? AND coalesce(upload.owner = ?, TRUE)
ON CONFLICT (chat, file_id) DO NOTHING
"""

_FORGET_UNUSED = """
DELETE FROM upload WHERE kept_at < ? AND id NOT IN (SELECT file_id FROM chat_file)
"""

# Before its chat goes: what no other chat uses goes with it. An administrator may have asked in it
# with a file of somebody else, which is not the chat's owner's to remove.
_FORGET_WITH_CHAT = """
DELETE FROM upload WHERE id IN (
    SELECT file_id FROM chat_file JOIN chat ON chat.number = chat_file.chat
    WHERE chat.id = ? AND chat.owner = upload.owner
) AND id NOT IN (
    SELECT file_id FROM chat_file JOIN chat ON chat.number = chat_file.chat WHERE chat.id <> ?
)
"""

_PASSAGES = """
SELECT upload.id, upload.name, bytes, embedding_provider, embedding_model, title, text, vector
FROM upload JOIN upload_passage ON upload_passage.upload = upload.number
WHERE upload.id = ? AND coalesce(upload.owner = ?, TRUE) ORDER BY place
"""


def keep_uploads(statements: Statements, write: KeepUploads) -> None:
    """Keep the uploads with their passages; given twice they count once."""
    statements.run(_FORGET_UNUSED, _time_before(write.at))
    for upload in write.uploads:
        _keep(statements, upload, write)


def _keep(statements: Statements, upload: Upload, write: KeepUploads) -> None:
    model = upload.embedding
    facts = (upload.id, upload.name, upload.size_bytes, model.provider, model.model)
    if not statements.run(_ADD_UPLOAD, *facts, wire_time(write.at), write.owner):
        return
    rows = (
        (place, passage.title, passage.text, passage.vector, upload.id)
        for place, passage in enumerate(upload.passages)
    )
    statements.run_many(_ADD_PASSAGE, rows)


def name_files(
    statements: Statements, chat_id: ChatId, file_ids: Iterable[str], reach: Reach
) -> None:
    """Note that a question of the chat was asked with these files.

    Unknown ones, and those of somebody else, are passed over.
    """
    statements.run_many(_NAME_FILE, ((chat_id, name, reach.owner) for name in file_ids))


def forget_files(statements: Statements, chat_id: ChatId) -> None:
    """Remove the uploads of the chat's owner that only this chat uses."""
    statements.run(_FORGET_WITH_CHAT, chat_id, chat_id)


async def read_upload(database: Database, file_id: str, reach: Reach) -> Upload | None:
    """An upload with its passages, in their order; ``None`` for an unknown one."""
    rows = await database.rows(_PASSAGES, file_id, reach.owner)
    if not rows:
        return None
    name, size_bytes, provider, model = rows[0][1:5]
    passages = tuple(UploadPassage(*row[5:]) for row in rows)
    return Upload(file_id, name, size_bytes, passages, ModelChoice(provider, model))


def _time_before(at: datetime) -> str:
    return wire_time(at - UNUSED)
