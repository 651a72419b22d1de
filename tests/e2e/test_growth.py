"""What ends leaves nothing behind: no task, no actor, no file, no ring of objects."""

import asyncio
import gc
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from program import Program
from tests.e2e.inside import Talk, settings
from tests.standins.model_server import ModelServer
from tests.standins.search_server import SearchServer

SESSIONS, AT_ONCE = 5_000, 500
TIMES = 5
MOST_OBJECTS = 70  # ten connections that were closed meanwhile: asyncio's are rings of seven
WAYS: Mapping[str, str] = {
    "all is well": "",
    "a page that cannot be reached": "See https://127.0.0.1:1/",
    "a model that fails as it is asked for queries": "[[fake rephrase fault=500]]",
    "a model that fails as it is asked to answer": "[[fake answer fault=500]]",
    "a model that breaks off": "[[fake answer fault=truncate at=3]]",
}


def held(program: Program) -> tuple[int, int, int]:
    """Tasks, actors below the sessions, and open files."""
    tasks = len(program.tree.system.tasks)
    return (
        tasks,
        len(program.staff.sessions.life.children),
        len(list(Path("/proc/self/fd").iterdir())),
    )


async def settled(program: Program, lasting: set[asyncio.Task[Any]]) -> None:
    """What has been begun since, has ended."""
    await asyncio.wait(
        {asyncio.ensure_future(asyncio.sleep(0)), *program.tree.system.tasks - lasting}
    )


async def come_and_go(program: Program) -> None:
    """Many clients that come, wait for their signal, and leave."""
    talks = [Talk(program) for _ in range(AT_ONCE)]
    for talk in talks:
        await talk.is_open()
    for talk in talks:
        await talk.leave()


async def test_five_thousand_sessions_leave_nothing_behind(tmp_path: Path) -> None:
    """Opened and closed, five hundred at once."""
    async with (
        ModelServer() as models,
        SearchServer() as search,
        Program(settings(tmp_path, models, search)) as program,
    ):
        before, lasting = held(program), set(program.tree.system.tasks)
        for _ in range(SESSIONS // AT_ONCE):
            await come_and_go(program)
        await settled(program, lasting)
        assert held(program) == before
        counts = program.tree.system.counts
    assert counts["session"].accepted == counts["session"].handled
    assert counts["outlet"].accepted == counts["outlet"].handled == SESSIONS


async def ask(program: Program, text: str) -> None:
    """Ask the same several times, and leave."""
    talk = Talk(program)
    for turn in range(1, TIMES + 1):
        talk.connection.ask(text, chat=f"{turn} {text}")
        await talk.ends(turn)
    await talk.leave()


async def left_to_the_collector(program: Program, text: str) -> int:
    """How many objects it finds that nobody holds any more, after some questions."""
    lasting = set(program.tree.system.tasks)
    gc.collect()
    gc.disable()
    try:
        await ask(program, text)
        await settled(program, lasting)
        return gc.collect()
    finally:
        gc.enable()


async def test_turns_leave_nothing_to_the_collector(tmp_path: Path) -> None:
    """It runs rarely, and hardly ever looks at what was in use when it ran before."""
    async with (
        ModelServer() as models,
        SearchServer() as search,
        Program(settings(tmp_path, models, search)) as program,
    ):
        await asyncio.to_thread(program.retrieval.prepare)
        await ask(program, "Warm?")
        left = {way: await left_to_the_collector(program, f"Why? {WAYS[way]}") for way in WAYS}
    assert {way: found for way, found in left.items() if found > MOST_OBJECTS} == {}
