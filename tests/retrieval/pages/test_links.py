"""Addresses in questions, and what is asked beside them."""

import time

import pytest

from protocol.messages import Rephrased
from protocol.values import Utterance
from retrieval.pages.links import asked_of_links, hosts, links_in
from retrieval.rephrased import unrephrased, with_named_links


@pytest.mark.parametrize(
    ("text", "links"),
    [
        ("How tall is it? http://a.example/x", ["http://a.example/x"]),
        ("See https://a.example.", ["https://a.example"]),
        ("(https://a.example/tower_(lighthouse))", ["https://a.example/tower_(lighthouse)"]),
        ("(see https://a.example/x)!", ["https://a.example/x"]),
        ("<https://a.example> or 'https://b.example'?", ["https://a.example", "https://b.example"]),
        ("HTTPS://A.example/X and https://b.example, thanks", ["HTTPS://A.example/X", "https://b.example"]),
        ("[that](https://a.example/x) **https://b.example**", ["https://a.example/x", "https://b.example"]),
        ("\u770b https://a.example\u3002\u8c22\u8c22", ["https://a.example"]),
        ("https://a.example https://a.example", ["https://a.example"]),
        ("http:// https://? file:///etc/passwd javascript:alert(1) a.example", []),
        ("http://[::1 http://]", []),
    ],
)  # fmt: skip
def test_links_are_found_as_a_reader_would(text: str, links: list[str]) -> None:
    """Punctuation, brackets and marks of the sentence are not part of an address."""
    assert list(links_in(text, 9)) == links


def test_links_are_bounded_in_number_and_in_work() -> None:
    """A question of nothing but addresses or brackets is read quickly."""
    began = time.perf_counter()
    assert len(links_in("https://a.example/1 https://b.example " * 1000, 1)) == 1
    assert links_in("https://a.example/" + ")" * 20_000, 5) == ("https://a.example/",)
    assert links_in("https://" * 10_000, 5) == ()
    asked_of_links("((" * 20_000 + "'" * 20_000)
    assert time.perf_counter() - began < 2


@pytest.mark.parametrize(
    ("question", "asked"),
    [
        ("How tall is the lighthouse in http://a.example ?", "How tall is the lighthouse in"),
        ("Summarize https://a.example", "summarize"),
        ("Summary: https://a.example", "summarize"),
        ("please summarise this page (https://a.example)", "summarize"),
        ("https://a.example", "summarize"),
        ("TL;DR https://a.example", "summarize"),
        ("Summarize what https://a.example says of tides", "Summarize what says of tides"),
    ],
)
def test_what_is_asked_stands_beside_the_links(question: str, asked: str) -> None:
    """Naming a page, or wishing for its summary, asks for all of it."""
    assert asked_of_links(question) == asked


def test_links_of_the_question_and_of_the_reply_are_both_read() -> None:
    """The question's come first; the same address with a slash more is the same."""
    said = Rephrased("licence", ("https://a.example/", "https://b.example"))
    before = (Utterance("user", "What is https://b.example/ ?"),)
    both = with_named_links(said, "Licence of https://a.example ?", before)
    assert both == Rephrased("licence", ("https://a.example", "https://b.example"))


def test_links_that_only_a_model_has_named_are_not_read() -> None:
    """It may have them from a page, which must not say what is fetched."""
    said = Rephrased("summarize", ("https://evil.example/?q=secret", "https://a.example/x"))
    before = (
        Utterance("user", "What is https://a.example ?"),
        Utterance("assistant", "Read https://evil.example/?q=secret"),
    )
    assert with_named_links(said, "Sum it up", before) == Rephrased("Sum it up")


def test_a_question_that_names_a_page_is_never_not_needed() -> None:
    """A model that sees no need to search is not asked to answer from nothing."""
    assert with_named_links(Rephrased(""), "Sum up https://a.example") == Rephrased(
        "summarize", ("https://a.example",)
    )
    assert with_named_links(Rephrased(""), "Hello") == Rephrased("")


def test_without_a_model_the_question_is_its_own_query() -> None:
    """With its links taken out, where the mode reads links."""
    question = "Who keeps https://a.example ?"
    assert unrephrased(question, reads_links=True).query == "Who keeps"
    assert unrephrased(question, reads_links=False) == Rephrased(question)


def test_sites_are_named_once() -> None:
    """For the reader it is enough to know where."""
    assert hosts(["https://a.example/1", "https://a.example/2", "http://b.example:8/"]) == (
        "a.example, b.example"
    )
