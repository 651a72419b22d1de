"""Random programs of everything that can happen to actors at once, on the virtual clock."""

import os
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.actors.world import NAMES, World
from tests.clock import virtual

# A hunt of its own: PROGRAMS=20000 with fresh randomness each time.
PROGRAMS = int(os.environ.get("PROGRAMS", "0"))

names = st.sampled_from(NAMES)
times = st.sampled_from((0.0, 0.25, 0.5, 1.0, 2.0, 7.0))
limits = st.sampled_from((0.0, 0.25, 0.5, 1.0, 2.0))


def spec(*parts: Any) -> st.SearchStrategy[tuple[Any, ...]]:
    """A verb with its details."""
    verb, *details = parts
    return st.tuples(st.just(verb), *details)


simple = st.one_of(
    spec("rest", times),
    spec("crash"),
    spec("refuse"),
    spec("defy", st.integers(1, 3), times),
    spec("clean", times, times),
    spec("bear", times),
    spec("leave"),
    spec("stop_child", limits),
)


def composed(acts: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Acts that have others done."""
    asked = st.tuples(names, acts, limits)
    return st.one_of(
        spec("ask", names, acts, limits),
        spec("persist", names, acts, limits),
        spec("ask_both", asked, asked),
        spec("tell", names, acts),
        spec("limit", limits, acts),
        spec("sequence", acts, acts),
    )


acts = st.recursive(simple, composed, max_leaves=4)
steps = st.one_of(
    spec("tell", names, acts),
    spec("ask", names, acts, limits | st.none()),
    spec("ask", names, acts, limits | st.none()),
    spec("leave", st.integers(0, 9)),
    spec("wait", times),
    spec("wait", st.just(0.0)),
    spec("stop", names, st.booleans(), limits),
    spec("kill", names),
    spec("cancel", names),
)


@virtual
async def play(program: list[Any]) -> None:
    """Do each step, then close the world, which checks it."""
    world = World()
    await world.wait(0)
    for verb, *details in program:
        await getattr(world, verb)(*details)
    await world.close()


@settings(
    max_examples=PROGRAMS or 400,
    derandomize=not PROGRAMS,
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
)
@given(st.lists(steps, min_size=4, max_size=40))
def test_whatever_happens_the_invariants_hold(program: list[Any]) -> None:
    """Books balance, each ask ends, no message is handled twice, late or beside another; all ends.

    The tree stops within its deadline and a grace, and no task, timer or child is left of it.
    """
    play(program)
