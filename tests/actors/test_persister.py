"""The persister makes journals durable: promises at once, deltas in groups."""

import asyncio
from contextlib import suppress

import pytest
from msgspec.structs import replace

from actors.journal import Journal, refuse
from actors.persister import MOST_DOUBTFUL, Grown, Keep, Perform
from protocol.access import EVERYBODY, Person
from protocol.errors import ChatNotFound, StorageUnavailable
from protocol.events import Accepted, Delta, Failed, Finished, SourcesFound
from protocol.writes import DeleteChat
from tests.actors.parts import BrokenStore, Scene, turn_info
from tests.clock import virtual

ANN, BOB, ROOT = Person("ann", "user"), Person("bob", "user"), Person("root", "admin")


async def accepted(scene: Scene, name: str = "1") -> Journal:
    """A journal whose question is durable."""
    journal = Journal(turn_info(name=name))
    await keep(scene, journal, Accepted())
    return journal


async def keep(scene: Scene, journal: Journal, event: Accepted | Finished) -> None:
    """Promise an event, as a turn does."""
    entry = journal.next(event)
    await scene.persister.ask(Keep(journal, entry), timeout=5)
    journal.confirm(entry)


def write(scene: Scene, journal: Journal, *texts: str) -> None:
    """Deltas, as a turn writes them."""
    for text in texts:
        journal.write(Delta(text))
    scene.persister.tell(Grown(journal))


@virtual
async def test_promise_takes_with_it_all_that_came_before() -> None:
    """The end of a journal is never durable without its middle."""
    scene = Scene()
    journal = await accepted(scene)
    write(scene, journal, "a", "b")
    await keep(scene, journal, Finished())
    stored = await scene.store.entries(journal.turn.turn_id, EVERYBODY)
    await scene.close()
    assert [entry.seq for entry in stored] == [1, 2, 3, 4]
    assert journal.durable == 4


@virtual
@pytest.mark.parametrize(("asker", "owner"), [(ROOT, "ann"), (ANN, "ann"), (BOB, "bob")])
async def test_turn_belongs_to_whose_chat_it_is_in(asker: Person, owner: str) -> None:
    """Also where an administrator asks; whoever is refused there keeps what they are told."""
    scene = Scene()
    asked = replace(turn_info(), person=ANN)
    await keep(scene, Journal(asked), Accepted())
    again = replace(turn_info(name="2"), question=asked.question, person=asker)
    turn = Journal(again)
    with suppress(ChatNotFound):
        await keep(scene, turn, Accepted())
    await scene.close()
    assert turn.owner == owner


@virtual
async def test_deltas_are_durable_a_quarter_of_a_second_later() -> None:
    """A crash costs at most what was written in that time."""
    scene = Scene()
    journal = await accepted(scene)
    write(scene, journal, "a")
    await asyncio.sleep(0.15)
    assert journal.durable == 1
    await asyncio.sleep(0.1)
    assert journal.durable == 2
    await scene.close()


@virtual
async def test_much_text_does_not_wait() -> None:
    """After a crash at most two kilobytes are missing, however fast a model writes."""
    scene = Scene()
    journal = await accepted(scene)
    journal.write(Delta("x" * 2048))
    scene.persister.tell(Grown(journal, is_much=True))
    await asyncio.sleep(0.001)
    assert journal.durable == 2
    await scene.close()


@virtual
async def test_promise_whose_asker_has_given_up_counts_for_nothing() -> None:
    """What the turn writes at that number instead is kept, too."""
    scene = Scene()
    journal = await accepted(scene)
    entry = journal.next(Finished())
    scene.persister.ask(Keep(journal, entry), timeout=5).abandon()
    await asyncio.sleep(0.1)
    assert journal.durable == 1
    await scene.close()


@virtual
async def test_persister_that_broke_keeps_what_waited() -> None:
    """Its successor knows of it."""
    scene = Scene()
    journal = await accepted(scene)
    write(scene, journal, "a")
    await asyncio.sleep(0.05)
    assert scene.persister.life.task is not None
    scene.persister.life.task.cancel()
    await asyncio.sleep(1)
    assert journal.durable == 2
    assert not journal.is_awaited
    await scene.close()


@virtual
async def test_turns_that_wait_share_a_transaction() -> None:
    """Ten promises that stand in line cost one commit, and so do the deltas of ten turns.

    Between them old journals are forgotten.
    """
    store = BrokenStore()
    scene = Scene(store=store)
    journals = [Journal(turn_info(name=str(n))) for n in range(10)]
    await asyncio.gather(*(keep(scene, journal, Accepted()) for journal in journals))
    for journal in journals:
        write(scene, journal, "a", "b")
    await asyncio.sleep(1)
    await scene.close()
    assert store.batches == [10, 1, 10]
    assert {journal.durable for journal in journals} == {3}


@virtual
async def test_store_that_refuses_is_told_to_every_asker() -> None:
    """Nobody believes that something is durable that is not."""
    scene = Scene(store=BrokenStore(broken=True))
    journal = Journal(turn_info())
    with pytest.raises(StorageUnavailable):
        await keep(scene, journal, Accepted())
    await scene.close()
    assert journal.durable == 0


@virtual
async def test_deltas_that_could_not_be_kept_are_kept_later() -> None:
    """A store that comes back gets what it missed."""
    store = BrokenStore()
    scene = Scene(store=store)
    journal = await accepted(scene)
    store.broken = True
    write(scene, journal, "a")
    await asyncio.sleep(1)
    store.broken = False
    await keep(scene, journal, Finished())
    (_, answer) = await store.messages(journal.turn.question.chat_id, EVERYBODY)
    await scene.close()
    assert answer.content == "a"


@virtual
async def test_end_that_could_not_be_kept_in_time_is_kept_later() -> None:
    """A chat does not end in a question because the disk was full for a while."""
    store = BrokenStore()
    scene = Scene(store=store)
    journal = await accepted(scene)
    store.broken = True
    journal.write(SourcesFound(()))
    write(scene, journal, "It failed.")
    journal.write(Failed("STORAGE_UNAVAILABLE", "It failed."))
    await asyncio.sleep(30)
    store.broken = False
    await asyncio.sleep(2)
    (_, answer) = await store.messages(journal.turn.question.chat_id, EVERYBODY)
    await scene.close()
    assert (answer.content, answer.metadata["error"]) == ("It failed.", "STORAGE_UNAVAILABLE")


@virtual
async def test_of_the_turns_that_a_store_refused_only_the_latest_are_held() -> None:
    """A store that is down for a day costs no memory."""
    store = BrokenStore(broken=True)
    scene = Scene(store=store)
    refused = [Journal(turn_info(name=str(n))) for n in range(MOST_DOUBTFUL + 50)]
    for journal in refused:
        refuse(journal, StorageUnavailable("the disk is full"))
        scene.persister.tell(Grown(journal))
    await asyncio.sleep(0.5)
    store.broken = False
    await asyncio.sleep(2)
    assert sum(journal.durable > 0 for journal in refused) == MOST_DOUBTFUL
    assert refused[-1].durable
    await scene.close()


@virtual
async def test_what_waits_is_flushed_when_the_program_ends() -> None:
    """An orderly stop loses nothing."""
    scene = Scene()
    journal = await accepted(scene)
    write(scene, journal, "a")
    await scene.close()
    assert len(await scene.store.entries(journal.turn.turn_id, EVERYBODY)) == 2


@virtual
async def test_removing_an_unknown_chat_is_the_askers_error() -> None:
    """The persister goes on."""
    scene = Scene()
    removal = DeleteChat(turn_info().question.chat_id, EVERYBODY)
    assert not await scene.persister.ask(Perform(removal), timeout=5)
    await accepted(scene)
    await scene.close()
