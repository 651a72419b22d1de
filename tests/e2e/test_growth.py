"""What ends leaves nothing behind: no task, no actor, no file."""

import asyncio
from pathlib import Path

from program import Program
from tests.e2e.inside import Talk, settings
from tests.standins.model_server import ModelServer
from tests.standins.search_server import SearchServer

SESSIONS, AT_ONCE = 5_000, 500


def held(program: Program) -> tuple[int, int, int]:
    """Tasks, actors below the sessions, and open files."""
    tasks = len(program.tree.system.tasks)
    return (
        tasks,
        len(program.staff.sessions.life.children),
        len(list(Path("/proc/self/fd").iterdir())),
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
        await asyncio.wait(
            {asyncio.ensure_future(asyncio.sleep(0)), *program.tree.system.tasks - lasting}
        )
        assert held(program) == before
        counts = program.tree.system.counts
    assert counts["session"].accepted == counts["session"].handled
    assert counts["outlet"].accepted == counts["outlet"].handled == SESSIONS
