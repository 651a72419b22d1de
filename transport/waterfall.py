"""A turn's trace as lines of plain text: who worked when, and for how long."""

from collections.abc import Iterator
from typing import get_args

from protocol.events import Stage
from protocol.traces import Span
from storage.store import Trace

STAGES = frozenset(get_args(Stage))
NAME_CHARS = 16
LEAST_BAR = 10
BAR_SHARE = 6  # of the width
QUESTION_CHARS = 70
# Facts that come first, in this order, and those that come last.
TELLING = ("failed", "upstream", "work", "key", "problem", "first_ms", "pieces", "results", "kept")
LONG = ("query", "detail")
NOTHING = "  No more is known: it runs, was interrupted, or its journal has been forgotten."


def drawn(trace: Trace, *, width: int) -> list[str]:
    """The turn with a line for each span, none of them longer than ``width``."""
    whole_ms = max((span.at_ms + (span.took_ms or 0) for span in trace.spans), default=0)
    rows = [_row(span, whole_ms, max(LEAST_BAR, width // BAR_SHARE)) for span in trace.spans]
    lines = [*_head(trace, whole_ms), *(rows or [NOTHING])]
    return [" ".join(line[:width].split("\n")).rstrip() for line in lines]


def _head(trace: Trace, whole_ms: int) -> Iterator[str]:
    end = f"{trace.state} {trace.error}".strip()
    model = f"{trace.provider}/{trace.model}"
    yield f"answer {trace.message_id}  chat {trace.chat_id}"
    yield f"  {trace.accepted_at}  {end}  {whole_ms} ms"
    yield f"  {trace.focus_mode}  {trace.optimization_mode}  {model}"
    yield f"  {trace.question[:QUESTION_CHARS]}"


def _row(span: Span, whole_ms: int, room: int) -> str:
    indent = "  " if span.name in STAGES else "    "
    name = f"{indent}{span.name}".ljust(NAME_CHARS + len("    "))
    took = "" if span.took_ms is None else f"{span.took_ms} ms"
    facts = " ".join(f"{name}={span.facts[name]}" for name in sorted(span.facts, key=_place))
    return f"{name}|{_bar(span, whole_ms, room)}| {span.at_ms:>6} {took:>9}  {facts}"


def _place(fact: str) -> int:
    """Where a fact stands among those of its span; of the same place, as they were noted."""
    if fact in TELLING:
        return TELLING.index(fact) - len(TELLING)
    return int(fact in LONG)


def _bar(span: Span, whole_ms: int, room: int) -> str:
    """Where in the turn the span lies: a stage is drawn fuller, a moment is a single mark."""
    scale = room / max(1, whole_ms)
    start = min(room - 1, int(span.at_ms * scale))
    if span.took_ms is None:
        return (" " * start + "'").ljust(room)
    mark = "#" if span.name in STAGES else "="
    length = max(1, min(room - start, round(span.took_ms * scale)))
    return (" " * start + mark * length).ljust(room)
