"""Of a long conversation the newest part is taken along."""

from hypothesis import given
from hypothesis import strategies as st

from protocol.history import earlier, latest
from protocol.settings import Limits
from protocol.values import Utterance

LIMITS = Limits(history_chars=10, history_entries=3)


def told(texts: list[str], question: str = "Why?") -> list[str]:
    """What is kept of these texts of the user's."""
    history = [("human", text) for text in texts]
    return [said.text for said in earlier(history, question, LIMITS)]


def test_newest_entries_are_kept_in_order() -> None:
    """As many as may be, the question itself not counted among them."""
    assert told(["a", "b", "c", "d", "e"]) == ["c", "d", "e"]
    assert told(["a", "b", "c", "d", "Why?"]) == ["b", "c", "d"]


def test_newest_characters_are_kept() -> None:
    """Whole entries; of one that is longer than all there may be, its beginning."""
    assert told(["aaaa", "bbbb", "cccc"]) == ["bbbb", "cccc"]
    assert told(["a", "b" * 20]) == ["b" * 10]
    assert latest([], 3) == []


@given(st.lists(st.text(max_size=15), max_size=8))
def test_no_more_than_the_limits_goes_into_a_prompt(texts: list[str]) -> None:
    """Whatever a client sends; and the newest is never left out."""
    kept = told(texts)
    assert len(kept) <= 3
    assert sum(map(len, kept)) <= 10
    rest = texts[:-1] if texts and texts[-1] == "Why?" else texts
    assert not rest or rest[-1].startswith(kept[-1])


def test_long_history_of_nothing_costs_nothing() -> None:
    """A frame holds half a million empty entries."""
    history = [("ai", "")] * 500_000
    assert earlier(history, "Why?", LIMITS) == (Utterance("assistant", ""),) * 3
