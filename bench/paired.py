"""Two programs side by side, asked in turn: what others on the machine take, both suffer."""

import asyncio
from collections.abc import Mapping
from contextlib import AsyncExitStack
from pathlib import Path
from statistics import median

from bench.askers import ask_in_turn, of_length
from bench.measure import cpu_ms_of
from bench.processes import Server, swift_services
from tests.e2e.program import Program

WARM = 20


async def cpu_ms(server: Server, tokens: int, sessions: int, answers: int) -> float:
    """CPU time of one answer, of so many sessions at once."""
    texts = [of_length(tokens)] * (answers // sessions)
    before = cpu_ms_of(server.pid)
    await asyncio.gather(*(ask_in_turn(server, texts) for _ in range(sessions)))
    return (cpu_ms_of(server.pid) - before) / (len(texts) * sessions)


async def side_by_side(
    stack: AsyncExitStack, folders: Mapping[str, Path], settings: Mapping[str, dict[str, str]]
) -> dict[str, Program]:
    """Warm programs by name, each in its folder with settings of its own."""
    shared, _ = await swift_services(stack)
    programs = {}
    for name, folder in folders.items():
        running = Program(folder, **shared, **settings.get(name, {}))
        programs[name] = await stack.enter_async_context(running)
        await ask_in_turn(programs[name], [of_length(60)] * WARM)
    return programs


def ratio(base: list[float], other: list[float]) -> float:
    """By which factor the other costs more, in the middle round."""
    return median(b / a for a, b in zip(base, other, strict=True))
