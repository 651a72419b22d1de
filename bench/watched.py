"""What it costs to watch: an answer with metrics and logs on, beside one with both off.

``python -m bench.watched [--answers 16] [--rounds 40]``: two programs run side by side and are
asked in turn, round by round; the one that is watched logs at info, and is scraped in each tenth
round. The table has the least CPU time of each, and the median of the rounds' ratios: both of a
round suffer the same from others on the machine. Fails when by that watching costs over a tenth.
"""

import argparse
import asyncio
import sys
from collections.abc import Iterator
from contextlib import AsyncExitStack
from pathlib import Path
from tempfile import TemporaryDirectory

from bench.measure import cpu_ms_of, print_machine, print_table
from bench.paired import cpu_ms, ratio, side_by_side
from tests.e2e.program import Program

HEADS = ("tokens", "sessions", "off: CPU ms an answer", "on", "on / off", "median on / off")
TOKENS = (60, 200)
SESSIONS = 8
MOST = 1.10
ON = {"PERPLEXICA_METRICS_ON": "true"}
OFF = {"PERPLEXICA_LOG_LEVEL": "error"}

SCRAPED = 10  # rounds; a round takes about a second, and Prometheus comes every 15

Rounds = dict[tuple[int, str], list[float]]


async def round_ms(program: Program, tokens: int, answers: int, *, scrape: bool) -> float:
    """CPU time of one answer, the scrape shared among all."""
    before = cpu_ms_of(program.pid)
    if scrape:
        (await program.http.get("/metrics")).raise_for_status()
    scraped = (cpu_ms_of(program.pid) - before) / answers
    return scraped + await cpu_ms(program, tokens, SESSIONS, answers)


async def measure(answers: int, rounds: int, folder: Path) -> Rounds:
    """CPU time of an answer in each round, by its tokens and by ``on`` and ``off``."""
    took: Rounds = {(tokens, name): [] for tokens in TOKENS for name in ("off", "on")}
    folders = {name: folder / name for name in ("off", "on")}
    for place in folders.values():
        place.mkdir()
    async with AsyncExitStack() as stack:
        programs = await side_by_side(stack, folders, {"off": OFF, "on": ON})
        for at in range(rounds):
            for (tokens, name), times in took.items():
                scrape = name == "on" and at % SCRAPED == 0
                times.append(await round_ms(programs[name], tokens, answers, scrape=scrape))
    return took


def rows(took: Rounds) -> Iterator[tuple[int, int, float, float, str, str]]:
    """The table."""
    for tokens in TOKENS:
        off, on = min(took[tokens, "off"]), min(took[tokens, "on"])
        yield tokens, SESSIONS, off, on, f"{on / off:.3f}", f"{ratio_of(took, tokens):.3f}"


def ratio_of(took: Rounds, tokens: int) -> float:
    """How much more an answer costs that is watched, in the middle round."""
    return ratio(took[tokens, "off"], took[tokens, "on"])


def main() -> int:
    """Measure and print; 1 when watching costs too much."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--answers", type=int, default=16, help="answers in each round")
    parser.add_argument("--rounds", type=int, default=40)
    options = parser.parse_args()
    with TemporaryDirectory() as folder:
        took = asyncio.run(measure(options.answers, options.rounds, Path(folder)))
    print_machine()
    print_table(HEADS, rows(took))
    return int(max(ratio_of(took, tokens) for tokens in TOKENS) > MOST)


if __name__ == "__main__":
    sys.exit(main())
