"""Kill -9 in the middle of answers; sixty of them are ``make kills``."""

from pathlib import Path
from random import Random

import pytest

from storage.sqlite import SqliteStore
from tests.e2e.client import Asked, Frame
from tests.e2e.conftest import upstreams
from tests.e2e.kills import Outcome, Seen, broken, kill_once, outcome
from tests.standins.model_server import ModelServer
from tests.standins.search_server import SearchServer
from tests.storage.examples import asked, ended, wrote

pytestmark = pytest.mark.asyncio(loop_scope="session")

ASKED = Asked("why?", "c", "m")
ACCEPTED: Frame = {"type": "accepted"}


def told(*texts: str, end: bool = False) -> Seen:
    """A client that has seen these pieces, all of them long ago."""
    frames: list[Frame] = [{"type": "message", "data": text} for text in texts]
    return Seen(ASKED, (ACCEPTED, *frames, *([{"type": "messageEnd"}] if end else [])), "")


def chat(text: str, **metadata: object) -> list[Frame]:
    """A chat with one answer."""
    question: Frame = {"role": "user", "content": "why?", "metadata": {}}
    return [question, {"role": "assistant", "content": text, "metadata": metadata}]


@pytest.mark.parametrize("seed", [1, 2])
async def test_kill_breaks_no_promise(
    seed: int, models: ModelServer, search: SearchServer, tmp_path: Path
) -> None:
    """Accepted questions are there, ended answers whole, others marked, with what was written."""
    kill = await kill_once(tmp_path, upstreams(models, search), Random(seed))
    assert {one.what for one in kill.outcomes} <= {"never accepted", "whole", "interrupted"}
    assert kill.broken_rows == 0


@pytest.mark.parametrize(
    ("seen", "rows", "expected"),
    [
        (Seen(ASKED, (), ""), [], Outcome("never accepted")),
        (Seen(ASKED, (ACCEPTED,), ""), [], Outcome("lost")),
        (told("abc", end=True), chat("abc"), Outcome("whole")),
        (told("abc"), chat("abcd"), Outcome("whole")),
        (told("abc", end=True), chat("abcd"), Outcome("wrong")),
        (told("abc", end=True), chat("abc", error="INTERRUPTED"), Outcome("wrong")),
        (told("abc"), chat("ab", error="INTERRUPTED"), Outcome("interrupted", 1)),
        (told("abc"), chat("ab"), Outcome("wrong", 1)),
        (told("abc"), chat("xbc", error="INTERRUPTED"), Outcome("wrong")),
        (told("a" * 3000), chat("a", error="INTERRUPTED"), Outcome("wrong", 2999)),
        (told("abc"), chat("abc", error="CHAIN_ERROR"), Outcome("wrong")),
    ],
)
async def test_broken_promise_is_noticed(seen: Seen, rows: list[Frame], expected: Outcome) -> None:
    """What differs from what the client has seen counts as lost or wrong."""
    assert outcome(seen, rows) == expected


async def test_broken_rows_are_counted(tmp_path: Path) -> None:
    """A turn that runs is one, an answer that its journal does not tell another."""
    path = tmp_path / "db.sqlite"
    store = await SqliteStore.open(path)
    await store.commit([asked("1", "c", "m1"), wrote("1", "because"), ended("1", after=2)])
    assert await broken(path) == 0
    await store.commit([asked("2", "c", "m2"), asked("3", "c", "m3"), ended("3")])
    assert await broken(path) == 2
    await store.close()
