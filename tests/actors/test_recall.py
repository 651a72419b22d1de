"""A turn that nobody works on any more is told again from the store."""

import asyncio
from typing import Any

from actors.outlet import Resume, Say
from actors.recall import Recall, Recaller
from actors.supervisor import Tree
from actors.system import System
from protocol.access import EVERYBODY, Reach
from protocol.errors import StorageUnavailable
from protocol.events import Delta, Failed, Finished, SourcesFound
from protocol.ids import MessageId, TurnId
from protocol.values import Node
from protocol.writes import EndTurn
from tests.clock import virtual
from tests.fakes import Inbox
from tests.storage.examples import NOON, asked, ended, entries, wrote
from tests.storage.memory_store import MemoryStore


class Forgetful(MemoryStore):
    """Keeps answers, but no journals."""

    async def entries(self, *_: Any) -> list[Any]:
        """Nothing."""
        return []


class Unwell(MemoryStore):
    """Cannot be read."""

    async def turn(self, _answer_id: Any, _reach: Any) -> Any:
        """Nothing."""
        raise StorageUnavailable("the disk is gone")


async def recalled(
    store: MemoryStore, answer: str, after: int | None, reach: Reach = EVERYBODY
) -> list[Any]:
    """What the outlet was told."""
    tree = Tree(System())
    told: list[Any] = []
    outlet = tree.grow(Inbox, told)
    tree.grow(Recaller, store).tell(Recall(MessageId(answer), after, outlet, reach))
    await asyncio.sleep(0.1)
    await tree.stop(1)
    return told


@virtual
async def test_finished_turn_is_told_from_where_the_client_was() -> None:
    """Its journal is that of the store."""
    store = MemoryStore()
    await store.commit([asked("1", "c", "m"), wrote("1", "a", "b"), ended("1", "ab", after=3)])
    (resume,) = await recalled(store, "a1", 2)
    assert isinstance(resume, Resume)
    assert (resume.after, resume.is_torn) == (2, False)
    assert [entry.seq for entry in resume.journal.entries] == [1, 2, 3, 4]
    assert (resume.journal.text, resume.journal.turn.answer_id) == ("ab", "a1")
    assert resume.journal.ended


@virtual
async def test_client_that_saw_more_than_survived_a_crash_is_torn() -> None:
    """Even where the number it names has been used again by the recovery."""
    store = MemoryStore()
    await store.commit([asked("1", "c", "m"), wrote("1", "a")])
    last = entries(Failed("INTERRUPTED", "stopped"), after=2)
    end = EndTurn(TurnId("1"), last, "interrupted", "a", (), "INTERRUPTED", NOON, 2)
    await store.commit([end])
    for after, is_torn in ((2, False), (3, True), (30, True)):
        (resume,) = await recalled(store, "a1", after)
        assert resume.is_torn is is_torn


@virtual
async def test_forgotten_journal_is_made_of_the_answer_that_is_left() -> None:
    """The client is given the whole text, with its sources and the end it had."""
    for state, end in (("finished", Finished), ("failed", Failed), ("interrupted", Failed)):
        store = Forgetful()
        nodes = (Node("text", "title", "u"),)
        whole = ended("1", "ab", state=state, sources=nodes, after=3)  # type: ignore[arg-type]
        await store.commit([asked("1", "c", "m"), whole])
        (resume,) = await recalled(store, "a1", 0)
        assert resume.is_torn
        kinds = [type(entry.event) for entry in resume.journal.entries]
        assert kinds == [SourcesFound, Delta, end]
        assert resume.journal.sources == nodes


@virtual
async def test_unknown_turn_is_refused_by_its_name() -> None:
    """And so is one that runs in another process."""
    store = MemoryStore()
    await store.commit([asked("1", "c", "m")])
    for answer in ("a1", "a2"):
        for after in (0, None):
            (said,) = await recalled(store, answer, after)
            assert isinstance(said, Say)
            assert '"UNKNOWN_TURN"' in said.frame
            assert f'"messageId":"{answer}"' in said.frame


@virtual
async def test_stop_of_a_turn_that_has_ended_is_silent() -> None:
    """The client has been told its end, or will be when it resumes."""
    store = MemoryStore()
    await store.commit([asked("1", "c", "m"), ended("1")])
    assert await recalled(store, "a1", None) == []


@virtual
async def test_store_that_cannot_be_read_is_said() -> None:
    """Never silence."""
    (said,) = await recalled(Unwell(), "a1", 0)
    assert '"STORAGE_UNAVAILABLE"' in said.frame
