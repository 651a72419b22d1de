"""What a turn has been through, noted where it happens by whoever works for it.

The diary is in the context of the work. Where there is none, noting costs a look at the context.
"""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from operator import itemgetter

from protocol.errors import ServiceError
from protocol.traces import Fact, Span
from upstreams.tape import Tape

MOST_SPANS = 400
FACT_CHARS = 300
NO_FIRST_WORD, SILENT = "no first word in time", "silent for too long"
# Why work is cancelled, as the canceller says; what libraries say then is no fact.
REASONS = frozenset({NO_FIRST_WORD, SILENT})

Clock = Callable[[], float]


class Diary:
    """The spans of one turn, at most ``most``; with a tape, also what came from outside.

    ``stage`` is where the turn is, ``asker`` for whom all is done, where that is known.
    """

    def __init__(
        self,
        clock: Clock,
        tape: Tape | None = None,
        *,
        asker: str = "",
        most: int = MOST_SPANS,
    ) -> None:
        self.tape = tape
        self.asker = asker
        self.stage = ""
        self.now = clock
        self._began = clock()
        self._most = most
        self._spans: list[tuple[float, Span]] = []  # each with its beginning, to order it by
        self._left_out = 0

    def add(self, name: str, facts: dict[str, Fact], *, began: float | None = None) -> None:
        """Note what happens now, or what has gone on since ``began``."""
        if len(self._spans) >= self._most:
            self._left_out += 1
            return
        now = self.now()
        at = now if began is None else began
        took_ms = None if began is None else round(1000 * (now - began))
        span = Span(name, round(1000 * (at - self._began)), took_ms, _cut(facts))
        self._spans.append((at, span))

    def story(self) -> tuple[Span, ...]:
        """All spans in the order in which they began; what they are too many for is counted."""
        if self._left_out:
            self._most += 1
            self.add("left out", {"spans": self._left_out})
            self._left_out = 0
        return tuple(span for _, span in sorted(self._spans, key=itemgetter(0)))


def _cut(facts: dict[str, Fact]) -> dict[str, Fact]:
    return {name: f[:FACT_CHARS] if isinstance(f, str) else f for name, f in facts.items()}


_current: ContextVar[Diary | None] = ContextVar("upstreams.diary", default=None)


def current() -> Diary | None:
    """The diary of the work that is being done, if it has one."""
    return _current.get()


def enter(diary: Diary | None) -> None:
    """Keep this diary for the rest of this task, or until the next call."""
    _current.set(diary)


def note(name: str, **facts: Fact) -> None:
    """Something happens."""
    diary = _current.get()
    if diary is not None:
        diary.add(name, facts)


@contextmanager
def span(name: str, **facts: Fact) -> Iterator[dict[str, Fact]]:
    """Something goes on within the block, which may add facts; why it came to nothing is one."""
    diary = _current.get()
    if diary is None:
        yield facts
        return
    began = diary.now()
    try:
        yield facts
    except ServiceError as error:
        facts |= {"failed": error.key, "problem": error.problem}
        raise
    except (asyncio.CancelledError, GeneratorExit) as error:
        facts["failed"] = str(error) if str(error) in REASONS else "cancelled"
        raise
    except TimeoutError:
        facts["failed"] = "no answer in time"
        raise
    finally:
        diary.add(name, facts, began=began)
