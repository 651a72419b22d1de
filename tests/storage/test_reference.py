"""Chats of the reference back end, taken into a store."""

import json
import sqlite3
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from protocol.access import EVERYBODY
from protocol.errors import NotImportable
from protocol.ids import ChatId
from protocol.values import ChatFile
from storage.reference import Tally, import_reference
from storage.reference_rows import read_metadata, read_time
from storage.sqlite import SqliteStore
from storage.store import Store
from tests.storage.examples import NOON, asked, ended
from tests.storage.reference_example import (
    AT,
    AT_ISO,
    SAID_AT,
    Row,
    answer_row,
    make_reference,
    question_row,
)


async def taken(store: Store, path: Path) -> Tally:
    """The tally of an import."""
    return await import_reference(path, store, now=NOON)


async def shown(store: Store, chat: str) -> list[tuple[str, str, str]]:
    """The messages of a chat in short."""
    rows = await store.messages(ChatId(chat), EVERYBODY)
    return [(row.role, row.message_id, row.content) for row in rows]


async def test_chat_reads_as_it_did(store: Store, tmp_path: Path) -> None:
    """Title, mode, roles, ids, order and metadata are those of the reference; the time is ISO."""
    rows = [question_row("c", "q1"), answer_row("c", "a1"), question_row("c", "q2", "more?")]
    make_reference(tmp_path / "r", [("c", "why?", AT, "redditSearch")], rows)
    tally = await taken(store, tmp_path / "r")
    assert tally.lines() == ["Took 1 chats with 3 messages."]
    chat = await store.chat(ChatId("c"), EVERYBODY)
    assert (chat.title, chat.created_at, chat.focus_mode) == ("why?", AT_ISO, "redditSearch")
    assert await shown(store, "c") == [
        ("user", "q1", "why?"),
        ("assistant", "a1", "so [1]"),
        ("user", "q2", "more?"),
    ]
    [question, answer, _] = await store.messages(ChatId("c"), EVERYBODY)
    assert question.metadata == {"createdAt": SAID_AT}
    assert answer.metadata["sources"][0]["pageContent"] == "päge"


async def test_order_of_two_questions_at_once_is_kept(store: Store, tmp_path: Path) -> None:
    """Whatever order the rows have there, they have here."""
    rows = [
        answer_row("c", "a0"),
        question_row("c", "q1"),
        question_row("c", "q2"),
        answer_row("c", "a2"),
        answer_row("c", "a1"),
    ]
    make_reference(tmp_path / "r", [("c", "t", AT, "webSearch")], rows)
    await taken(store, tmp_path / "r")
    assert [name for _, name, _ in await shown(store, "c")] == ["a0", "q1", "q2", "a2", "a1"]


async def test_second_import_doubles_nothing(store: Store, tmp_path: Path) -> None:
    """Chats that are here stay as they are; new ones are taken."""
    connection = make_reference(tmp_path / "r", [("c", "t", AT, "m")], [question_row("c", "q")])
    await taken(store, tmp_path / "r")
    connection.execute("INSERT INTO chats VALUES ('d', 't', ?, 'm')", (AT,))
    connection.execute(
        "INSERT INTO messages (content, chatId, messageId, type, metadata) VALUES (?, ?, ?, ?, ?)",
        question_row("d", "q"),
    )
    connection.commit()
    tally = await taken(store, tmp_path / "r")
    assert (tally.chats, dict(tally.left)) == (1, {"chats that are here already": 1})
    assert len(await shown(store, "c")) == 1
    assert len(await store.chats(EVERYBODY)) == 2


async def test_chats_stand_where_their_time_puts_them(store: Store, tmp_path: Path) -> None:
    """Old chats taken over later do not come before newer ones; of the same second, the last."""
    await store.commit([asked("1", "own", "m"), ended("1")])
    chats = [("x", "t", AT, "m"), ("y", "t", AT, "m"), ("z", "t", "2027-01-01T00:00:00Z", "m")]
    make_reference(tmp_path / "r", chats, [question_row(chat[0], "q") for chat in chats])
    await taken(store, tmp_path / "r")
    assert [chat.id for chat in await store.chats(EVERYBODY)] == ["z", "own", "y", "x"]


async def test_taken_chat_goes_on(store: Store, tmp_path: Path) -> None:
    """A question asked in it stands behind, a question asked anew removes what followed."""
    rows = [question_row("c", "q1"), answer_row("c", "a1"), question_row("c", "q2")]
    make_reference(tmp_path / "r", [("c", "t", AT, "m")], [*rows, answer_row("c", "a2")])
    await taken(store, tmp_path / "r")
    await store.commit([asked("1", "c", "q3"), ended("1")])
    assert [name for _, name, _ in await shown(store, "c")][4:] == ["q3", "a1"]
    await store.commit([asked("2", "c", "q2"), ended("2")])
    assert [name for _, name, _ in await shown(store, "c")] == ["q1", "a1", "q2", "a2"]


async def test_files_of_a_chat_are_named(store: Store, tmp_path: Path) -> None:
    """Names and ids are taken over from a newer reference; its old chats have none."""
    files = json.dumps([{"name": "a.pdf", "fileId": "f1"}, {"name": "b.txt", "fileId": "f2"}])
    chats = [("c", "t", AT, "m", files), ("d", "t", AT, "m", "[]"), ("e", "t", AT, "m", "broken")]
    rows = [question_row(chat, "q") for chat in "cde"]
    make_reference(tmp_path / "r", chats, rows, files=True)
    await taken(store, tmp_path / "r")
    assert (await store.chat(ChatId("c"), EVERYBODY)).files == (
        ChatFile("a.pdf", "f1"),
        ChatFile("b.txt", "f2"),
    )
    assert [(await store.chat(ChatId(chat), EVERYBODY)).files for chat in "de"] == [(), ()]


ODD: list[tuple[Row, str]] = [
    (("x", "nowhere", "m", "user", "{}"), "messages whose chat is not there"),
    (("x", None, "m", "user", "{}"), "messages whose chat is not there"),
    (("x", "c", "m", "system", "{}"), "messages of neither user nor assistant"),
    (("x", "c", "m", None, "{}"), "messages of neither user nor assistant"),
    (question_row("c", "q", "again"), "questions with the id of an earlier one in their chat"),
]


@pytest.mark.parametrize(("row", "why"), ODD)
async def test_odd_message_is_left_and_counted(
    store: Store, tmp_path: Path, row: Row, why: str
) -> None:
    """It does not stop the rest."""
    make_reference(tmp_path / "r", [("c", "t", AT, "m")], [question_row("c", "q"), row])
    tally = await taken(store, tmp_path / "r")
    assert dict(tally.left) == {why: 1}
    assert await shown(store, "c") == [("user", "q", "why?")]


@pytest.mark.parametrize(
    "metadata",
    [None, "", "{", "[]", "7", '"text"', b"\xff", "[" * 100_000, '{"a": 1e999}', "NaN", 5],
)
async def test_message_with_unreadable_metadata_is_taken(
    store: Store, tmp_path: Path, metadata: object
) -> None:
    """What was said counts more than what was said about it."""
    row = ("text", "c", "q", "user", metadata)
    make_reference(tmp_path / "r", [("c", "t", AT, "m")], [row])
    tally = await taken(store, tmp_path / "r")
    assert tally.messages == 1
    [message] = await store.messages(ChatId("c"), EVERYBODY)
    assert message.content == "text"
    json.loads(json.dumps(message.metadata))


async def test_rows_of_odd_types_do_not_stop_it(store: Store, tmp_path: Path) -> None:
    """Numbers, nothing, bytes and broken text in any column."""
    chats = [("c", None, None, None), (b"\xff", 5, 5.5, b"\xfe"), ("", "t", AT, "m")]
    rows: list[Row] = [(None, "c", None, "user", "{}"), (b"\xff", "c", 7, "ai", "{}")]
    rows += [(1.5, "c", "z", "human", "{}"), question_row("", "q")]
    make_reference(tmp_path / "r", chats, rows)
    tally = await taken(store, tmp_path / "r")
    assert [role for role, _, _ in await shown(store, "c")] == ["user", "assistant", "user"]
    assert tally.left == {"chats without messages": 1, "chats without an id": 1}


@pytest.mark.parametrize("wal", [False, True])
@pytest.mark.parametrize("running", [False, True])
async def test_source_is_left_untouched(
    store: Store, tmp_path: Path, *, wal: bool, running: bool
) -> None:
    """Not a byte of it changes and no file comes to be beside it, in use or not."""
    (tmp_path / "there").mkdir()
    path = tmp_path / "there" / "db.sqlite"
    connection = make_reference(path, [("c", "t", AT, "m")], [question_row("c", "q")], wal=wal)
    if not running:
        connection.close()
    before = {file: (file.read_bytes(), file.stat()) for file in path.parent.iterdir()}
    assert (await taken(store, path)).chats == 1
    after = {file: (file.read_bytes(), file.stat()) for file in path.parent.iterdir()}
    assert {file: content for file, (content, _) in after.items()} == {
        file: content for file, (content, _) in before.items()
    }
    assert after[path][1].st_mtime_ns == before[path][1].st_mtime_ns


def not_a_database(path: Path) -> None:
    """A text file."""
    path.write_text("text that is longer than the head of a database")


def another_database(path: Path) -> None:
    """A database of another program."""
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE chats (id text)")


def damaged(path: Path) -> None:
    """A database with its middle gone."""
    make_reference(path, [("c", "t" * 9_000, AT, "m")], [question_row("c", "q")]).close()
    data = path.read_bytes()
    path.write_bytes(data[:4096] + b"\xee" * (len(data) - 4096))


def half(path: Path) -> None:
    """A database of which only the head is there."""
    path.write_bytes(b"SQLite format 3\0")


def nothing(path: Path) -> None:
    """No file."""


@pytest.mark.parametrize("make", [not_a_database, another_database, damaged, half, nothing])
async def test_what_is_no_reference_database_is_refused(
    store: Store, tmp_path: Path, make: Any
) -> None:
    """In one plain sentence that names the file; nothing is kept."""
    make(tmp_path / "r")
    with pytest.raises(NotImportable) as caught:
        await taken(store, tmp_path / "r")
    assert str(tmp_path / "r") in str(caught.value)
    assert "\n" not in str(caught.value)
    assert await store.chats(EVERYBODY) == []


async def test_own_database_is_refused(tmp_path: Path) -> None:
    """Also the very one that would be imported into."""
    store = await SqliteStore.open(tmp_path / "db.sqlite")
    with pytest.raises(NotImportable):
        await taken(store, tmp_path / "db.sqlite")
    await store.close()


@pytest.mark.parametrize(
    ("text", "iso"),
    [
        (AT, AT_ISO),
        ("Tue Feb 29 2028 00:00:00 GMT-0330 (Neufundland)", "2028-02-29T03:30:00+00:00"),
        ("2026-11-22T12:03:50.493Z", "2026-11-22T12:03:50.493+00:00"),
        ("2026-11-22T12:03:50+01:00", "2026-11-22T11:03:50+00:00"),
        (1_763_812_000_000, "2025-11-22T11:46:40+00:00"),
    ],
)
def test_times_are_read_as_javascript_reads_them(text: object, iso: str) -> None:
    """As Date writes them, as ISO 8601, as milliseconds."""
    assert read_time(text) == datetime.fromisoformat(iso)


@pytest.mark.parametrize(
    "text", ["", "soon", None, b"x", "Sun Foo 22 2026 12:04:55 GMT+0100", 1e30]
)
def test_what_is_no_time_is_none(text: object) -> None:
    """Then the chat gets the time of its first message, or that of the chat before."""
    assert read_time(text) is None


async def test_chat_without_a_time_gets_that_of_its_first_message(
    store: Store, tmp_path: Path
) -> None:
    """The order of the list stays as it was."""
    make_reference(tmp_path / "r", [("c", "t", "gone", "m")], [question_row("c", "q")])
    await taken(store, tmp_path / "r")
    assert (await store.chat(ChatId("c"), EVERYBODY)).created_at == SAID_AT


@pytest.mark.parametrize("times", [1, 2, 3])
def test_metadata_may_be_encoded_more_than_once(times: int) -> None:
    """What it says is the same, halves of surrogate pairs aside."""
    text: Any = {"a": "ä\ud800", "n": [1, 2.5]}
    for _ in range(times):
        text = json.dumps(text)
    found = read_metadata(text)
    assert found is not None
    assert json.loads(found[0]) == {"a": "ä\ufffd", "n": [1, 2.5]}


async def test_thousand_chats_take_little_time(sqlite_store: SqliteStore, tmp_path: Path) -> None:
    """All are there, and in their order; the time is measured by who runs the bench."""
    chats = [(f"c{n}", f"t{n}", AT, "webSearch") for n in range(1_000)]
    rows = [
        row for n in range(1_000) for row in (question_row(f"c{n}", "q"), answer_row(f"c{n}", "a"))
    ]
    make_reference(tmp_path / "r", chats, rows)
    began = datetime.now(UTC)
    tally = await taken(sqlite_store, tmp_path / "r")
    assert (datetime.now(UTC) - began).total_seconds() < 10
    assert (tally.chats, tally.messages) == (1_000, 2_000)
    assert [chat.id for chat in await sqlite_store.chats(EVERYBODY)] == [
        f"c{n}" for n in range(999, -1, -1)
    ]
