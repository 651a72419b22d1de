"""What a check comes to."""

from collections.abc import Mapping
from typing import Literal

from protocol.base import Value

State = Literal["ok", "warning", "failed"]


class Finding(Value, frozen=True):
    """What was found, in one line for people.

    Attributes:
        state: ``ok``; ``warning`` where questions are answered, but less well than they could be;
            ``failed`` where something that is set up does not work.
        says: What was found; never a secret.
        advice: What to do about it; empty where nothing is to be done.

    """

    state: State
    says: str
    advice: str = ""


Report = Mapping[str, Finding]  # by the names of the checks, in the order to show them


def well(says: str) -> Finding:
    """Nothing is to be done."""
    return Finding("ok", says)


def warned(says: str, advice: str) -> Finding:
    """Something could be better."""
    return Finding("warning", says, advice)


def failed(says: str, advice: str) -> Finding:
    """Something does not work."""
    return Finding("failed", says, advice)
