"""Words of a text."""

import pytest

from retrieval.words import content_words, is_weak, stem, stems, words


def test_words_have_no_case_accents_or_marks() -> None:
    """Words meet however they are written."""
    assert words("Caf\u00e9, L'\u00cele_Vierge! 82.5 m") == [
        "cafe",
        "l",
        "ile",
        "vierge",
        "82",
        "5",
        "m",
    ]
    assert words("\uff34\uff4f\uff57\uff45\uff52") == ["tower"]


@pytest.mark.parametrize(
    ("word", "other"),
    [("actors", "actor"), ("talking", "talks"), ("cities", "city"), ("classes", "class")],
)
def test_forms_of_a_word_share_a_stem(word: str, other: str) -> None:
    """Plain endings go."""
    assert stem(word) == stem(other)


@pytest.mark.parametrize("word", ["is", "gas", "this", "bus", "sing", "red", "glass", "analysis"])
def test_short_and_whole_words_stay(word: str) -> None:
    """What only looks like an ending is none."""
    assert stem(word) == word


def test_stop_words_say_nothing() -> None:
    """Content words are distinct, in their order."""
    assert content_words("What is the tower, and is the tower tall?") == ["tower", "tall"]
    assert stems("The actors are actors") == ["actor", "actor"]
    assert is_weak("works")
    assert not is_weak("tower")
