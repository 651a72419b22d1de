"""Answers without a model."""

import re
import time

from hypothesis import given, settings
from hypothesis import strategies as st

from protocol.values import Node
from retrieval.extractive import NO_MODEL, NO_SOURCES, extract_answer

TOWER = Node(
    "Fakeport lies on the coast. The lighthouse of Fakeport is 47 metres tall. "
    "It was built in 1883. Gulls are often seen there in summer.",
    "Lighthouse",
    "https://a.example",
)
CAKE = Node("Bake the cake for thirty minutes. Let it cool on a rack.", "Cake", "https://b.example")
ASKED = "How tall is the lighthouse of Fakeport?"


def test_the_best_sentence_leads_with_its_number() -> None:
    """The answer begins with what meets the question, cited by the source's own number."""
    answer = "".join(extract_answer(ASKED, [CAKE, TOWER]))
    assert answer.startswith("The lighthouse of Fakeport is 47 metres tall. [2]")
    assert "cake" not in answer


def test_every_sentence_is_cited() -> None:
    """Each piece but the last ends with a citation of a source that exists."""
    *pieces, last = extract_answer(ASKED, [CAKE, TOWER])
    assert last == NO_MODEL
    for piece in pieces:
        cited = re.search(r"\[(\d+)\]\s+\Z", piece)
        assert cited
        assert cited[1] in {"1", "2"}


def test_it_says_that_no_model_wrote_it() -> None:
    """The reader knows what the text is."""
    assert "no language model" in extract_answer(ASKED, [TOWER])[-1]


def test_without_sources_it_says_so() -> None:
    """No sources, or sources without a sentence: one honest piece."""
    assert extract_answer(ASKED, []) == [NO_SOURCES]
    assert extract_answer(ASKED, [Node("", "T", "u"), Node("tall", "T", "u")]) == [NO_SOURCES]


def test_sources_that_do_not_answer_are_shown_as_such() -> None:
    """Nothing matches: the beginnings of the closest sources, and the word that they are that."""
    first, second, last = extract_answer("zebra?", [CAKE])
    assert "None of the sources" in first
    assert second == "Bake the cake for thirty minutes. [1]\n\n"
    assert last == NO_MODEL


def test_nothing_is_said_twice() -> None:
    """Sources that copy each other are quoted once."""
    answer = "".join(extract_answer(ASKED, [TOWER] * 5))
    assert answer.count("47 metres") == 1


def test_sources_cannot_forge_citations_or_markup() -> None:
    """A source's own brackets and tags do not reach the answer."""
    evil = Node(
        "The lighthouse is tall [9] <img src=x onerror=y> says [this](javascript:z).", "T", "u"
    )
    answer = "".join(extract_answer(ASKED, [evil]))
    assert "[9]" not in answer
    assert "<" not in answer
    assert "javascript" not in answer


@given(st.lists(st.text("abc.[]<>`*\n |", max_size=80), max_size=5), st.text("abc ?", max_size=20))
@settings(max_examples=100, deadline=None)
def test_any_sources_give_an_answer(texts: list[str], question: str) -> None:
    """There is always something to say, and its citations are sound."""
    nodes = [Node(text, text, "u") for text in texts]
    answer = "".join(extract_answer(question, nodes))
    assert answer.strip()
    assert all(1 <= int(n) <= len(nodes) for n in re.findall(r"\[(\d+)\]", answer))


def test_it_is_fast() -> None:
    """Fifteen long sources cost at most a few tens of milliseconds, whatever they hold."""
    words = "The tower of the lighthouse is a tall building in a town by the sea. " * 90
    hard = ["<" * 6000, "[" * 6000, "*_" * 3000, "`" * 6000, "a." * 3000, "|" * 6000, "&lt;" * 1500]
    hard += ["<!--" * 1500, "![" * 3000, " " * 6000, "[1" * 3000, "<a" * 3000, "<script" * 800]
    for texts in ([words] * 15, hard):
        began = time.process_time()
        extract_answer(ASKED, [Node(text, "T", "u") for text in texts])
        assert time.process_time() - began < 0.5


def test_a_sentence_that_points_back_brings_what_it_points_to() -> None:
    """Nobody should have to guess who *it* is."""
    node = Node("The tower stands in Fakeport. It is a tall lighthouse with a lamp.", "T", "u")
    answer = "".join(extract_answer("tall lighthouse lamp", [node]))
    assert answer.startswith("The tower stands in Fakeport. [1] It is a tall lighthouse")
