"""A client that is cut off again and again misses nothing, and is told nothing twice."""

import asyncio

import pytest

from tests.e2e.client import Frame
from tests.e2e.cuts import Outcome, Told, ask_until_cut
from tests.e2e.program import Program
from tests.standins.fault_proxy import FaultProxy

pytestmark = pytest.mark.asyncio(loop_scope="session")

SLOWLY = "[[fake answer tokens=150 fault=pace seconds=0.01]]"
READERS, CUTS_EACH = 2, 10


async def test_answer_read_in_pieces_is_the_stored_one(program: Program) -> None:
    """Resets, halves of frames, stalls: every event comes once, in order, from where it was."""
    async with FaultProxy(program.port) as proxy:
        questions = (f"Cut {number}? {SLOWLY}" for number in range(READERS))
        readers = (ask_until_cut(program, proxy, each, CUTS_EACH) for each in questions)
        outcomes = [one for each in await asyncio.gather(*readers) for one in each]
    for outcome in outcomes:
        assert outcome.is_same
        assert outcome.told.twice == 0
        assert outcome.told.events == outcome.whole.events
        assert outcome.gaps == 0


def frame(kind: str, seq: int, data: str = "") -> Frame:
    """A frame of the answer."""
    return {"type": kind, "seq": seq, "data": data, "messageId": "a"}


BEFORE = [frame("accepted", 1), frame("sources", 2), frame("message", 4, "ab")]
AFTER = [frame("resumed", 4), frame("message", 5, "c"), frame("messageEnd", 6)]


@pytest.mark.parametrize(
    ("after", "same", "twice", "gaps"),
    [
        (AFTER, True, 0, 0),
        ([AFTER[0], BEFORE[-1], *AFTER[1:]], False, 1, 0),
        ([AFTER[0], AFTER[-1]], False, 0, 0),
        ([frame("resumed", 3), *AFTER[1:]], True, 0, 1),
        ([AFTER[0], AFTER[1], frame("status", 6), frame("messageEnd", 7)], True, 0, 3),
        ([frame("sources", 2), frame("snapshot", 5, "abc"), AFTER[-1]], True, 1, 1),
    ],
)
async def test_what_is_askew_is_counted(
    after: list[Frame], same: bool, twice: int, gaps: int
) -> None:
    """A comparison that finds nothing must be one that can find something."""
    told, whole = Told(), Told()
    for frames in (BEFORE, after):
        told.take(frames)
    whole.take([*BEFORE, *AFTER[1:]])
    outcome = Outcome(told, whole, "abc")
    assert (outcome.is_same, told.twice, outcome.gaps) == (same, twice, gaps)
