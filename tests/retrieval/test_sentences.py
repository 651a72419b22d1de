"""Sentences that can be quoted in Markdown."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from retrieval.sentences import sentences


def test_paragraphs_become_sentences() -> None:
    """Lines of a paragraph belong together; a full stop ends what has no mark."""
    text = "The tower is 47 metres\ntall. It was built in 1883!\n\nA last line without a mark"
    assert sentences(text) == [
        "The tower is 47 metres tall.",
        "It was built in 1883!",
        "A last line without a mark.",
    ]


def test_short_forms_end_no_sentence() -> None:
    """e.g., Dr. and initials are followed by the rest."""
    text = "Lights, e.g. The Lizard, are old. Dr. A. Stone built the tower in U.S. style."
    assert sentences(text) == [
        "Lights, e.g. The Lizard, are old.",
        "Dr. A. Stone built the tower in U.S. style.",
    ]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("# A heading of several words\n- an item of the list here", "an item of the list here."),
        ("> quoted words of somebody else", "quoted words of somebody else."),
        ("1. **bold** and _slanted_ words, snake_case", "bold and slanted words, snake_case."),
        ("see [the long guide](http://x) for ![a](b.png) more", "see the long guide for more."),
        ("as is known[12][citation needed] by all people", "as is known by all people."),
        (
            "<p>Text in <b>bold</b> and so on</p><script>alert(1)</script>",
            "Text in bold and so on.",
        ),
        ("the call `ask(x)` goes down only", "the call `ask(x)` goes down only."),
        ("an odd ` mark in the sentence", "an odd mark in the sentence."),
        ("... a snippet that a search cut ...", "a snippet that a search cut."),
        ("Fish &amp; chips &lt;b&gt; are good food", "Fish & chips < b> are good food."),
        ("| name | what it is for |\n|---|---|", "name: what it is for."),
        (
            "```\ncode that is not prose at all\n```\nand prose that is fine",
            "and prose that is fine.",
        ),
        ("It is 5 < 6 and 7 > 6 always", "It is 5 < 6 and 7 > 6 always."),
        ("[ref]: http://x.example\nthe text that remains here", "the text that remains here."),
        ("a list [of things] in square brackets", "a list (of things) in square brackets."),
    ],
)
def test_marks_go_and_words_stay(text: str, found: str) -> None:
    """What Markdown, HTML and search engines add is taken away."""
    assert sentences(text) == [found]


MARKS = st.sampled_from([*"<>[]()!*_`#|-\n &;:/\"'.a1", "script", "javascript:", "&lt;", "word "])


@given(st.lists(MARKS, max_size=60).map("".join))
@settings(max_examples=200, deadline=None)
def test_nothing_in_a_sentence_can_act(text: str) -> None:
    """No tag, link, picture, citation or second line can come out, whatever goes in."""
    for sentence in sentences(text):
        assert not re.search(r"<[a-zA-Z/!?]", sentence)
        assert "[" not in sentence
        assert "\n" not in sentence
        assert sentence.count("`") % 2 == 0


def test_endless_sentences_are_cut() -> None:
    """A page without a full stop gives one bearable sentence."""
    (found,) = sentences("word " * 10_000)
    assert len(found) < 430
