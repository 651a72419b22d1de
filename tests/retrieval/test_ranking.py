"""Ranking, by its properties."""

import math

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from retrieval.ranking import Measure, Ranked, are_near, bm25, hybrid, normalised, similarities

NUMBERS = st.floats(width=32, allow_nan=True, allow_infinity=True)
TEXTS = st.lists(st.text("ab cd\u00e9 .", max_size=12), max_size=8)
MEASURES = st.sampled_from(["cosine", "dot"])


@given(
    query=st.text("abcd ", max_size=10),
    texts=TEXTS,
    data=st.data(),
    measure=MEASURES,
    floor=st.none() | st.floats(-1, 1),
    keep=st.integers(1, 5),
)
@settings(max_examples=150, deadline=None)
def test_any_input_gives_a_sane_order(
    query: str,
    texts: list[str],
    data: st.DataObject,
    measure: Measure,
    floor: float | None,
    keep: int,
) -> None:
    """Distinct places, finite scores from 0 to 1 that fall, all over the floor, at most keep."""
    vectors = data.draw(arrays(np.float64, (len(texts) + 1, 3), elements=NUMBERS))
    ranked = hybrid(query, texts, vectors, measure=measure, floor=floor, keep=keep)
    places = [place for place, _ in ranked]
    scores = [score for _, score in ranked]
    assert len(set(places)) == len(places) <= keep
    assert all(0 <= score <= 1 and math.isfinite(score) for score in scores)
    assert scores == sorted(scores, reverse=True)
    closeness = similarities(vectors, len(texts), measure)
    if closeness is not None and floor is not None:
        assert all(closeness[place] > floor for place in places)


@given(texts=TEXTS, data=st.data())
@settings(max_examples=60, deadline=None)
def test_the_floor_lets_through_what_the_reference_does(
    texts: list[str], data: st.DataObject
) -> None:
    """With room for all, exactly the texts over the floor stay, but for near-duplicates."""
    elements = st.floats(-2, 2, width=32)
    vectors = data.draw(arrays(np.float64, (len(texts) + 1, 2), elements=elements))
    closeness = similarities(vectors, len(texts), "cosine")
    if closeness is None:
        return
    kept = {place for place, _ in hybrid("a", texts, vectors, floor=0.3, keep=99)}
    over = {place for place in range(len(texts)) if closeness[place] > 0.3}
    assert kept <= over
    for left_out in over - kept:
        told = frozenset(texts[left_out].lower().split())
        assert any(are_near(told, frozenset(texts[place].lower().split())) for place in kept)


@given(query=st.text("ab ", max_size=8), texts=TEXTS)
@settings(max_examples=60, deadline=None)
def test_lexical_scores_are_finite_and_zero_without_shared_words(
    query: str, texts: list[str]
) -> None:
    """No input divides by zero."""
    scores = bm25(query, texts)
    assert scores.shape == (len(texts),)
    assert np.isfinite(scores).all()
    assert (scores >= 0).all()
    assert not bm25("zzz", texts).any()


def ranked(vectors: object, *texts: str, floor: float | None = None) -> list[Ranked]:
    rows: npt.NDArray[np.float64] | None = None if vectors is None else np.array(vectors, float)
    return hybrid("red apple", texts, rows, floor=floor)


def test_nothing_gives_nothing() -> None:
    """No texts, no order."""
    assert ranked([[1, 0]]) == []
    assert ranked(None) == []


def test_one_text_over_the_floor_stays() -> None:
    """A single candidate has no spread to be normalised by, and stays all the same."""
    assert [place for place, _ in ranked([[1, 0], [1, 0]], "red apple", floor=0.3)] == [0]


def test_words_and_vectors_count_alike() -> None:
    """The text that leads in both leads; one that leads in neither comes last."""
    vectors = [[1, 0], [0.2, 1], [1, 0.1], [0.9, 0.5]]
    order = ranked(vectors, "blue sky", "red apple pie", "red wine")
    assert [place for place, _ in order] == [1, 2, 0]


def test_without_vectors_words_alone_decide_and_no_floor_holds() -> None:
    """No vectors, or vectors of another number than texts: the order is lexical."""
    for vectors in (None, [[1, 0]], [[np.nan, 1], [1, 0], [1, 0]], [[0, 0], [1, 0], [1, 0]]):
        order = ranked(vectors, "blue sky", "red apple", floor=0.9)
        assert [place for place, _ in order] == [1, 0]


def test_a_text_without_a_usable_vector_does_not_pass_a_floor() -> None:
    """The built-in model gives no number for an empty text; such a text has similarity 0."""
    order = ranked([[1, 0], [np.nan, np.nan], [1, 0], [0, 0]], "", "x", "y", floor=0.3)
    assert [place for place, _ in order] == [1]


def test_what_is_vouched_for_needs_no_floor() -> None:
    """Texts that their finder has weighed are ordered, not dropped."""
    vectors = np.array([[1.0, 0], [0, 1], [0, 1]])
    order = hybrid("x", ["one text", "another"], vectors, floor=0.3, vouched=frozenset({1}))
    assert [place for place, _ in order] == [1]


def test_everything_under_the_floor_leaves_nothing() -> None:
    """As in the reference, nothing far from the question is cited."""
    assert ranked([[1, 0], [0, 1]], "red apple", floor=0.3) == []


def test_near_duplicates_are_dropped() -> None:
    """The better of two texts that say the same stays."""
    order = ranked(None, "a red apple", "A  red apple", "green pear")
    assert [place for place, _ in order] == [0, 2]


def test_ties_keep_the_order_of_the_search() -> None:
    """Equal scores change nothing."""
    order = ranked(None, "one thing", "two things", "three birds")
    assert [place for place, _ in order] == [0, 1, 2]


@pytest.mark.parametrize("measure", ["cosine", "dot"])
def test_measures(measure: Measure) -> None:
    """Cosine knows directions only; dot knows lengths too."""
    vectors = np.array([[2.0, 0], [3, 0], [0, 1]])
    expected = {"cosine": [1, 0], "dot": [6, 0]}[measure]
    found = similarities(vectors, 2, measure)
    assert found is not None
    assert found.tolist() == expected


def test_normalised_is_zero_without_spread() -> None:
    """Equal scores say nothing."""
    assert normalised(np.array([3.0, 3])).tolist() == [0, 0]
    assert normalised(np.array([])).tolist() == []
