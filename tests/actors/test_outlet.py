"""An outlet tells journals to one client, by position, and is slowed by nobody else."""

import asyncio
import gc
from weakref import ref

from actors.journal import Journal, apologise
from actors.outlet import TOO_SLOW, Follow, Outlet, Pace, Reading, Resume, Say
from actors.ref import Ref
from actors.supervisor import Tree
from actors.system import System
from protocol.errors import TurnFailed
from protocol.events import Accepted, Delta, Failed, Finished, SourcesFound, Status
from protocol.frames import MOST_CHARS, SUBPROTOCOL
from tests.actors.parts import NODES, turn_info
from tests.clock import virtual
from tests.memory_connection import Frame, MemoryConnection

SEND_S = 30.0


class Stage:
    """An outlet on a connection in memory."""

    def __init__(
        self, subprotocol: str | None = None, ui_gap_s: float = 0.0, merge_s: float = 0.0
    ) -> None:
        self.connection = MemoryConnection(subprotocol)
        self.tree = Tree(System())
        self.readings: list[Reading] = []
        pace = Pace(ui_gap_s, merge_s, SEND_S)
        self.outlet: Ref = self.tree.grow(Outlet, self.connection, self.readings, pace)
        self.journal = Journal(turn_info())
        self.outlet.tell(Follow(self.journal))

    async def settle(self, seconds: float = 0.01) -> list[str]:
        """What was sent so far, after everything that is ready has run."""
        await asyncio.sleep(seconds)
        return [short(frame) for frame in self.connection.sent]


def short(frame: Frame) -> str:
    """A frame in a word or two."""
    said = frame["data"] if frame["type"] == "message" else ""
    return f"{frame['type']} {said}".strip()


def write_answer(journal: Journal) -> None:
    """A whole turn in one go."""
    for event in (
        Accepted(),
        Status("searching"),
        SourcesFound(NODES[:1]),
        Delta("a"),
        Delta("b"),
        Finished(),
    ):
        journal.write(event)


@virtual
async def test_plain_client_gets_sources_text_and_end() -> None:
    """Nothing that an old web UI does not know."""
    stage = Stage()
    write_answer(stage.journal)
    assert await stage.settle() == ["sources", "message ab", "messageEnd"]
    assert [frame["seq"] for frame in stage.connection.sent] == [3, 5, 6]
    assert {frame["messageId"] for frame in stage.connection.sent} == {"a 1"}
    await stage.tree.stop(1)


@virtual
async def test_journal_that_was_told_does_not_wait_for_the_collector() -> None:
    """It would keep the whole answer in memory until then."""
    stage = Stage()
    left = ref(stage.journal)
    gc.disable()
    try:
        write_answer(stage.journal)
        await stage.settle()
        del stage.journal
        assert left() is None
    finally:
        gc.enable()
    await stage.tree.stop(1)


@virtual
async def test_v2_client_is_told_the_stages_too() -> None:
    """And that its question is durable."""
    stage = Stage(SUBPROTOCOL)
    write_answer(stage.journal)
    assert await stage.settle() == ["accepted", "status", "sources", "message ab", "messageEnd"]
    await stage.tree.stop(1)


@virtual
async def test_failure_is_an_answer_for_plain_clients_and_an_error_for_v2() -> None:
    """Both web UIs break on an error frame inside a turn."""
    ends = {None: "messageEnd", SUBPROTOCOL: "error"}
    for subprotocol, end in ends.items():
        stage = Stage(subprotocol)
        apologise(stage.journal, TurnFailed())
        stage.journal.write(Failed("CHAIN_ERROR", "Something went wrong"))
        told = await stage.settle()
        assert [told[0], told[1].split()[0], told[2]] == ["sources", "message", end]
        await stage.tree.stop(1)


@virtual
async def test_first_delta_is_sent_at_once() -> None:
    """Nobody waits for a second one."""
    stage = Stage()
    await stage.settle()
    stage.journal.write(SourcesFound(()))
    stage.journal.write(Delta("a"))
    assert await stage.settle() == ["sources", "message a"]
    await stage.tree.stop(1)


@virtual
async def test_later_deltas_wait_for_each_other() -> None:
    """The first is sent at once, those of the next 30 ms in one frame, each rest when it is due."""
    stage = Stage(merge_s=0.03)
    await stage.settle()
    for text in "abcdefg":
        stage.journal.write(Delta(text))
        await stage.settle(0.013)
    assert await stage.settle(0.03) == ["message a", "message bc", "message de", "message fg"]
    await stage.tree.stop(1)


@virtual
async def test_end_does_not_wait_for_more_deltas() -> None:
    """What is not text is told at once, and with it the text before it."""
    stage = Stage(merge_s=0.03)
    await stage.settle()
    for text in "ab":
        stage.journal.write(Delta(text))
        await stage.settle(0.001)
    stage.journal.write(Finished())
    assert await stage.settle(0.001) == ["message a", "message b", "messageEnd"]
    await stage.tree.stop(1)


@virtual
async def test_no_frame_of_text_is_much_over_its_bound() -> None:
    """So that a client that stops reading makes us hold a bounded number of bytes."""
    stage = Stage()
    for _ in range(100):
        stage.journal.write(Delta("x" * 1000))
    await stage.settle()
    sizes = [len(frame["data"]) for frame in stage.connection.sent]
    assert sum(sizes) == 100_000
    assert max(sizes) <= MOST_CHARS + 1000
    await stage.tree.stop(1)


@virtual
async def test_client_that_comes_back_reads_on_behind_what_it_knows() -> None:
    """Every later event once, in order; then whatever comes."""
    stage = Stage(SUBPROTOCOL)
    stage.journal.write(Accepted())
    for text in "abc":
        stage.journal.write(Delta(text))
    back = Stage(SUBPROTOCOL)
    back.outlet.tell(Resume(stage.journal, 2))
    await back.settle()
    stage.journal.write(Finished())
    assert await back.settle() == ["resumed", "message bc", "messageEnd"]
    assert [frame["seq"] for frame in back.connection.sent] == [2, 4, 5]
    for one in (stage, back):
        await one.tree.stop(1)


@virtual
async def test_client_that_knows_more_than_there_is_gets_the_whole_text() -> None:
    """With the sources before it and the end behind it: no silent hole."""
    for after, is_torn in ((9, False), (2, True)):
        stage = Stage(SUBPROTOCOL)
        write_answer(stage.journal)
        await stage.settle()
        stage.connection.sent.clear()
        stage.outlet.tell(Resume(stage.journal, after, is_torn))
        assert await stage.settle() == ["sources", "snapshot", "messageEnd"]
        whole = stage.connection.of_type("snapshot")[0]
        assert (whole["data"], whole["seq"], whole["messageId"]) == ("ab", 5, "a 1")
        await stage.tree.stop(1)


@virtual
async def test_second_reading_of_a_turn_takes_the_place_of_the_first() -> None:
    """What comes after a resume is told once, although the turn was followed already."""
    stage = Stage(SUBPROTOCOL)
    stage.journal.write(Delta("a"))
    await stage.settle()
    stage.outlet.tell(Resume(stage.journal, 1))
    await stage.settle()
    stage.journal.write(Delta("b"))
    assert await stage.settle() == ["message a", "resumed", "message b"]
    assert len(stage.readings) == 1
    await stage.tree.stop(1)


@virtual
async def test_what_waits_for_a_slow_client_becomes_one_frame() -> None:
    """A thousand deltas that pile up cost one frame, and the text is whole."""
    stage = Stage()
    stage.connection.stalled.set()
    stage.journal.write(SourcesFound(()))
    await stage.settle()
    for _ in range(1000):
        stage.journal.write(Delta("x"))
    assert len(stage.outlet.life.mailbox) <= 1
    await stage.tree.stop(0.1)


@virtual
async def test_client_that_takes_nothing_is_closed() -> None:
    """It may come back and read on."""
    stage = Stage()
    stage.connection.stalled.set()
    stage.journal.write(SourcesFound(()))
    await stage.settle(SEND_S + 1)
    assert stage.connection.closed_with == TOO_SLOW
    assert not stage.outlet.is_alive()


@virtual
async def test_end_keeps_its_distance_from_the_sources() -> None:
    """The web UI misses one of them when both come at once."""
    stage = Stage(ui_gap_s=0.1)
    write_answer(stage.journal)
    assert await stage.settle(0.05) == ["sources", "message ab"]
    assert await stage.settle(0.06) == ["sources", "message ab", "messageEnd"]
    await stage.tree.stop(1)


@virtual
async def test_two_turns_interleave_each_in_its_own_order() -> None:
    """They are told apart by their message id."""
    stage = Stage()
    second = Journal(turn_info(name="2"))
    stage.outlet.tell(Follow(second))
    for text in "ab":
        stage.journal.write(Delta(text))
        second.write(Delta(text.upper()))
        await stage.settle()
    said = [(frame["messageId"], frame["data"]) for frame in stage.connection.sent]
    assert said == [("a 1", "a"), ("a 2", "A"), ("a 1", "b"), ("a 2", "B")]
    await stage.tree.stop(1)


@virtual
async def test_outlet_that_broke_goes_on_where_it_was() -> None:
    """Nothing is told twice, and nothing is left out."""
    stage = Stage()
    stage.journal.write(Delta("a"))
    await stage.settle()
    assert stage.outlet.life.task is not None
    stage.outlet.life.task.cancel()
    await stage.settle()
    stage.journal.write(Delta("b"))
    stage.journal.write(Finished())
    assert await stage.settle() == ["message a", "message b", "messageEnd"]
    await stage.tree.stop(1)


@virtual
async def test_told_journals_are_let_go() -> None:
    """A long session does not grow with its turns."""
    stage = Stage()
    write_answer(stage.journal)
    await stage.settle()
    assert stage.readings == []
    await stage.tree.stop(1)


@virtual
async def test_client_that_has_left_ends_its_outlet() -> None:
    """The journal goes on without a reader."""
    stage = Stage()
    await stage.connection.close()
    stage.outlet.tell(Say("{}"))
    await stage.settle()
    assert not stage.outlet.is_alive()
    write_answer(stage.journal)
