"""The whole system in virtual time: fifty runs keep all promises, and a seed is one history."""

import os
import subprocess
import sys

import pytest

from tests.simulation.drawing import draw
from tests.simulation.mutants import MUTANTS
from tests.simulation.process import Cast
from tests.simulation.running import play, play_seed
from tests.simulation.script import Query, Script
from tests.simulation.shrinking import Shrinking

SEEDS = 50
SOME = (3, 7)
MOST = 200  # within which a planted bug is found
HISTORIES = """
from tests.simulation.running import play_seed
print(*(play_seed(seed).history for seed in {seeds}))
"""


@pytest.mark.parametrize("tens", range(0, SEEDS, 10))
def test_all_promises_are_kept(tens: int) -> None:
    """Whatever clients, services, disk and process do; ``python -m tests.simulation --seed``."""
    outcomes = {seed: play_seed(seed).broken for seed in range(tens + 1, tens + 11)}
    assert not {seed: broken for seed, broken in outcomes.items() if broken}


def test_a_seed_is_one_history() -> None:
    """Every frame, event and commit comes at the same moment, whatever ran before."""
    histories = [play_seed(seed).history for seed in SOME]
    assert len(set(histories)) == len(SOME)
    assert [play_seed(seed).history for seed in reversed(SOME)] == histories[::-1]


def test_a_seed_is_one_history_in_every_process() -> None:
    """Nothing depends on how Python orders its sets."""
    told = subprocess.run(  # noqa: S603 - our own program
        [sys.executable, "-c", HISTORIES.format(seeds=SOME)],
        env={**os.environ, "PYTHONHASHSEED": "1", "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        check=True,
        text=True,
    )
    assert told.stdout.split() == [play_seed(seed).history for seed in SOME]


def first_caught(cast: Cast) -> int:
    """The first seed whose run shows that something is wrong; over ``MOST`` for none."""
    return next((n for n in range(1, MOST + 1) if is_caught(n, cast)), MOST + 1)


def is_caught(seed: int, cast: Cast) -> bool:
    """Whether a part of the cast fails where the program itself does not."""
    return bool(play_seed(seed, cast).broken) and not play_seed(seed).broken


@pytest.mark.parametrize("bug", MUTANTS)
def test_a_planted_bug_is_caught(bug: str) -> None:
    """A simulation that cannot fail proves nothing."""
    assert first_caught(MUTANTS[bug]) <= MOST


def test_a_failure_is_told_in_few_steps() -> None:
    """Only those that it needs are left, and what they break is the same."""
    cast = MUTANTS["skipped seq"]
    seed = first_caught(cast)
    shrinking = Shrinking(draw(seed), play_seed(seed, cast), cast)
    promise, before = shrinking.outcome.promise, len(shrinking.script.steps)
    shrinking.run(most=12)
    assert len(shrinking.script.steps) < before
    assert play(shrinking.script, cast).promise == promise
    assert play(shrinking.script, cast).story == shrinking.outcome.story


def test_scripts_hold_troubles_of_every_kind() -> None:
    """Each verb is in some of them, and some have no trouble at all with disk and services."""
    scripts: list[Script] = [draw(seed) for seed in range(1, MOST + 1)]
    verbs = {step.verb for script in scripts for step in script.steps}
    assert verbs >= {"ask", "stop", "resume", "leave", "stall", "say", "disk", "kill", "drain"}
    assert verbs >= {"crash", "jump"}
    questions = [s.what for script in scripts for s in script.steps if isinstance(s.what, Query)]
    kinds = {question.plan.answer.kind for question in questions}
    assert kinds == {"ok", "slow", "hang", "refuse", "down", "garbage", "break", "stall"}
    assert any(script.is_calm for script in scripts)
