"""Turns of processes that have died, and of those that have not."""

from pathlib import Path

import pytest

from protocol.access import EVERYBODY
from protocol.errors import StorageUnavailable
from protocol.events import Accepted, Delta, Entry, Failed, SourcesFound
from protocol.ids import ChatId, MessageId, TurnId
from protocol.values import Node
from protocol.writes import AppendEntries
from storage.database import Database
from storage.slots import Slot, is_held
from storage.sqlite import SqliteStore
from tests.storage.examples import asked, ended, wrote
from tests.storage.processes import child


async def test_committed_row_outlives_a_killed_process(path: Path) -> None:
    """What commit has returned for is there after kill -9."""
    async with child("keep", path, "c") as other:
        other.go()
        await other.says("done")
        await other.kill()
    store = await SqliteStore.open(path)
    assert [m.content for m in await store.messages(ChatId("c"), EVERYBODY)] == ["why?", "because"]
    await store.close()


async def test_turn_of_a_killed_process_is_interrupted(path: Path) -> None:
    """At the next opening the text of its journal is its answer, marked, and its journal ends."""
    async with child("begin", path, "c") as other:
        other.go()
        await other.says("done")
        await other.kill()
    store = await SqliteStore.open(path)
    [_, answer] = await store.messages(ChatId("c"), EVERYBODY)
    assert (answer.content, answer.role) == ("half an answer", "assistant")
    assert (answer.message_id, answer.metadata["error"]) == ("ac", "INTERRUPTED")
    turn = await store.turn(MessageId("ac"), EVERYBODY)
    assert turn is not None
    assert (turn.state, turn.survived) == ("interrupted", 3)
    last = (await store.entries(TurnId("c"), EVERYBODY))[-1]
    assert last.seq == 4
    assert isinstance(last.event, Failed)
    assert last.event.key == "INTERRUPTED"
    await store.close()


async def test_turn_of_a_living_process_is_left_alone(path: Path) -> None:
    """A second process may open the store and write to it while the first goes on."""
    async with child("begin", path, "c") as other:
        other.go()
        await other.says("done")
        store = await SqliteStore.open(path)
        assert len(await store.messages(ChatId("c"), EVERYBODY)) == 1
        await store.commit([asked("mine", "mine", "m"), ended("mine")])
        await store.close()
        again = await SqliteStore.open(path)
        assert len(await store_texts(again, "c")) == 1
        await other.kill()
        await again.close()
    last = await SqliteStore.open(path)
    assert await store_texts(last, "c") == ["why?", "half an answer"]
    await last.close()


async def test_server_that_starts_again_recovers_beside_another_process(path: Path) -> None:
    """The turns of the dead are ended even while a third process has the store open."""
    async with child("begin", path, "dead") as first, child("begin", path, "alive") as second:
        for other in (first, second):
            other.go()
            await other.says("done")
        await first.kill()
        store = await SqliteStore.open(path)
        assert await store_texts(store, "dead") == ["why?", "half an answer"]
        assert await store_texts(store, "alive") == ["why?"]
        await store.close()


async def test_turn_without_text_gets_a_sentence(path: Path) -> None:
    """An interrupted answer is never empty: it says what happened, in its journal too."""
    store = await SqliteStore.open(path)
    await store.commit([asked("1", "c", "m")])
    await store.close()
    store = await SqliteStore.open(path)
    [_, answer] = await store.messages(ChatId("c"), EVERYBODY)
    assert "interrupted" in answer.content
    journal = await store.entries(TurnId("1"), EVERYBODY)
    assert [type(entry.event) for entry in journal] == [Accepted, Delta, Failed]
    assert journal[1].event == Delta(answer.content)
    await store.close()


async def test_interrupted_answer_keeps_its_sources(path: Path) -> None:
    """The sources that the journal holds stand beside the interrupted answer."""
    found = Entry(2, SourcesFound((Node("text", "title", "url"),)))
    store = await SqliteStore.open(path)
    await store.commit([asked("1", "c", "m"), AppendEntries(TurnId("1"), (found,))])
    await store.close()
    store = await SqliteStore.open(path)
    [_, answer] = await store.messages(ChatId("c"), EVERYBODY)
    assert [source["metadata"]["url"] for source in answer.metadata["sources"]] == ["url"]
    await store.close()


async def test_spoilt_line_does_not_stop_the_opening(path: Path) -> None:
    """A journal with a line that cannot be read is ended with what can be."""
    store = await SqliteStore.open(path)
    await store.commit([asked("1", "c", "m"), wrote("1", "a", "b", "c")])
    await store.close()
    database = await Database.open(path)
    await database.run("UPDATE entry SET event = '{' WHERE seq = 3")
    await database.close()
    store = await SqliteStore.open(path)
    assert await store_texts(store, "c") == ["why?", "ac"]
    await store.close()


async def test_recovery_happens_once(path: Path) -> None:
    """A turn that has been interrupted stays as it is at later openings."""
    store = await SqliteStore.open(path)
    await store.commit([asked("1", "c", "m"), wrote("1", "a")])
    await store.close()
    for _ in range(3):
        store = await SqliteStore.open(path)
        assert await store_texts(store, "c") == ["why?", "a"]
        assert len(await store.entries(TurnId("1"), EVERYBODY)) == 3
        await store.close()


def test_slots_are_taken_from_below_and_given_back(tmp_path: Path) -> None:
    """Each holder has a number of its own; a free one is taken again."""
    place = tmp_path / "db"
    first, second = Slot.take(place), Slot.take(place)
    assert (first.number, second.number) == (1, 2)
    assert is_held(place, 1)
    first.release()
    first.release()
    assert not is_held(place, 1)
    third = Slot.take(place)
    assert third.number == 1
    second.release()
    third.release()


def test_slot_below_a_file_is_refused(tmp_path: Path) -> None:
    """Where no lock can be made, the store is unavailable."""
    (tmp_path / "file").touch()
    with pytest.raises(StorageUnavailable, match="file"):
        Slot.take(tmp_path / "file" / "db")


async def store_texts(store: SqliteStore, chat: str) -> list[str]:
    return [message.content for message in await store.messages(ChatId(chat), EVERYBODY)]
