"""Runs scripts, and makes those that fail short."""

import gc
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec

from protocol.base import Value
from tests.simulation.drawing import draw
from tests.simulation.process import Cast
from tests.simulation.script import Script
from tests.simulation.world import World

USUAL = Cast()


class Outcome(Value, frozen=True):
    """How a run went: what was broken, the hash of its history, and its story in lines."""

    broken: tuple[str, ...]
    history: str
    seconds: float
    turns: int
    story: tuple[str, ...] = ()


def play(script: Script, cast: Cast = USUAL) -> Outcome:
    """Play a script from its beginning to its end."""
    gc.collect()
    was_on = gc.isenabled()
    gc.disable()  # what is collected when must not depend on what ran before
    try:
        with TemporaryDirectory() as folder:
            world = World(script, Path(folder) / "db.sqlite", cast)
            world.run()
    finally:
        if was_on:
            gc.enable()
    story = tuple(f"{at:10.4f}  {' '.join(map(str, what))}"[:300] for at, what in world.story)
    lasted = world.now - 1000
    return Outcome(tuple(world.broken), world.history.hexdigest(), lasted, len(world.turns), story)


def play_seed(seed: int, cast: Cast = USUAL) -> Outcome:
    """Play the script of a seed."""
    return play(draw(seed), cast)


__all__ = ["Iterator", "Outcome", "msgspec", "play", "play_seed"]
