"""Damaged files: noticed at the opening, named, and left byte for byte as they are."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from protocol.access import EVERYBODY
from protocol.errors import StorageUnavailable
from protocol.ids import ChatId
from storage.database import Database
from storage.soundness import refuse_damaged
from storage.sqlite import SqliteStore
from tests.storage.examples import asked, ended, wrote

PAGE = 4096
TURNS = 40
Harm = Callable[[Path], None]


@pytest.fixture
async def left(tmp_path: Path) -> Path:
    """A file with most of its rows in it, and beside it a log with a few more, as after a kill."""
    store = await SqliteStore.open(tmp_path / "alive" / "db.sqlite")
    await store.commit([asked(f"{n}", "c", f"m{n}", "why? " * 500) for n in range(TURNS)])
    await store._writer.rows("PRAGMA wal_checkpoint(TRUNCATE)")
    await store.commit([wrote("1", "because"), ended("1", after=2)])
    path = tmp_path / "left" / "db.sqlite"
    path.parent.mkdir()
    for name in (path.name, log_of(path).name):
        shutil.copy(tmp_path / "alive" / name, path.with_name(name))
    await store.close()
    return path


@pytest.fixture(params=["with a log", "without a log"])
async def harmed(request: pytest.FixtureRequest, left: Path) -> Path:
    """A file to be harmed, of a process that was killed or of one that ended well."""
    if request.param == "without a log":
        await (await SqliteStore.open(left)).close()
    return left


def log_of(path: Path) -> Path:
    """SQLite's log beside the file."""
    return path.with_name(f"{path.name}-wal")


def contents(path: Path) -> dict[str, bytes]:
    """What the file and its log hold."""
    return {file.name: file.read_bytes() for file in (path, log_of(path)) if file.exists()}


def cut_in_half(path: Path) -> None:
    """Lose the end of the file."""
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])


def spoil_the_middle(path: Path) -> None:
    """Put bytes of no meaning over two pages."""
    with path.open("r+b") as file:
        file.seek(path.stat().st_size // 2 // PAGE * PAGE)
        file.write(bytes(range(1, 256)) * 32)


def replace(path: Path) -> None:
    """Put somebody's text in the place of the file."""
    path.write_bytes(b"Dear diary, " * 1_000)


def empty(path: Path) -> None:
    """Lose all of the file."""
    path.write_bytes(b"")


def remove(path: Path) -> None:
    """Lose the file."""
    path.unlink()


async def refused(path: Path) -> str:
    """The sentence that opening is refused with, twice, while nothing is changed."""
    before = contents(path)
    for _ in range(2):
        with pytest.raises(StorageUnavailable) as caught:
            await SqliteStore.open(path)
        assert contents(path) == before
    return str(caught.value)


@pytest.mark.parametrize(
    ("harm", "problem"),
    [
        (cut_in_half, "is damaged"),
        (spoil_the_middle, "is damaged"),
        (replace, "is not a database"),
    ],
)
async def test_damaged_file_is_named_and_left_as_it_is(
    harmed: Path, harm: Harm, problem: str
) -> None:
    """Neither the opening nor the log beside the file writes over what may still be saved."""
    harm(harmed)
    assert f"{harmed} {problem}" in await refused(harmed)


@pytest.mark.parametrize("harm", [empty, remove])
async def test_log_of_an_empty_file_is_kept(left: Path, harm: Harm) -> None:
    """SQLite would remove it: the rows in it are all that there is."""
    harm(left)
    log = log_of(left).read_bytes()
    with pytest.raises(StorageUnavailable, match=r"is empty, but its log db\.sqlite-wal is not"):
        await SqliteStore.open(left)
    assert log_of(left).read_bytes() == log


async def test_sound_file_is_opened_with_its_log(left: Path) -> None:
    """What a killed process left is no damage."""
    store = await SqliteStore.open(left)
    messages = await store.messages(ChatId("c"), EVERYBODY)
    assert [m.content for m in messages if m.message_id == "a1"] == ["because"]
    assert len(messages) == 2 * TURNS  # the turns that ran are interrupted
    await store.close()


async def test_torn_end_of_a_log_is_no_damage(left: Path) -> None:
    """A power cut leaves it so; what was committed before stands."""
    with log_of(left).open("ab") as log:
        log.write(b"\xff" * 3_000)
    store = await SqliteStore.open(left)
    texts = [message.content for message in await store.messages(ChatId("c"), EVERYBODY)]
    await store.close()
    assert len(texts) > TURNS
    assert "because" in texts


async def test_search_for_damage_ends_in_time(left: Path) -> None:
    """A file too large to be read in time is opened with what was read of it."""
    spoil_the_middle(left)
    await refuse_damaged(left, Database.open, deadline_s=0)
    with pytest.raises(StorageUnavailable, match="is damaged"):
        await refuse_damaged(left, Database.open)
