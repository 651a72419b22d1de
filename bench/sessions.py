"""Memory, threads and file descriptors of idle sessions, and what is left when they have gone.

``python -m bench.sessions [--sessions 2000,5000]``
"""

import argparse
import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from bench.measure import Cost, allow_many_files, cost, print_machine, print_table
from tests.e2e.program import Program

HEADS = ("sessions", "RSS MB", "kB a session", "threads", "open files")
DEADLINE_S = 180.0
PAUSE_S = 0.5
STEADY_KB = 256
PATIENCE = 60


@asynccontextmanager
async def idle_clients(port: int, count: int) -> AsyncIterator[None]:
    """So many idle sessions, held by a process of their own."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "bench.idle_clients", str(port), str(count)),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdin
    assert process.stdout
    async with asyncio.timeout(DEADLINE_S):
        if await process.stdout.readline() != b"open\n":
            raise SystemExit(f"{count} sessions could not be opened")
    try:
        yield
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


def row(sessions: str, now: Cost, each_kb: float | str) -> tuple[object, ...]:
    """One line of the table."""
    return (sessions, now.rss_kb / 1024, each_kb, now.threads, now.files)


async def measure(counts: list[int], folder: Path) -> list[tuple[object, ...]]:
    """The table: without sessions, with each count of them, and after they have gone."""
    async with Program(folder) as program:
        await program.json("/api")
        empty = await steady(program.pid)
        rows = [row("0", empty, "-")]
        for count in counts:
            async with idle_clients(program.port, count):
                full = await steady(program.pid)
            rows.append(row(str(count), full, (full.rss_kb - empty.rss_kb) / count))
            rows.append(row(f"{count} gone", await steady(program.pid), "-"))
    return rows


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--sessions", default="2000", help="counts, with commas")
    counts = [int(count) for count in parser.parse_args().sessions.split(",")]
    allow_many_files()
    with TemporaryDirectory() as folder:
        rows = asyncio.run(measure(counts, Path(folder)))
    print_machine()
    print_table(HEADS, rows)


if __name__ == "__main__":
    main()
