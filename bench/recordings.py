"""What it costs to record what turns are given: an answer with recordings kept, and without.

``python -m bench.recordings [--answers 16] [--rounds 20]``: two programs run side by side and are
asked in turn, round by round. The table has the least CPU time of each, and the median of the
rounds' ratios: both of a round suffer the same from others on the machine.
"""

import argparse
import asyncio
from contextlib import AsyncExitStack
from pathlib import Path
from tempfile import TemporaryDirectory

from bench.measure import print_machine, print_table
from bench.paired import cpu_ms, ratio, side_by_side

HEADS = ("tokens", "without: CPU ms an answer", "with", "with / without", "median")
TOKENS = (60, 200, 1000)
SESSIONS = 8
KEPT = {name: {"PERPLEXICA_JOURNAL_RECORDINGS": most} for name, most in (("0", "0"), ("1", "500"))}

Row = tuple[int, float, float, str, str]


async def measure(answers: int, rounds: int, folder: Path) -> list[Row]:
    """The table."""
    folders = {name: folder / name for name in KEPT}
    for place in folders.values():
        place.mkdir()
    async with AsyncExitStack() as stack:
        programs = await side_by_side(stack, folders, KEPT)
        rows = []
        for tokens in TOKENS:
            took: dict[str, list[float]] = {name: [] for name in KEPT}
            for _ in range(rounds):
                for name, program in programs.items():
                    took[name].append(await cpu_ms(program, tokens, SESSIONS, answers))
            rows.append(row(tokens, *took.values()))
    return rows


def row(tokens: int, without: list[float], kept: list[float]) -> Row:
    """One row of it."""
    least, more = min(without), min(kept)
    return tokens, least, more, f"{more / least:.3f}", f"{ratio(without, kept):.3f}"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--answers", type=int, default=16, help="answers in each round")
    parser.add_argument("--rounds", type=int, default=20)
    options = parser.parse_args()
    with TemporaryDirectory() as folder:
        rows = asyncio.run(measure(options.answers, options.rounds, Path(folder)))
    print_machine()
    print_table(HEADS, rows)


if __name__ == "__main__":
    main()
