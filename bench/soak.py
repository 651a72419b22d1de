"""What is left of sessions that come and go for minutes: nothing.

``python -m bench.soak [--minutes 5]``: 200 people ask all at once (no chance needs more later),
then they ask, leave, come back and resume, stop, and go on in old chats. After three minutes
that warm it up the slope of the program's memory is fitted; at the end all leave, and its tasks,
actors and open files are compared with those before the first of them came. Bounds of the project:
1 MB an hour, and 2 of each kind. The exit code is 1 when that is not so.
"""

import argparse
import asyncio
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

VISITORS = 200
SAMPLE_S = 5.0
WARM_UP_S = 180.0  # until what is remembered, buffered and pooled has its size
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


@dataclass(frozen=True)
class Soak:
    """A soak: what was done, the program before, meanwhile and after."""

    done: Counter[str]
    before: Sample
    samples: list[Sample]
    after: Sample

    @property
    def warm(self) -> list[Sample]:
        """The samples after the warm-up."""
        began = self.samples[0].at
        return [sample for sample in self.samples if sample.at >= began + WARM_UP_S]

    @property
    def slope(self) -> float:
        """MB an hour, by least squares."""
        hours = [sample.at / 3600 for sample in self.warm]
        return float(np.polyfit(hours, [sample.rss_mb for sample in self.warm], 1)[0])

    def left(self, what: str) -> int:
        """How many more there are than before."""
        return int(getattr(self.after, what) - getattr(self.before, what))


async def sample(program: Program) -> Sample:
    """The program now."""
    backlog, now = (await program.json("/health"))["backlog"], cost(program.pid)
    at = asyncio.get_running_loop().time()
    return Sample(at, now.rss_kb / 1024, backlog["tasks"], backlog["actors"], now.files)


async def at_rest(program: Program) -> Sample:
    """The program with nobody there, after one question: idle connections are closed by then."""
    await idle(program)
    await asyncio.sleep(QUIET_S)
    async with Client.connect(program, v2=True) as client:
        await client.answer(f"At rest? {SLOWLY}")
    await asyncio.sleep(QUIET_S)
    return await sample(program)


async def watch(program: Program, until: float) -> list[Sample]:
    """A sample every few seconds."""
    loop, samples = asyncio.get_running_loop(), list[Sample]()
    while loop.time() < until:
        samples.append(await sample(program))
        await asyncio.sleep(SAMPLE_S)
    return samples


async def measure(minutes: float, folder: Path) -> Soak:
    """Let all come and go for so long."""
    done = Counter[str]()
    async with (
        ModelServer() as models,
        SearchServer() as search,
        Program(folder, **upstreams(models, search)) as program,
    ):
        before = await at_rest(program)
        until = asyncio.get_running_loop().time() + WARM_UP_S + minutes * 60
        visitors = [Visitor(program, Random(number), done) for number in range(VISITORS)]
        async with asyncio.TaskGroup() as group:
            watching = group.create_task(watch(program, until))
            for visitor in visitors:
                group.create_task(visitor.visit(until))
        after = await at_rest(program)
    return Soak(done, before, watching.result(), after)


def main() -> None:
    """Soak, print, judge."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--minutes", type=float, default=5)
    allow_many_files()
    with TemporaryDirectory() as folder:
        soak = asyncio.run(measure(parser.parse_args().minutes, Path(folder)))
    print_machine()
    print_table(tuple(WAYS), [tuple(soak.done[what] for what in WAYS)])
    moments = {"before": soak.before, "warm": soak.warm[0], "last": soak.samples[-1]}
    rows = [
        (name, each.rss_mb, *(getattr(each, what) for what in COUNTS))
        for name, each in {**moments, "after": soak.after}.items()
    ]
    print()
    print_table(("", "RSS MB", *COUNTS), rows)
    print(f"\nslope {soak.slope:.2f} MB an hour")
    kept = all(abs(soak.left(what)) <= MOST_LEFT for what in COUNTS)
    sys.exit(not (soak.slope <= MOST_MB_AN_HOUR and kept))


if __name__ == "__main__":
    main()
