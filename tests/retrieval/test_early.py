"""What was searched before the question was rephrased is used where it fits."""

import pytest

from protocol.messages import SearchFinished
from protocol.values import Node
from retrieval.early import fitting, is_same_query, joined

QUERY = "height of the Harbour Point lighthouse"
FITS = Node("The lighthouse is 41 metres tall.", "Harbour Point", "https://a.example/1")
ALIEN = Node("Lighthouses of the world", "A list", "https://a.example/2")
FOUND = Node("It stands since 1890.", "Point", "https://b.example/1")


@pytest.mark.parametrize(
    ("other", "same"),
    [
        ("How tall is it?", True),
        ("how  tall is it", True),
        ("How tall was it?", False),
        ("", False),
    ],
)
def test_case_blanks_and_the_last_sign_make_no_other_query(other: str, *, same: bool) -> None:
    """Words do; signs within do, as in the names of languages."""
    assert is_same_query("How tall is it?", other) is same
    assert not is_same_query("What is C++?", "What is C?")


def test_half_of_the_words_must_be_there() -> None:
    """In the title or in the text, in whatever form; words that say nothing do not count."""
    assert fitting(QUERY, [ALIEN, FITS]) == [FITS]
    assert fitting("who is it", [ALIEN, FITS]) == []


def test_what_fits_comes_behind_what_was_found() -> None:
    """Each address once; where nothing fits all stays as it was."""
    found = SearchFinished((FOUND,), "searxng")
    both = joined(QUERY, found, SearchFinished((FITS, ALIEN), "searxng"))
    assert both == SearchFinished((FOUND, FITS), "searxng")
    again = Node("The lighthouse of Harbour Point", "Other words", FOUND.url)
    assert joined(QUERY, found, SearchFinished((again,), "searxng")) == found
    assert joined(QUERY, found, SearchFinished((ALIEN,), "searxng")) is found


def test_stopgaps_give_way_and_are_not_added() -> None:
    """The program's own documents, or nothing, are less than what was found early."""
    stopgap = SearchFinished((FITS,), "documents", "these come with the program")
    early = SearchFinished((FITS,), "searxng")
    assert joined(QUERY, stopgap, early) == early
    assert joined(QUERY, SearchFinished((), ""), early) == early
    assert joined(QUERY, early, stopgap) is early
