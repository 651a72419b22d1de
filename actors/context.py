"""What travels with every message: facts for the log, the asker's deadline, a turn's diary."""

from collections.abc import Iterator, Mapping, MutableMapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, NamedTuple

from upstreams import diary
from upstreams.diary import Diary


class Context(NamedTuple):
    """Facts bound to every log line, the loop time by which the work must be done, the diary."""

    facts: Mapping[str, str] = {}
    deadline: float | None = None
    diary: Diary | None = None


_current: ContextVar[Context] = ContextVar("actors.context", default=Context())  # noqa: B039 - frozen by use


def current() -> Context:
    """The context of the message that is being handled."""
    return _current.get()


def enter(context: Context) -> None:
    """Make ``context`` the current one for the rest of this task, or until the next call."""
    _current.set(context)
    diary.enter(context.diary)


def keep(kept: Diary | None) -> None:
    """Have all that is done and asked for from now on noted in this diary."""
    enter(_current.get()._replace(diary=kept))


@contextmanager
def bound(**facts: str) -> Iterator[None]:
    """Add facts to all that is logged, sent or spawned inside the block."""
    before = _current.get()
    token = _current.set(before._replace(facts={**before.facts, **facts}))
    try:
        yield
    finally:
        _current.reset(token)


def sooner(deadline: float | None, other: float | None) -> float | None:
    """The earlier of two deadlines, where ``None`` is never."""
    if deadline is None or other is None:
        return deadline if other is None else other
    return min(deadline, other)


def add_facts(_logger: object, _name: str, event: MutableMapping[str, Any]) -> Mapping[str, Any]:
    """A structlog processor that puts the current facts below those of the line itself."""
    return {**_current.get().facts, **event}
