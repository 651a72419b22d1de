"""``python -m tests.simulation --seeds 500 [--first N] [--jobs N]``, or ``--seed N`` for one.

Plays the scripts of some seeds, in a process for each core. Of the first that fails the seed is
told, and its story when all that is not needed for the failure has been taken away.
"""

import argparse
import os
import sys
import time
from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor
from functools import partial

from tests.simulation.drawing import draw
from tests.simulation.running import Outcome, play_seed
from tests.simulation.shrinking import Shrinking


def failing(seeds: Iterable[int]) -> list[tuple[int, tuple[str, ...]]]:
    """The seeds among these that fail, with what was broken."""
    outcomes = ((seed, play_seed(seed)) for seed in seeds)
    return [(seed, outcome.broken) for seed, outcome in outcomes if outcome.broken]


def tell_story(seed: int, outcome: Outcome) -> None:
    """Shrink the script of a seed that fails, and print what then happens."""
    shrinking = Shrinking(draw(seed), outcome)
    shrinking.run()
    print(*shrinking.outcome.story, sep="\n")
    print(f"seed {seed}, {len(shrinking.script.steps)} steps after {shrinking.tries} tries:")
    print(*shrinking.outcome.broken, sep="\n")


def play_one(seed: int) -> int:
    """Play one seed and tell its story; the exit code."""
    outcome = play_seed(seed)
    if outcome.broken:
        tell_story(seed, outcome)
        return 1
    print(*outcome.story, sep="\n")
    print(f"seed {seed}: {outcome.turns} turns, history {outcome.history}")
    return 0


def play_many(first: int, seeds: int, jobs: int) -> int:
    """Play many seeds in several processes; the exit code."""
    began = time.perf_counter()
    shares = [range(first + job, first + seeds, jobs) for job in range(jobs)]
    with ProcessPoolExecutor(jobs) as pool:
        failed = sorted(found for share in pool.map(failing, shares) for found in share)
    took_s = time.perf_counter() - began
    print(f"{seeds} seeds from {first} in {took_s:.1f} s: {seeds / took_s:.1f} a second")
    for seed, broken in failed:
        print(f"seed {seed}: {broken[0]}")
    if failed:
        tell_story(failed[0][0], play_seed(failed[0][0]))
    return 1 if failed else 0


def main() -> int:
    """Read the command line and play."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulation")
    number = partial(parser.add_argument, type=int)
    number("--seeds", default=500)
    number("--first", default=1)
    number("--jobs", default=os.cpu_count() or 1)
    number("--seed")
    options = parser.parse_args()
    if options.seed is not None:
        return play_one(options.seed)
    return play_many(options.first, options.seeds, options.jobs)


if __name__ == "__main__":
    sys.exit(main())
