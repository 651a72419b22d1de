"""What quality adds: several queries, their results as one, sources of many sites."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol.messages import SearchFinished
from protocol.settings import Quality
from protocol.values import Node
from retrieval.quality import fused, parse_divided, selected, site, tokens

QUERY = "lighthouse height and keeper"


@pytest.mark.parametrize(
    ("reply", "queries"),
    [
        ("<query>height</query>\n<query>keeper</query>", ("height", "keeper")),
        ("Sure:\n<QUERY> height\nof it </Query>", ("height of it",)),
        ("<think><query>no</query></think><query>height</query>", ("height",)),
        ("<query>height<query>keeper", ("height", "keeper")),
        ("<query>a</query><query>A</query><query>b</query>", ("a", "b")),
        ("<query>1</query><query>2</query><query>3</query><query>4</query>", ("1", "2", "3")),
        ("1. height\n2. keeper", ("height", "keeper")),
        ("- height\n* keeper", ("height", "keeper")),
        ("I would look for the height.", (QUERY,)),
        ("", (QUERY,)),
        ("<query></query><query> </query>", (QUERY,)),
        (f"<query>{'x' * 500}</query>", (QUERY,)),
    ],
)
def test_queries_are_found_in_a_reply(reply: str, queries: tuple[str, ...]) -> None:
    """Tags, else a list, else the query itself: never none, never too many, none twice."""
    assert parse_divided(reply, QUERY, 3) == queries


@given(st.text(alphabet="<>/query \n-1.ab", max_size=80))
def test_any_reply_gives_queries(reply: str) -> None:
    """At least one and at most three."""
    assert 1 <= len(parse_divided(reply, QUERY, 3)) <= 3


def result(*names: str, note: str = "") -> SearchFinished:
    nodes = tuple(Node(f"text {n}", n, f"https://{n}.example/") for n in names)
    return SearchFinished(nodes, "test", note)


def titles(found: SearchFinished) -> list[str]:
    return [node.title for node in found.nodes]


def test_what_several_searches_found_leads() -> None:
    """Reciprocal ranks add up; each page stands once."""
    assert titles(fused([result("a", "b", "c"), result("d", "c"), result("c", "e")]))[0] == "c"
    assert titles(fused([result("a", "b", "c")])) == ["a", "b", "c"]


def test_a_makeshift_counts_only_where_nothing_else_was_found() -> None:
    """Documents of the program do not mix with pages that were found."""
    makeshift = result("doc", note="These come with the program.")
    assert titles(fused([makeshift, result("a")])) == ["a"]
    assert fused([makeshift, result()]) == makeshift
    assert fused([result(note="down"), result(note="down")]) == SearchFinished((), "test", "down")


def test_passages_of_one_document_are_not_one_page() -> None:
    """A library's passages share an address where no place tells them apart."""
    nodes = tuple(Node(f"passage {n}", "A", "notes/a.txt") for n in range(3))
    assert len(fused([SearchFinished(nodes, "library")]).nodes) == 3


def of_site(host: str, count: int, text: str = "text") -> list[Node]:
    return [Node(f"{text} {n}", "T", f"https://{host}/{n}") for n in range(count)]


def test_at_most_three_passages_a_site_are_kept() -> None:
    """In their order; with and without www it is one site."""
    nodes = [*of_site("a.example", 2), *of_site("www.a.example", 3), *of_site("b.example", 5)]
    kept = selected(nodes, Quality(), most=15)
    assert [site(node) for node in kept] == ["a.example"] * 3 + ["b.example"] * 3


def test_sources_keep_within_the_tokens() -> None:
    """A long one is passed over for shorter ones behind it; the first is always there."""
    nodes = [Node("x" * 400, "", "https://a.example"), Node("y" * 4000, "", "https://b.example")]
    nodes.append(Node("z" * 100, "", "https://c.example"))
    assert [n.text[0] for n in selected(nodes, Quality(tokens=200), most=15)] == ["x", "z"]
    assert [n.text[0] for n in selected(nodes, Quality(tokens=1), most=15)] == ["x"]
    assert selected([], Quality(), most=15) == ()


def test_tokens_are_estimated_for_any_language() -> None:
    """About four letters of English, or one and a third of Chinese, are a token."""
    assert 100 <= tokens(Node("word " * 80, "", "")) <= 110
    assert 75 <= tokens(Node("\u5854" * 100, "", "")) <= 85
