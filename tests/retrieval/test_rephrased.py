"""The model's reply to a rephrase prompt, however it comes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol.messages import Rephrased
from retrieval.backend import is_web_address
from retrieval.rephrased import QUERY_CHARS, parse_rephrased, short_query

ASKED = "How tall is it?"
LONG = "I am happy to help with that. " * 20


@pytest.mark.parametrize(
    ("reply", "query"),
    [
        ("<question>How tall is the tower</question>", "How tall is the tower"),
        ("\n<question>\n How tall\nis the tower \n</question>\n", "How tall is the tower"),
        ("Sure!\n<QUESTION>tower</Question> Hope it helps.", "tower"),
        ("```xml\n<question>tower</question>\n```", "tower"),
        ("<question>tower", "tower"),
        ("<question>`tower`</question>", "tower"),
        ("<question>a</question><question>tower</question>", "tower"),
        ("<think>maybe <question>no</question></think><question>tower</question>", "tower"),
        ("reasoning without start</think>\n<question>tower</question>", "tower"),
        ("<think>endless", ASKED),
        ("<question>not_needed</question>", ""),
        ("<question> Not needed. </question>", ""),
        ("not_needed", ""),
        ("`not_needed`", ""),
        ("<question>not_needed in C</question>", "not_needed in C"),
        ("just text", "just text"),
        ("Rephrased question: height of the tower", "height of the tower"),
        ('"height of the tower"', "height of the tower"),
        ("Here it is:\n\nheight", ASKED),
        (LONG, ASKED),
        ("", ASKED),
        ("<question></question>", ASKED),
        ("</question>", ASKED),
        ("```\n```", ASKED),
    ],
)
def test_the_query_is_found(reply: str, query: str) -> None:
    """Tags, missing tags, fences and thoughts: a search never runs for nothing."""
    assert parse_rephrased(reply, ASKED) == Rephrased(query)


@pytest.mark.parametrize(
    ("reply", "query", "links"),
    [
        (
            "<question>licence</question>\n<links>\nhttps://a.example/x\nhttp://b.example\n</links>",
            "licence",
            ("https://a.example/x", "http://b.example"),
        ),
        (
            "<links>\n- https://a.example\n- https://a.example\n",
            "summarize",
            ("https://a.example",),
        ),
        ("<question></question><links>1. <https://a.example>", "summarize", ("https://a.example",)),
        ("<links>https://a.example<question>x</question>", "x", ("https://a.example",)),
        ("<question>x</question><links>none\nfile:///etc\njavascript:x\n</links>", "x", ()),
        ("<question>x<links>https://a.example</links>", "x", ("https://a.example",)),
    ],
)
def test_links_are_found(reply: str, query: str, links: tuple[str, ...]) -> None:
    """Web addresses a line, once each; with links alone the query is to summarize."""
    assert parse_rephrased(reply, ASKED) == Rephrased(query, links)


def test_links_are_bounded() -> None:
    """A model that goes astray does not send us over the whole web."""
    reply = "<links>" + "\n".join(f"https://{i}.example" for i in range(1000))
    assert len(parse_rephrased(reply, ASKED).links) == 10


@given(
    st.lists(
        st.sampled_from(
            [
                "<question>",
                "</question>",
                "<links>",
                "</links>",
                "<think>",
                "</think>",
                "not_needed",
                "x",
                " ",
                "\n",
                "```",
                "https://a.example",
            ]
        ),
        max_size=12,
    )
)
def test_any_reply_is_read(parts: list[str]) -> None:
    """No mixture of marks breaks it, and none leaves a tag in the query."""
    found = parse_rephrased("".join(parts), ASKED)
    assert "<question>" not in found.query
    assert len(found.query) <= QUERY_CHARS
    assert all(map(is_web_address, found.links))


def test_long_questions_become_short_queries() -> None:
    """Search services take no essays; words stay whole."""
    assert short_query("word " * 1000) == ("word " * 80).strip()
    assert len(short_query("x" * 100_000)) == QUERY_CHARS
    assert parse_rephrased("", "word " * 1000).query == ("word " * 80).strip()
