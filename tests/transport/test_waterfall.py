"""How a turn looks in the terminal."""

import pytest

from protocol.ids import ChatId, MessageId, SessionId, TurnId
from protocol.traces import Fact, Span
from storage.store import Trace
from transport.waterfall import NOTHING, drawn

NAMES = (TurnId("t"), MessageId("a"), ChatId("c"), SessionId("s"))
FACTS = ("finished", "Why?\nHow?", "webSearch", "speed", "openai", "gpt", "12:00", "12:01")


def trace(*spans: Span) -> Trace:
    """A turn that has been through these."""
    return Trace(*NAMES, *FACTS, spans=spans)  # type: ignore[arg-type]


def test_bars_lie_where_the_time_went() -> None:
    """Stages are full bars, what they do is indented below, a moment is one mark."""
    lines = drawn(
        trace(
            Span("searching", 0, 500),
            Span("search", 0, 500, {"backend": "searxng"}),
            Span("retried", 500, None, {"upstream": "openai"}),
            Span("writing", 500, 500),
        ),
        width=120,
    )
    assert lines[4:] == [
        "  searching         |##########          |      0    500 ms",
        "    search          |==========          |      0    500 ms  backend=searxng",
        "    retried         |          '         |    500            upstream=openai",
        "  writing           |          ##########|    500    500 ms",
    ]


@pytest.mark.parametrize("width", [40, 80, 200])
def test_no_line_is_wider_than_the_terminal(width: int) -> None:
    """However long the facts are, and in one line each."""
    lines = drawn(trace(Span("search", 0, 5, {"query": "word\n" * 100})), width=width)
    assert max(map(len, lines)) <= width
    assert not any("\n" in line for line in lines)


def test_facts_stand_behind_the_bar() -> None:
    """What went wrong comes first, what may be long comes last."""
    span = Span("search", 0, 5, {"query": "why", "backend": "searxng", "failed": "cancelled"})
    assert drawn(trace(span), width=120)[4].endswith("failed=cancelled backend=searxng query=why")


def test_why_a_call_failed_is_not_cut_off() -> None:
    """Behind its key, and before whose model it was, in the width of a pipe."""
    facts: dict[str, Fact] = {"provider": "openai", "model": "gpt-4o-mini", "pieces": 0}
    facts |= {"failed": "MODEL_UNAVAILABLE", "problem": "it refused the key"}
    line = drawn(trace(Span("model", 0, 5, facts)), width=120)[4]
    assert "failed=MODEL_UNAVAILABLE problem=it refused the key" in line


def test_narrow_lines_have_the_facts_that_tell_most() -> None:
    """Whose model it was is cut off before what came of the call."""
    whose = {"provider": "openai", "model": "gpt-4o-mini"}
    well = Span("model", 0, 81, {**whose, "first_ms": 80, "pieces": 18})
    slow = Span("search", 0, 3380, {"backend": "searxng", "failed": "no answer in time"})
    lines = drawn(trace(well, slow), width=80)[4:]
    assert "first_ms=80 pieces=18" in lines[0]
    assert "failed=no answer in time" in lines[1]


def test_a_turn_without_a_story_says_so() -> None:
    """It may run, or be too old."""
    assert drawn(trace(), width=100)[4:] == [NOTHING]
