"""What idle sessions cost, how fast they connect, and what is left when they have gone.

``python -m bench.sessions [--sessions 2000,5000,10000]``: memory, threads, file descriptors and CPU
time of the program, then the same of the bare relay. The clients have a process of their own. A
process needs as many file descriptors as there are sessions, and some more.
"""

import argparse
import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from bench.measure import (
    Cost,
    allow_many_files,
    cost,
    cpu_ms_of,
    print_machine,
    print_table,
)
from bench.processes import Server, running
from tests.e2e.program import Program

HEADS = (
    *("server", "sessions", "RSS MB", "kB a session", "threads", "open files"),
    *("connects/s", "CPU ms a connect", "% of a core idle"),
)
NOWHERE = "http://127.0.0.1:9"  # the relay's services, which no idle session needs
IDLE_S = 5.0
DEADLINE_S = 180.0
PAUSE_S = 0.5
STEADY_KB = 256
PATIENCE = 60


@asynccontextmanager
async def idle_clients(port: int, count: int) -> AsyncIterator[float]:
    """So many idle sessions, held by a process of their own; and the seconds to open them."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "bench.idle_clients", str(port), str(count)),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdin
    assert process.stdout
    async with asyncio.timeout(DEADLINE_S):
        said, _, took_s = (await process.stdout.readline()).partition(b" ")
    if said != b"open":
        raise SystemExit(f"{count} sessions could not be opened")
    try:
        yield float(took_s)
    finally:
        process.stdin.close()
        await asyncio.wait_for(process.wait(), DEADLINE_S)


async def steady(pid: int) -> Cost:
    """What the process costs once its memory has stopped to move, or after 30 s."""
    last = cost(pid)
    for _ in range(PATIENCE):
        await asyncio.sleep(PAUSE_S)
        now = cost(pid)
        if abs(now.rss_kb - last.rss_kb) < STEADY_KB and now.cpu_ms - last.cpu_ms < 100:
            return now
        last = now
    return last


async def idle_share(pid: int) -> float:
    """How many hundredths of a core the process takes for a while."""
    before = cpu_ms_of(pid)
    await asyncio.sleep(IDLE_S)
    return (cpu_ms_of(pid) - before) / IDLE_S / 10


def row(name: str, sessions: str, now: Cost, *rest: object) -> tuple[object, ...]:
    """One line of the table."""
    each_kb, *rates = rest or ("-", "-", "-", "-")
    return (name, sessions, now.rss_kb / 1024, each_kb, now.threads, now.files, *rates)


async def table(name: str, server: Server, counts: list[int]) -> list[tuple[object, ...]]:
    """A server without sessions, with each count of them, and after they have gone."""
    pid = server.pid
    async with idle_clients(server.port, 1):
        pass  # what the first needs is none of the others' cost
    empty = await steady(pid)
    rows = [row(name, "0", empty, "-", "-", "-", await idle_share(pid))]
    for count in counts:
        cpu_ms = cpu_ms_of(pid)
        async with idle_clients(server.port, count) as took_s:
            rates = (count / took_s, (cpu_ms_of(pid) - cpu_ms) / count)
            full = await steady(pid)
            each_kb = (full.rss_kb - empty.rss_kb) / count
            rows.append(row(name, str(count), full, each_kb, *rates, await idle_share(pid)))
        rows.append(row(name, f"{count} gone", await steady(pid)))
    return rows


async def measure(counts: list[int], folder: Path) -> list[tuple[object, ...]]:
    """The tables of the program and of the relay."""
    async with AsyncExitStack() as stack:
        program = await stack.enter_async_context(Program(folder))
        relay = await stack.enter_async_context(running("bench.relay", NOWHERE))
        ours = await table("program", program, counts)
        return ours + await table("relay", relay, counts)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--sessions", default="2000,5000,10000", help="counts, with commas")
    counts = [int(count) for count in parser.parse_args().sessions.split(",")]
    allow_many_files()
    with TemporaryDirectory() as folder:
        rows = asyncio.run(measure(counts, Path(folder)))
    print_machine()
    print_table(HEADS, rows)


if __name__ == "__main__":
    main()
