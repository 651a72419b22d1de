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
from statistics import median
from tempfile import TemporaryDirectory

from bench.answers import WARM, ask_in_turn, swift_services
from bench.measure import print_machine, print_table
from tests.e2e.program import Program

HEADS = ("tokens", "sessions", "off: CPU ms an answer", "on", "on / off", "median on / off")
TOKENS = (60, 200)
SESSIONS = 8
MOST = 1.10
ON = {"PERPLEXICA_METRICS_ON": "true"}
OFF = {"PERPLEXICA_LOG_LEVEL": "error"}

SCRAPED = 10  # rounds; a round takes about a second, and Prometheus comes every 15

Rounds = dict[tuple[int, str], list[float]]


def cpu_ms_of(pid: int) -> float:
    """CPU time of all threads; finer than the ticks of ``bench.measure``."""
    tasks = Path(f"/proc/{pid}/task").iterdir()
    return sum(int((task / "schedstat").read_text("ascii").split()[0]) for task in tasks) / 1e6


async def cpu_ms(program: Program, tokens: int, answers: int, *, scrape: bool) -> float:
    """CPU time of one answer, the scrape shared among all."""
    each = answers // SESSIONS
    before = cpu_ms_of(program.pid)
    await asyncio.gather(*(ask_in_turn(program, tokens, each) for _ in range(SESSIONS)))
    if scrape:
        (await program.http.get("/metrics")).raise_for_status()
    return (cpu_ms_of(program.pid) - before) / (each * SESSIONS)


async def measure(answers: int, rounds: int, folder: Path) -> Rounds:
    """CPU time of an answer in each round, by its tokens and by ``on`` and ``off``."""
    took: Rounds = {(tokens, name): [] for tokens in TOKENS for name in ("off", "on")}
    async with AsyncExitStack() as stack:
        settings = await swift_services(stack)
        programs = {}
        for name, more in (("off", OFF), ("on", ON)):
            (folder / name).mkdir()
            running = Program(folder / name, **settings, **more)
            programs[name] = await stack.enter_async_context(running)
            await ask_in_turn(programs[name], 60, WARM)
        for at in range(rounds):
            for (tokens, name), times in took.items():
                scrape = name == "on" and at % SCRAPED == 0
                times.append(await cpu_ms(programs[name], tokens, answers, scrape=scrape))
    return took


def rows(took: Rounds) -> Iterator[tuple[int, int, float, float, str, str]]:
    """The table."""
    for tokens in TOKENS:
        off, on = min(took[tokens, "off"]), min(took[tokens, "on"])
        yield tokens, SESSIONS, off, on, f"{on / off:.3f}", f"{ratio(took, tokens):.3f}"


def ratio(took: Rounds, tokens: int) -> float:
    """How much more an answer costs that is watched, in the middle round."""
    pairs = zip(took[tokens, "off"], took[tokens, "on"], strict=True)
    return median(on / off for off, on in pairs)


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
    return int(max(ratio(took, tokens) for tokens in TOKENS) > MOST)


if __name__ == "__main__":
    sys.exit(main())
