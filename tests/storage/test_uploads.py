"""Uploads: how long each stays, in every store."""

from datetime import timedelta
from pathlib import Path

import msgspec
import pytest

from protocol.access import EVERYBODY
from protocol.errors import StorageUnavailable
from protocol.ids import ChatId
from protocol.values import ChatFile, ModelChoice, Upload, UploadPassage
from protocol.writes import AcceptTurn, KeepUploads
from storage.drafts import TOGETHER, Draft
from storage.sqlite import SqliteStore
from storage.store import Store
from storage.uploads import UNUSED
from tests.storage.examples import NOON, asked, deleted, ended

PASSAGES = (UploadPassage("t", "one", b"\0\1\2\3"), UploadPassage("t", "two"))


def upload(name: str) -> Upload:
    """A file of two passages."""
    return Upload(name, f"{name}.pdf", 7, PASSAGES, ModelChoice("local", "m"))


def kept(*names: str) -> KeepUploads:
    """Uploads of these names."""
    return KeepUploads(tuple(map(upload, names)), NOON)


def with_files(turn: AcceptTurn, *files: str) -> AcceptTurn:
    """The question, asked with these files."""
    question = msgspec.structs.replace(turn.turn.question, files=files)
    info = msgspec.structs.replace(turn.turn, question=question)
    return msgspec.structs.replace(turn, turn=info)


async def test_upload_reads_as_it_was_kept(store: Store) -> None:
    """Passages in their order, vectors to the byte; kept twice it is there once."""
    await store.commit([kept("a", "b")])
    await store.commit([kept("a")])
    assert await store.upload("a", EVERYBODY) == upload("a")
    assert await store.upload("nobody", EVERYBODY) is None


async def test_chat_lists_the_files_it_was_asked_with(store: Store) -> None:
    """Each once, in the order of asking; ids that nobody has are passed over."""
    await store.commit([kept("a", "b"), with_files(asked("1", "c", "m1"), "b", "nobody")])
    await store.commit([with_files(asked("2", "c", "m2"), "b", "a", "a")])
    assert (await store.chat(ChatId("c"), EVERYBODY)).files == (
        ChatFile("b.pdf", "b"),
        ChatFile("a.pdf", "a"),
    )


async def test_deleted_chat_takes_along_what_only_it_used(store: Store) -> None:
    """What another chat uses stays, until that goes too."""
    await store.commit([kept("own", "both", "unused")])
    await store.commit([with_files(asked("1", "c", "m"), "own", "both"), ended("1")])
    await store.commit([with_files(asked("2", "d", "m"), "both")])
    await store.commit([deleted("c")])
    assert [name for name in ("own", "both", "unused") if await store.upload(name, EVERYBODY)] == [
        "both",
        "unused",
    ]
    await store.commit([deleted("d")])
    assert await store.upload("both", EVERYBODY) is None
    assert await store.upload("unused", EVERYBODY) is not None


async def test_upload_that_no_question_named_is_forgotten(sqlite_store: SqliteStore) -> None:
    """After a week, with the next upload; what a chat uses stays as long as the chat."""
    await sqlite_store.commit([kept("used", "unused")])
    await sqlite_store.commit([with_files(asked("1", "c", "m"), "used")])
    later = NOON + UNUSED + timedelta(seconds=1)
    await sqlite_store.commit([KeepUploads((upload("new"),), later)])
    assert [
        name for name in ("used", "unused", "new") if await sqlite_store.upload(name, EVERYBODY)
    ] == [
        "used",
        "new",
    ]
    assert await sqlite_store._reader.rows("SELECT count(*) FROM upload_passage") == [(4,)]


async def test_draft_leaves_no_name_on_the_disk(tmp_path: Path) -> None:
    """What is received lies on the disk, but nothing can be left behind."""
    draft = Draft("a", tmp_path / "new", at_once)
    await draft.write(b"x" * (TOGETHER + 5))
    await draft.write(b"y")
    await draft.finish()
    assert (draft.size_bytes, draft.file.read()) == (TOGETHER + 6, b"x" * (TOGETHER + 5) + b"y")
    assert list((tmp_path / "new").iterdir()) == []
    draft.close()


async def test_draft_without_room_is_told(tmp_path: Path) -> None:
    """Where nothing can be written the error is one for the client."""
    (tmp_path / "file").write_text("no folder")
    draft = Draft("a", tmp_path / "file", at_once)
    with pytest.raises(StorageUnavailable):
        await draft.finish()
    draft.close()


async def at_once(work: object) -> None:
    """Offload without a thread."""
    assert callable(work)
    work()
