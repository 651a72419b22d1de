"""What it costs to record what turns are given: CPU time of an answer with and without.

``python -m bench.recordings [--answers 40] [--rounds 9]``: two servers that differ in nothing else
answer in turn, so that both see the same machine; the ratio is the median of the rounds' own.
"""

import argparse
import asyncio
from contextlib import AsyncExitStack
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from bench.answers import TOKENS, WARM, ask_in_turn, stand_in
from bench.measure import cost, print_machine, print_table
from tests.e2e.program import Program

HEADS = ("tokens", "CPU ms without", "CPU ms with", "ratio", "ratio, least CPU")
KEPT = ("0", "500")


async def cpu_ms(program: Program, tokens: int, answers: int) -> float:
    """Of one answer, over some of them."""
    before = cost(program.pid).cpu_ms
    await ask_in_turn(program, tokens, answers)
    return (cost(program.pid).cpu_ms - before) / answers


async def row(
    programs: list[Program], tokens: int, answers: int, rounds: int
) -> tuple[object, ...]:
    """One row of the table."""
    pairs = [[await cpu_ms(each, tokens, answers) for each in programs] for _ in range(rounds)]
    without, recorded = zip(*pairs, strict=True)
    ratio = median(after / before for before, after in pairs)
    return tokens, median(without), median(recorded), ratio, min(recorded) / min(without)


async def measure(answers: int, rounds: int, folder: Path) -> list[tuple[object, ...]]:
    """All rows, after a few answers that warm both servers up."""
    async with AsyncExitStack() as stack:
        models = await stack.enter_async_context(stand_in("model_server"))
        search = await stack.enter_async_context(stand_in("search_server"))
        programs = []
        for kept in KEPT:
            place = folder / kept
            place.mkdir()
            settings = {
                "SEARXNG_API_URL": search,
                "OPENAI_API_KEY": "key",
                "OPENAI_BASE_URL": f"{models}/v1",
                "PERPLEXICA_UI_GAP_MS": "0",
                "PERPLEXICA_JOURNAL_RECORDINGS": kept,
            }
            programs.append(await stack.enter_async_context(Program(place, **settings)))
            await ask_in_turn(programs[-1], 60, WARM)
        return [await row(programs, tokens, answers, rounds) for tokens in TOKENS]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--answers", type=int, default=40, help="answers in each round")
    parser.add_argument("--rounds", type=int, default=9)
    options = parser.parse_args()
    with TemporaryDirectory() as folder:
        rows = asyncio.run(measure(options.answers, options.rounds, Path(folder)))
    print_machine()
    print_table(HEADS, rows)


if __name__ == "__main__":
    main()
