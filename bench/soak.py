"""What is left of sessions that come and go for minutes: nothing.

``python -m bench.soak [--minutes 5]``: 200 people ask all at once (no chance needs more later),
then they ask, leave, come back and resume, stop, and go on in old chats. After three minutes that
warm it up all leave, and the program is weighed at rest; they come again for the minutes asked
for, in which the slope of its resident memory is fitted, leave again, and it is weighed again: room
that the heap has to spare cannot hide what stays. Its tasks, actors and open files are compared
with those before the first of them came. Bounds of the project: 1 MB an hour, of what is resident
and of what is in use, and 2 of each kind. The exit code is 1 when that is not so.
"""

import argparse
import asyncio
import signal
import sys
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

import numpy as np

from bench.measure import allow_many_files, cost, print_machine, print_table
from bench.quiet import idle
from bench.visitors import SLOWLY, WAYS, Visitor
from tests.e2e.client import Client
from tests.e2e.conftest import upstreams
from tests.e2e.program import Program
from tests.standins.model_server import ModelServer
from tests.standins.search_server import SearchServer

RUNNER = Path(__file__).with_name("under_scales.py")
VISITORS = 200
SAMPLE_S, LOOK_S = 5.0, 0.05
WEIGHING_S = 10.0
WARM_UP_S = 180.0  # until what is remembered, buffered and pooled has its size
SETTLE_S = 15.0  # until all that came back at once have been served
QUIET_S = 6.0  # what upstream connections are kept idle, and a little more
MOST_MB_AN_HOUR, MOST_LEFT = 1.0, 2
COUNTS = ("tasks", "actors", "files")


@dataclass(frozen=True)
class Sample:
    """The program at one moment: seconds on the loop's clock, MB, and what it holds."""

    at: float
    rss_mb: float
    tasks: int
    actors: int
    files: int
    used_mb: float = 0.0  # where it was weighed


@dataclass(frozen=True)
class Soak:
    """A soak: what was done, the program before, warm at rest, meanwhile and after."""

    done: Counter[str]
    before: Sample
    warm: Sample
    samples: list[Sample]
    after: Sample

    @property
    def slope(self) -> float:
        """MB an hour of resident memory, by least squares."""
        began = self.samples[0].at
        settled = [sample for sample in self.samples if sample.at >= began + SETTLE_S]
        hours = [sample.at / 3600 for sample in settled]
        return float(np.polyfit(hours, [sample.rss_mb for sample in settled], 1)[0])

    @property
    def grown(self) -> float:
        """MB an hour of what is in use at rest."""
        hours = (self.after.at - self.warm.at) / 3600
        return (self.after.used_mb - self.warm.used_mb) / hours

    def left(self, what: str) -> int:
        """How many more there are than before."""
        return int(getattr(self.after, what) - getattr(self.before, what))


async def sample(program: Program, used_mb: float = 0.0) -> Sample:
    """The program now."""
    backlog, now = (await program.json("/health"))["backlog"], cost(program.pid)
    at = asyncio.get_running_loop().time()
    return Sample(at, now.rss_kb / 1024, backlog["tasks"], backlog["actors"], now.files, used_mb)


async def at_rest(program: Program, scales: Path) -> Sample:
    """The program with nobody there, after one question: idle connections are closed by then."""
    await idle(program)
    await asyncio.sleep(QUIET_S)
    async with Client.connect(program, v2=True) as client:
        await client.answer(f"At rest? {SLOWLY}")
    await asyncio.sleep(QUIET_S)
    return await sample(program, await weighed(program, scales))


async def weighed(program: Program, scales: Path) -> float:
    """MB in use, garbage apart."""
    program.signal(signal.SIGUSR1)
    async with asyncio.timeout(WEIGHING_S):
        while True:
            if told := taken(scales):
                return int(told) / 2**20
            await asyncio.sleep(LOOK_S)


def taken(scales: Path) -> str:
    """What the program has told, once it has."""
    told = scales.read_text("ascii") if scales.exists() else ""
    scales.unlink(missing_ok=True)
    return told


async def visited(program: Program, visitors: list[Visitor], for_s: float) -> list[Sample]:
    """A sample every few seconds of a time in which all come and go."""
    loop, samples = asyncio.get_running_loop(), list[Sample]()
    until = loop.time() + for_s
    async with asyncio.TaskGroup() as group:
        for visitor in visitors:
            group.create_task(visitor.visit(until))
        while loop.time() < until:
            samples.append(await sample(program))
            await asyncio.sleep(SAMPLE_S)
    return samples


async def measure(minutes: float, folder: Path) -> Soak:
    """Let all come and go for so long."""
    done, scales = Counter[str](), folder / "scales"
    within = (sys.executable, str(RUNNER), str(scales))
    async with (
        ModelServer() as models,
        SearchServer() as search,
        Program(folder, within=within, **upstreams(models, search)) as program,
    ):
        visitors = [Visitor(program, Random(number), done) for number in range(VISITORS)]
        before = await at_rest(program, scales)
        await visited(program, visitors, WARM_UP_S)
        warm = await at_rest(program, scales)
        samples = await visited(program, visitors, minutes * 60)
        after = await at_rest(program, scales)
    return Soak(done, before, warm, samples, after)


def main() -> None:
    """Soak, print, judge."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--minutes", type=float, default=5)
    allow_many_files()
    with TemporaryDirectory() as folder:
        soak = asyncio.run(measure(parser.parse_args().minutes, Path(folder)))
    print_machine()
    print_table(tuple(WAYS), [tuple(soak.done[what] for what in WAYS)])
    moments = {"before": soak.before, "warm": soak.warm, "last": soak.samples[-1]}
    rows = [
        (name, each.rss_mb, each.used_mb or "", *(getattr(each, what) for what in COUNTS))
        for name, each in {**moments, "after": soak.after}.items()
    ]
    print()
    print_table(("", "RSS MB", "in use MB", *COUNTS), rows)
    print(f"\nresident {soak.slope:.2f}, in use {soak.grown:.2f} MB an hour")
    kept = all(abs(soak.left(what)) <= MOST_LEFT for what in COUNTS)
    sys.exit(not (max(soak.slope, soak.grown) <= MOST_MB_AN_HOUR and kept))


if __name__ == "__main__":
    main()
