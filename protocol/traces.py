"""What is told of a turn that has ended: what it has been through, what came from outside."""

from msgspec import field

from protocol.base import Value
from protocol.values import Models, Question

Fact = str | int | float | bool


class Span(Value, frozen=True, rename="camel", omit_defaults=True):
    """Something that happened in a turn.

    ``at_ms`` counts from its beginning; ``took_ms`` is ``None`` for what has no length.
    The facts have their units in their names.
    """

    name: str
    at_ms: int
    took_ms: int | None = None
    facts: dict[str, Fact] = field(default_factory=dict)


class Mishap(Value, frozen=True, array_like=True):
    """An error as it was told: the name of its class, its sentence, its detail."""

    name: str
    sentence: str
    detail: str = ""


class Said(Value, frozen=True, array_like=True):
    """One thing that came from outside.

    ``asked`` is a digest of what was asked of a ``source`` (a model, a search) in a ``stage``; it
    came to ``value``, as MessagePack, or to a mishap, perhaps after a part of it.
    """

    source: str
    stage: str
    asked: bytes
    value: bytes
    mishap: Mishap | None = None


class Recording(Value, frozen=True):
    """All that a turn was given: its question, and what came from outside, as it came.

    There are no keys and no addresses of model services in it.
    """

    question: Question
    models: Models
    said: tuple[Said, ...]
