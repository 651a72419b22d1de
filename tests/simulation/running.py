"""Runs scripts, each as if it were the only one."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from protocol.base import Value
from tests.clock import MIDNIGHT
from tests.simulation.drawing import draw
from tests.simulation.process import Cast
from tests.simulation.script import Script
from tests.simulation.world import World

USUAL = Cast()
LINE_CHARS = 240


class Outcome(Value, frozen=True):
    """How a run went: what was broken, the hash of its history, and its story in lines."""

    broken: tuple[str, ...]
    history: str
    seconds: float  # of virtual time
    turns: int
    story: tuple[str, ...] = ()

    @property
    def promise(self) -> str:
        """The first promise that was broken; empty where none was."""
        return self.broken[0].partition(":")[0] if self.broken else ""


def play(script: Script, cast: Cast = USUAL) -> Outcome:
    """Play a script from its beginning to its end."""
    with collecting_by_hand(), TemporaryDirectory() as folder:
        world = World(script, Path(folder) / "db.sqlite", cast)
        world.run()
    story = tuple(line(at - MIDNIGHT, what) for at, what in world.story)
    lasted_s = world.now - MIDNIGHT
    return Outcome(
        tuple(world.broken), world.history.hexdigest(), lasted_s, len(world.turns), story
    )


def line(at: float, what: tuple[Any, ...]) -> str:
    """One line of the story."""
    words = (str(word) for word in what if word is not None)
    return f"{at:9.4f}  {' '.join(words)}"[:LINE_CHARS]


def play_seed(seed: int, cast: Cast = USUAL) -> Outcome:
    """Play the script of a seed."""
    return play(draw(seed), cast)


@contextmanager
def collecting_by_hand() -> Iterator[None]:
    """What is collected, and when, does not depend on what ran before.

    A journal that nobody holds may wait in a cycle for the collector, and can be resumed so long.
    """
    was_on = gc.isenabled()
    gc.disable()
    gc.collect()
    gc.freeze()  # what was there before need not be looked at again
    try:
        yield
    finally:
        gc.unfreeze()
        if was_on:
            gc.enable()
