"""What each delta costs through the whole path, beside a relay that only passes it on.

``python -m bench.streams [--streams 1,200,1000] [--rounds 3]``: streams of 50 pieces a second, at
the settings that are shipped (what waits merges), from a source to clients of other processes. The
program and the relay are measured in turn, each until so many pieces have come: a server that is
late passes on many at once, with pauses of seconds, so that a look for a while would see some of
them or none. ``of asked`` says how far it kept up; deltas that wait are then taken together, which
makes each cheaper than it would be in time. ``core missing`` is the share of the time in which the
server could have run, but others had the cores.
"""

import argparse
import asyncio
from collections.abc import Iterator
from contextlib import AsyncExitStack
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from bench.askers import Asker, asker
from bench.measure import allow_many_files, print_machine, print_table, shares_ms_of, spread
from bench.processes import Running, Server, running, settings_for
from bench.stream_source import PIECES_A_S
from tests.e2e.program import Program

SETTLE_S, WINDOW_S, SLACK_S = 1.0, 4.0, 0.5  # the ends of answers are not looked at
PIECES, LOOKED_AT = int((WINDOW_S + SLACK_S) * PIECES_A_S), int(WINDOW_S * PIECES_A_S)
LOOK_S = 0.02
BEGIN_S = 60.0
AT_ONCE = 50
MANY = {
    "PERPLEXICA_LOG_LEVEL": "warning",
    "PERPLEXICA_LIMITS_TURNS": "2000",
    "PERPLEXICA_LIMITS_WORKERS": "2000",
    "PERPLEXICA_LIMITS_FIRST_TOKEN_S": "120",  # all streams begin together
}
HEADS = (
    *("streams", "server", "deltas/s", "of asked", "CPU us a delta", "cores"),
    *("cores at 50/s each", "core missing"),
)
Figures = tuple[float, float, float]  # deltas a second, CPU microseconds of one, core missing


async def one_round(server: Server, source: Running, count: int) -> Figures:
    """Streams that begin together, when all that they need has settled."""
    async with AsyncExitStack() as stack:
        places = asyncio.Semaphore(AT_ONCE)

        async def opened() -> Asker:
            async with places:
                return await stack.enter_async_context(asker(server))

        clients = await asyncio.gather(*(opened() for _ in range(count)))
        asking = [client.ask("Long?", focus_mode="writingAssistant") for client in clients]
        answers = asyncio.gather(*asking)
        await source.tell(f"{count} {PIECES}")
        if await source.line(BEGIN_S) != "asked":
            raise SystemExit("the streams were not asked for")
        await asyncio.sleep(SETTLE_S)
        await source.tell("")
        figures = await look(server, clients)
        await answers
        await source.line(BEGIN_S)
        return figures


async def look(server: Server, clients: list[Asker]) -> Figures:
    """How fast the pieces come, and what they cost."""
    loop, wanted, came = asyncio.get_running_loop(), LOOKED_AT * len(clients), 0
    began, before = loop.time(), shares_ms_of(server.pid)
    async with asyncio.timeout(BEGIN_S):
        while came < wanted:
            await asyncio.sleep(LOOK_S)
            came = sum(client.marks for client in clients)
    took = loop.time() - began
    cpu_ms, late_ms = (
        now - then for now, then in zip(shares_ms_of(server.pid), before, strict=True)
    )
    return came / took, cpu_ms * 1000 / came, late_ms / 1000 / took


async def measure(counts: list[int], rounds: int, folder: Path) -> list[tuple[object, ...]]:
    """The table, after a stream for each server that warms it up."""
    async with AsyncExitStack() as stack:
        source = await stack.enter_async_context(running("bench.stream_source"))
        settings = settings_for(source.url, source.url) | MANY
        servers: dict[str, Server] = {
            "program": await stack.enter_async_context(Program(folder, **settings)),
            "relay": await stack.enter_async_context(running("bench.relay", source.url)),
        }
        took: dict[tuple[int, str], list[Figures]] = {}
        for count in [1, *([count for count in counts for _ in range(rounds)])]:
            for name, server in servers.items():
                took.setdefault((count, name), []).append(await one_round(server, source, count))
        for name in servers:
            took[1, name].pop(0)
    return [line for count in counts for line in rows(count, took)]


def rows(count: int, took: dict[tuple[int, str], list[Figures]]) -> Iterator[tuple[object, ...]]:
    """The lines of one number of streams: both servers, and their ratio."""
    for name in ("program", "relay"):
        rates, costs, missing = zip(*took[count, name], strict=True)
        rate, cost_us, asked = median(rates), median(costs), count * PIECES_A_S
        cores = (cost_us * rate / 1e6, cost_us * asked / 1e6, median(missing))
        yield count, name, rate, f"{rate / asked:.2f}", spread(costs), *(f"{c:.2f}" for c in cores)
    pairs = zip(took[count, "program"], took[count, "relay"], strict=True)
    ratios = [ours[1] / floor[1] for ours, floor in pairs]
    yield count, "ratio", "", "", spread(ratios), "", "", ""


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--streams", default="1,200,1000", help="counts, with commas")
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    counts = [int(count) for count in options.streams.split(",")]
    allow_many_files()
    with TemporaryDirectory() as folder:
        lines = asyncio.run(measure(counts, options.rounds, Path(folder)))
    print_machine()
    print_table(HEADS, lines)


if __name__ == "__main__":
    main()
