"""A turn's diary: what happens is noted where it happens, and bounded."""

import asyncio
from collections.abc import Iterator

import pytest

from protocol.errors import PageUnreadable, ServiceError, TurnFailed
from protocol.traces import Span
from upstreams import diary
from upstreams.diary import FACT_CHARS, SILENT, Diary, note, span


class Clock:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.at = 100.0

    def __call__(self) -> float:
        """Its time."""
        return self.at


@pytest.fixture
def clock() -> Clock:
    """The clock of the diary."""
    return Clock()


@pytest.fixture
def kept(clock: Clock) -> Iterator[Diary]:
    """A diary that the test is noted in, with room for three spans."""
    made = Diary(clock, most=3)
    diary.enter(made)
    yield made
    diary.enter(None)


def test_spans_come_in_the_order_of_their_beginning(kept: Diary, clock: Clock) -> None:
    """A span has its begin, its length and its facts; a note has no length."""
    with span("search", backend="searxng") as facts:
        clock.at += 0.25
        note("retried", upstream="searxng")
        clock.at += 0.25
        facts["results"] = 7
    assert kept.story() == (
        Span("search", 0, 500, {"backend": "searxng", "results": 7}),
        Span("retried", 250, None, {"upstream": "searxng"}),
    )


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (asyncio.CancelledError(), "cancelled"),
        (asyncio.CancelledError("by scope 7f3a"), "cancelled"),
        (asyncio.CancelledError(SILENT), SILENT),
        (TimeoutError(), "no answer in time"),
    ],
)
def test_what_comes_to_nothing_says_why(kept: Diary, error: BaseException, told: str) -> None:
    """The error goes on its way, and its kind is in the span."""
    with pytest.raises(type(error)), span("search"):
        raise error
    assert kept.story()[0].facts == {"failed": told}


def test_error_is_told_by_its_key_and_in_its_own_words(kept: Diary) -> None:
    """Which are ours: whoever asked may read them."""
    for error in (PageUnreadable("it has no text"), TurnFailed()):
        with pytest.raises(ServiceError), span("page"):
            raise error
    assert [each.facts for each in kept.story()] == [
        {"failed": "PAGE_UNREADABLE", "problem": "it has no text"},
        {"failed": "CHAIN_ERROR", "problem": str(TurnFailed())},
    ]


def test_spans_and_their_facts_are_bounded(kept: Diary) -> None:
    """What is too much is counted, and long texts are cut."""
    for _ in range(5):
        note("page", host="x" * 2 * FACT_CHARS)
    assert [s.facts for s in kept.story()] == [{"host": "x" * FACT_CHARS}] * 3 + [{"spans": 2}]


def test_without_a_diary_nothing_is_noted() -> None:
    """Work that belongs to no turn goes on as usual."""
    note("page", host="example.org")
    with span("search") as facts:
        facts["results"] = 1
    assert diary.current() is None
