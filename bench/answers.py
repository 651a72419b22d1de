"""What an answer costs the server when its upstreams answer at once.

``python -m bench.answers [--answers 64]``: CPU time of the server's process for one answer, and
the median time from question to first piece, by length of the answer and sessions at once. The
stand-ins run in processes of their own; the clients in this one.
"""

import argparse
import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from itertools import product
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from bench.measure import cost, print_machine, print_table
from tests.e2e.client import Client
from tests.e2e.program import Program

TOKENS = (60, 200, 1000)
SESSIONS = (1, 8, 32)
HEADS = ("tokens", "sessions", "answers", "CPU ms an answer", "answers/s", "first piece ms")
WARM = 20
DEADLINE_S = 30.0


@asynccontextmanager
async def stand_in(name: str) -> AsyncIterator[str]:
    """The address of a stand-in that runs as a process of its own."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", f"tests.standins.{name}", stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout
    try:
        yield (await asyncio.wait_for(process.stdout.readline(), DEADLINE_S)).decode().strip()
    finally:
        process.terminate()
        await process.wait()


async def swift_services(stack: AsyncExitStack) -> dict[str, str]:
    """The settings of a program whose services answer at once, in processes of their own."""
    models = await stack.enter_async_context(stand_in("model_server"))
    search = await stack.enter_async_context(stand_in("search_server"))
    return {
        "SEARXNG_API_URL": search,
        "OPENAI_API_KEY": "key",
        "OPENAI_BASE_URL": f"{models}/v1",
        "PERPLEXICA_UI_GAP_MS": "0",
    }


async def first_piece_s(client: Client, tokens: int) -> float:
    """Ask, take the whole answer in, and tell when its first piece came."""
    began = asyncio.get_running_loop().time()
    await client.ask(f"How much is it? [[fake answer tokens={tokens}]]")
    turn = await client.turn()
    if not turn.text.strip():
        raise SystemExit(f"no answer: {turn.frames}")
    at = [frame["type"] for frame in turn.frames].index("message")
    return turn.times[at] - began


async def ask_in_turn(program: Program, tokens: int, count: int) -> list[float]:
    """So many questions, one after the other, in one session."""
    async with Client.connect(program) as client:
        times = []
        for _ in range(count):
            times.append(await first_piece_s(client, tokens))
            client.forget()
        return times


async def cell(program: Program, tokens: int, sessions: int, answers: int) -> tuple[object, ...]:
    """One row of the table."""
    each = max(1, answers // sessions)
    loop = asyncio.get_running_loop()
    before, began = cost(program.pid).cpu_ms, loop.time()
    asking = (ask_in_turn(program, tokens, each) for _ in range(sessions))
    times = [time for some in await asyncio.gather(*asking) for time in some]
    took, cpu = loop.time() - began, cost(program.pid).cpu_ms - before
    count = len(times)
    return (tokens, sessions, count, cpu / count, count / took, median(times) * 1000)


async def measure(answers: int, folder: Path) -> list[tuple[object, ...]]:
    """All rows, after a few answers that warm everything up."""
    async with AsyncExitStack() as stack:
        settings = await swift_services(stack)
        program = await stack.enter_async_context(Program(folder, **settings))
        await ask_in_turn(program, 60, WARM)
        return [await cell(program, *pair, answers) for pair in product(TOKENS, SESSIONS)]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--answers", type=int, default=64, help="answers in each row")
    with TemporaryDirectory() as folder:
        rows = asyncio.run(measure(parser.parse_args().answers, Path(folder)))
    print_machine()
    print_table(HEADS, rows)


if __name__ == "__main__":
    main()
