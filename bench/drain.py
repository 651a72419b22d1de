"""What a planned stop does to answers that are being written.

``python -m bench.drain [--turns 200]``: so many answers stream when the server is told to stop,
with time for all, with time for some, and with a second signal at once. After its next start each
must be whole, or marked as far as it had come, and what its reader was told in all, with what it is
told when it comes back and resumes, must be the stored text.
"""

import argparse
import asyncio
from collections import Counter
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

from bench.measure import allow_many_files, print_machine, print_table
from tests.e2e.conftest import upstreams
from tests.e2e.draining import outcome, stop_while_answering
from tests.e2e.program import Program
from tests.standins.model_server import ModelServer
from tests.standins.search_server import SearchServer

WAYS = ((1, 25.0), (1, 2.0), (2, 25.0))  # signals, and the seconds that running turns are given
SHORTEST, LONGEST = 40, 100  # tokens
GAP_S = 0.1
KINDS = ("whole", "marked", "wrong")


async def row(turns: int, signals: int, drain_s: float, folder: Path) -> tuple[object, ...]:
    """One stop and the start after it."""
    draw = Random(1)
    lengths = [draw.randint(SHORTEST, LONGEST) for _ in range(turns)]
    questions = [
        f"Drain {n}? [[fake answer tokens={length} fault=pace seconds={GAP_S}]]"
        for n, length in enumerate(lengths)
    ]
    async with ModelServer() as models, SearchServer() as search:
        settings = upstreams(models, search) | {"PERPLEXICA_LIMITS_DRAIN_S": str(drain_s)}
        async with Program(folder, **settings) as program:
            stop = await stop_while_answering(program, questions, signals=signals)
        async with Program(folder, **settings) as program:
            ends = Counter([await outcome(program, reader) for reader in stop.readers])
    kinds = (ends[kind] for kind in KINDS)
    unready = "yes" if stop.is_first_unready else "no"
    closed = stop.told_to_come_back
    return signals, drain_s, turns, *kinds, closed, unready, stop.refusal or "-", stop.code


async def measure(turns: int, folder: Path) -> list[tuple[object, ...]]:
    """A row for each way to stop."""
    return [await row(turns, *way, folder / str(number)) for number, way in enumerate(WAYS)]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--turns", type=int, default=200)
    allow_many_files()
    with TemporaryDirectory() as folder:
        for number in range(len(WAYS)):
            (Path(folder) / str(number)).mkdir()
        rows = asyncio.run(measure(parser.parse_args().turns, Path(folder)))
    print_machine()
    ends = ("closed with 1012", "unready first", "late question", "exit code")
    print_table(("signals", "given s", "turns", *KINDS, *ends), rows)


if __name__ == "__main__":
    main()
