"""What clients that lose their connections miss of their answers: nothing.

``python -m bench.cuts [--cuts 1000]``: clients of ``perplexica.v2`` are cut off at random places
while their answers stream: by a reset, by a reset behind half a frame, by a connection that stalls
both ways. They come back and resume. What each has read in all must be the stored answer, with no
event twice, and with every event that an undisturbed reader is told.
"""

import argparse
import asyncio
from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory

from bench.measure import allow_many_files, print_machine, print_table
from tests.e2e.conftest import upstreams
from tests.e2e.cuts import CUTS, ask_until_cut
from tests.e2e.program import Program
from tests.standins.fault_proxy import FaultProxy
from tests.standins.model_server import ModelServer
from tests.standins.search_server import SearchServer

READERS = 10
SLOWLY = "[[fake answer tokens=400 fault=pace seconds=0.01]]"


async def measure(cuts: int, folder: Path) -> tuple[object, ...]:
    """One row."""
    async with (
        ModelServer() as models,
        SearchServer() as search,
        Program(folder, **upstreams(models, search)) as program,
        FaultProxy(program.port) as proxy,
    ):
        share = -(-cuts // READERS)
        questions = (f"Cut {number}? {SLOWLY}" for number in range(READERS))
        readers = (ask_until_cut(program, proxy, question, share) for question in questions)
        outcomes = [one for each in await asyncio.gather(*readers) for one in each]
    made = sum((outcome.told.cuts for outcome in outcomes), Counter[str]())
    return (
        len(outcomes),
        made.total(),
        *(made[how] for how in CUTS),
        sum(outcome.is_same for outcome in outcomes),
        sum(outcome.told.twice for outcome in outcomes),
        sum(outcome.gaps for outcome in outcomes),
    )


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--cuts", type=int, default=1000)
    allow_many_files()
    with TemporaryDirectory() as folder:
        row = asyncio.run(measure(parser.parse_args().cuts, Path(folder)))
    print_machine()
    heads = ("answers", "cuts", *CUTS, "the same as stored", "events twice", "gaps")
    print_table(heads, [row])


if __name__ == "__main__":
    main()
