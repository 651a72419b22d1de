"""What is left of answers when the process is killed while it writes them.

``python -m bench.kills [--kills 60]``: the server is killed at random moments, started again on the
same folder, and asked for what its clients had seen. An accepted question must be there; an answer
that was told its end must be whole, with its sources; any other must say that it was interrupted,
with what was written: at most the last quarter of a second (or 2 kB) may be missing. In its file no
turn runs, and each answer is what its journal tells. The exit code is 1 when that is not so.
"""

import argparse
import asyncio
import sys
from collections import Counter
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

from bench.measure import print_machine, print_table
from tests.e2e.conftest import upstreams
from tests.e2e.kills import Kill, kill_once
from tests.standins.model_server import ModelServer
from tests.standins.search_server import SearchServer

KINDS = ("lost", "whole", "interrupted", "wrong")
HEADS = ("kills", "accepted", *KINDS, "broken rows", "most bytes missing")
BAD = ("lost", "wrong", "broken rows")


async def measure(kills: int, folder: Path) -> list[Kill]:
    """So many kills of one program's life."""
    dice = Random(1)
    async with ModelServer() as models, SearchServer() as search:
        settings = upstreams(models, search)
        return [await kill_once(folder, settings, dice) for _ in range(kills)]


def row(kills: list[Kill]) -> dict[str, int]:
    """The figures by their heads."""
    outcomes = [outcome for kill in kills for outcome in kill.outcomes]
    counts = Counter(outcome.what for outcome in outcomes)
    return {
        "kills": len(kills),
        "accepted": sum(one.has("accepted") for kill in kills for one in kill.seen),
        **{kind: counts[kind] for kind in KINDS},
        "broken rows": sum(kill.broken_rows for kill in kills),
        "most bytes missing": max((outcome.missing for outcome in outcomes), default=0),
    }


def main() -> None:
    """Kill, look, print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--kills", type=int, default=60)
    with TemporaryDirectory() as folder:
        kills = asyncio.run(measure(parser.parse_args().kills, Path(folder)))
    figures = row(kills)
    print_machine()
    print_table(HEADS, [[figures[head] for head in HEADS]])
    sys.exit(any(figures[head] for head in BAD))


if __name__ == "__main__":
    main()
