"""What clients that stop reading cost: the others in delay, and the program in memory.

``python -m bench.stalled [--pairs 3]``: 500 clients read slow answers, each piece of which tells
when the model sent it. In every second run 50 of them stop reading, and are dropped. Bounds of the
project: the 99th percentile of the others' delay is at most 1.1 times that of the run before, and
each stalled client has the program hold at most 256 kB. The exit code is 1 when that is not so.
"""

import argparse
import asyncio
import sys
from dataclasses import dataclass
from pathlib import Path
from statistics import median, quantiles
from tempfile import TemporaryDirectory

from bench.measure import allow_many_files, cost, print_machine, print_table
from bench.quiet import idle
from bench.stamps import StampServer
from bench.stream_clients import StreamClient, connect_all
from tests.e2e.client import Client
from tests.e2e.conftest import upstreams
from tests.e2e.program import Program
from tests.standins.search_server import SearchServer

CLIENTS, STALLED = 500, 50
GAP_S, PIECES, CHARS = 0.5, 50, 16_000
SETTLE_S, WINDOW_S, SAMPLE_S = 2.0, 15.0, 0.25
DEADLINE_S = 90.0
MOST_RATIO, MOST_KB = 1.1, 256
SETTINGS = {
    "PERPLEXICA_LOG_LEVEL": "warning",
    "PERPLEXICA_LIMITS_SEND_S": "3",
    "PERPLEXICA_LIMITS_TURNS": "1000",
    "PERPLEXICA_LIMITS_WORKERS": "1000",
    "PERPLEXICA_LIMITS_ANSWER_CHARS": "1000000",
}
HEADS = (
    *("pair", "p99 ms", "p99 ms stalled", "ratio", "dropped", "with 4008"),
    *("kB each", "kB each, gross", "cores"),
)


@dataclass(frozen=True)
class Sample:
    """The program at one moment of a run: seconds since its window began, kB, dropped clients."""

    at: float
    rss_kb: int
    dropped: int


@dataclass(frozen=True)
class Run:
    """One run: delays of those who never stall, in seconds, and the program meanwhile."""

    delays: list[float]
    samples: list[Sample]
    closed: int
    cores: float

    @property
    def p99_ms(self) -> float:
        """The 99th percentile of the delays."""
        return quantiles(self.delays, n=100)[-1] * 1000

    @property
    def dropped(self) -> int:
        """How many clients the program says it has dropped."""
        return self.samples[-1].dropped

    def growth_kb(self, until_s: float) -> int:
        """By how much the memory had grown at most until then."""
        rss = [sample.rss_kb for sample in self.samples if sample.at <= until_s]
        return max(rss) - rss[0]

    @property
    def full_at(self) -> float:
        """The last moment at which nobody had been dropped."""
        return max(sample.at for sample in self.samples if not sample.dropped)


def question(number: int) -> str:
    """What a client asks; those that may stall get more text, so that buffers fill."""
    chars = CHARS if number < STALLED else 20
    pace = f"tokens={PIECES} chars={chars} fault=pace seconds={GAP_S}"
    return f"Who stalls {number}? [[fake answer {pace}]]"


def dropped_by(program: Program) -> int:
    """How many clients were dropped in the program's life."""
    return sum(line["event"] == "client.dropped" for line in program.log_lines())


async def watch(program: Program, stalled: list[StreamClient]) -> list[Sample]:
    """Look at the program for a while; the stalled read on when the last of them is dropped.

    Those that were not dropped read on at the end.
    """
    loop, before = asyncio.get_running_loop(), dropped_by(program)
    began, samples = loop.time(), list[Sample]()
    while (at := loop.time() - began) < WINDOW_S:
        samples.append(Sample(at, cost(program.pid).rss_kb, dropped_by(program) - before))
        if samples[-1].dropped == len(stalled):
            read_on(stalled)
        await asyncio.sleep(SAMPLE_S)
    read_on(stalled)
    return samples


def read_on(clients: list[StreamClient]) -> None:
    """Take what has come for each; nothing the second time."""
    for client in clients:
        client.transport.resume_reading()


async def run(program: Program, *, stalls: bool) -> Run:
    """All clients ask and read to the end, but for those that stall."""
    loop = asyncio.get_running_loop()
    clients = await connect_all(program, [question(number) for number in range(CLIENTS)])
    await asyncio.sleep(SETTLE_S)
    stalled = clients[:STALLED] if stalls else []
    began, cpu_ms = loop.time(), cost(program.pid).cpu_ms
    for client in stalled:
        client.transport.pause_reading()
    samples = await watch(program, list(stalled))
    ended, used_ms = loop.time(), cost(program.pid).cpu_ms - cpu_ms
    await asyncio.gather(*(client.ended for client in clients))
    for client in clients:
        client.transport.abort()
    stamps = (stamp for client in clients[STALLED:] for stamp in client.delays)
    delays = [delay for sent, delay in stamps if began <= sent < ended - 1]
    closed = sum(client.is_dropped for client in stalled)
    await idle(program)
    return Run(delays, samples, closed, used_ms / 1000 / (ended - began))


def row(pair: int, calm: Run, stalling: Run) -> tuple[object, ...]:
    """A run without stalls beside one with them."""
    gross = stalling.growth_kb(stalling.full_at)
    net = gross - calm.growth_kb(stalling.full_at)
    return (
        *(pair, calm.p99_ms, stalling.p99_ms, f"{stalling.p99_ms / calm.p99_ms:.3f}"),
        *(stalling.dropped, stalling.closed, net / STALLED, gross / STALLED, stalling.cores),
    )


async def measure(pairs: int, folder: Path) -> list[tuple[Run, Run]]:
    """Runs without and with stalls, one after the other, after one that warms up."""
    async with (
        StampServer() as models,
        SearchServer() as search,
        Program(folder, **upstreams(models, search), **SETTINGS) as program,
    ):
        async with Client.connect(program) as client:
            await client.answer("Warm?", focusMode="writingAssistant")
        runs = []
        for number in range(2 * pairs + 1):
            async with asyncio.timeout(DEADLINE_S):
                runs.append(await run(program, stalls=bool(number) and number % 2 == 0))
    return list(zip(runs[1::2], runs[2::2], strict=True))


def main() -> None:
    """Measure, print, judge."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--pairs", type=int, default=3)
    allow_many_files()
    with TemporaryDirectory() as folder:
        pairs = asyncio.run(measure(parser.parse_args().pairs, Path(folder)))
    print_machine()
    print_table(HEADS, [row(number, *pair) for number, pair in enumerate(pairs, 1)])
    ratio = median(stalling.p99_ms / calm.p99_ms for calm, stalling in pairs)
    held_kb = max(stalling.growth_kb(stalling.full_at) / STALLED for _, stalling in pairs)
    print(f"\nmedian ratio {ratio:.3f}, at most {held_kb:.1f} kB held for a stalled client")
    is_dropped = all(stalling.dropped == STALLED for _, stalling in pairs)
    sys.exit(not (ratio <= MOST_RATIO and held_kb <= MOST_KB and is_dropped))


if __name__ == "__main__":
    main()
