"""A journal is a list that grows at its end, and whose readers have positions."""

import pytest

from actors.journal import Journal, refuse
from protocol.errors import Busy
from protocol.events import Accepted, Delta, Finished, SourcesFound
from tests.actors.parts import NODES, told, turn_info


def journal(*events: object) -> Journal:
    """A journal with these events."""
    made = Journal(turn_info())
    for event in events:
        made.write(event)  # type: ignore[arg-type]
    return made


def test_entries_are_numbered_from_one_without_holes() -> None:
    """A position is the number of the last entry that was read."""
    made = journal(Accepted(), Delta("a"), Delta("b"))
    assert [entry.seq for entry in made.entries] == [1, 2, 3]
    assert [entry.seq for entry in made.after(1)] == [2, 3]


def test_text_is_that_of_all_deltas() -> None:
    """Nothing is trimmed, nothing is added."""
    made = journal(Accepted(), Delta(" a"), SourcesFound(NODES), Delta("b "))
    assert (made.text, made.chars, made.sources) == (" ab ", 4, NODES)


def test_entry_is_not_visible_before_it_is_published() -> None:
    """What is promised becomes durable first."""
    made = journal(Accepted())
    entry = made.next(Finished())
    assert not made.ended
    made.publish(entry)
    assert made.ended


@pytest.mark.parametrize("seq", [1, 3])
def test_entry_out_of_order_is_a_bug(seq: int) -> None:
    """A hole, or the same number twice, must not go unnoticed."""
    made = journal(Accepted())
    entry = made.next(Delta("a"))
    with pytest.raises(ValueError, match="cannot follow"):
        made.publish(type(entry)(seq, entry.event))


def test_nothing_follows_the_end() -> None:
    """A journal ends once."""
    made = journal(Accepted(), Finished())
    with pytest.raises(ValueError, match="cannot follow"):
        made.write(Delta("more"))


def test_followers_are_woken_until_they_leave() -> None:
    """Every growth is told to every follower; leaving twice does no harm."""
    woken: list[str] = []
    made = Journal(turn_info())

    def wake() -> None:
        woken.append("woken")

    made.follow(wake)
    made.write(Accepted())
    made.write(Delta("a"))
    made.unfollow(wake)
    made.unfollow(wake)
    made.write(Delta("b"))
    assert woken == ["woken"] * 2


def test_refused_turn_is_an_answer_that_says_so() -> None:
    """Sources first, a sentence, the end: what both web UIs can show."""
    made = Journal(turn_info())
    refuse(made, Busy("questions"))
    assert told([entry.event for entry in made.entries]) == [
        "sources 0",
        "Too much is going on at the moment (questions). Please try again shortly.",
        "failed",
    ]
