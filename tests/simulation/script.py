"""What happens in one run, as data that was drawn from a seed before the run begins.

Nothing is drawn later: a run is a function of its script, so that steps can be taken out of it
while it still fails.
"""

from typing import Any, Literal

from protocol.base import Value

Kind = Literal["ok", "slow", "hang", "refuse", "down", "garbage", "break", "stall"]


class Fault(Value, frozen=True):
    """How a service treats one call: ``amount`` are the seconds of ``slow``.

    For ``break`` and ``stall`` it is the part of the reply that comes before.
    """

    kind: Kind = "ok"
    amount: float = 0.0

    def __str__(self) -> str:
        """The two in short."""
        return f"{self.kind}:{self.amount:g}"


WELL = Fault()


class Plan(Value, frozen=True):
    """How the services treat one question, and what the model writes.

    The answer has ``pieces`` pieces of about ``chars`` characters, ``gap_s`` apart.
    """

    pieces: int = 8
    chars: int = 8
    gap_s: float = 0.02
    rephrase: Fault = WELL
    search: Fault = WELL
    embed: Fault = WELL
    answer: Fault = WELL

    @property
    def is_well(self) -> bool:
        """Whether all services are."""
        return all(fault == WELL for fault in (self.rephrase, self.search, self.embed, self.answer))

    @property
    def takes_s(self) -> float:
        """How long the model writes when it is well."""
        return self.pieces * self.gap_s


class Query(Value, frozen=True):
    """One question: its number is in its text, by which the services know what to do."""

    number: int
    chat: str
    message: str  # the id of the question; one that was used before rewrites that question
    mode: str = "webSearch"
    depth: str = "balanced"
    plan: Plan = Plan()

    @property
    def text(self) -> str:
        """What the client asks."""
        return f"q{self.number}x What is it about?"

    def __str__(self) -> str:
        """What is not as usual about it."""
        usual, plan = Plan(), self.plan
        told = {name: getattr(plan, name) for name in Plan.__struct_fields__}
        odd = [f"{name}={value}" for name, value in told.items() if value != getattr(usual, name)]
        named = f"question {self.number} (chat {self.chat}, {self.message})"
        return " ".join((named, self.mode, self.depth, *odd))


class Person(Value, frozen=True):
    """A client: its dialect, how long it takes for a frame (``None``: no time), its model."""

    is_v2: bool = True
    takes_s: float | None = None
    has_model: bool = True
    returns_s: float = 1.0  # after it has lost its connection


class Step(Value, frozen=True):
    """One thing that happens: when, what (a verb of the world), to whom, and its details."""

    at: float
    verb: str
    who: int = 0
    what: Any = None


class Script(Value, frozen=True):
    """All of it; ``commit_s`` is the time of a commit when the disk is well."""

    people: tuple[Person, ...]
    steps: tuple[Step, ...]
    commit_s: float = 0.0

    @property
    def is_calm(self) -> bool:
        """Whether all services and the disk are well all the time."""
        plans = (step.what.plan for step in self.steps if isinstance(step.what, Query))
        return all(plan.is_well for plan in plans) and all(s.verb != "disk" for s in self.steps)
