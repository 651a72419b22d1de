"""An answer shows no pictures and no links but to known hosts, however it comes in pieces."""

from itertools import pairwise

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from protocol.ids import ChatId, MessageId
from protocol.values import Node, Question, Utterance
from retrieval.known_hosts import KnownHosts
from retrieval.safe_answer import SafeAnswer
from tests.hostile import FENCE, FOREIGN, leads_away

HOSTS = KnownHosts(["site1.example", "www.docs.example"])
KEPT = {
    "citations": "It is tall [1]. It is old [1][2], see [3]: the end.",
    "citation behind a mark": "Great![1] Really!![12][3]",
    "known link": "See [the page](https://site1.example/a_(b)?q=1#c), or so.",
    "known host with www": "See [it](https://www.site1.example/) and https://docs.example/x.",
    "known address": "See https://site1.example, <https://site1.example/x>, www.docs.example.",
    "known port": "See https://site1.example:8080/x",
    "code": "Call `curl https://elsewhere.example/x` or ``a ` b``.",
    "block": f"So:\n\n{FENCE}sh\ncurl https://elsewhere.example/ # ![a](b)\n{FENCE}\nDone.",
    "block in a list": f"1. So:\n   {FENCE}\n   wget http://elsewhere.example\n   {FENCE}\n2. x",
    "block of tildes": "~~~\n<img src='https://elsewhere.example'>\n~~~\n",
    "maths": r"$a<b$, $x_{[i]}(y)$, \(a \le b\), $$f(x) = \sum_{i<n} x_i!$$ and a < b > c",
    "types": "A List<String> or Map<K, V> is a thing",
    "plain tags": "H<sub>2</sub>O, x<sup>2</sup>, a<br>b<br/>c",
    "table": "| a | b |\n|:--|--:|\n| 1 | `x` |\n",
    "prose": "Note: at 10:30, AT&T said: wow! 3 < 4 && 5 > 4; e.g. this... ~5% *b* **c** _d_\n> q",
    "array": "Take a[1], b[2]:c",
}


def safe(*pieces: str) -> str:
    """The text that is shown."""
    answer = SafeAnswer(HOSTS)
    return "".join([*map(answer.feed, pieces), answer.finish()])


@pytest.mark.parametrize("text", KEPT.values(), ids=KEPT)
def test_ordinary_text_stays_as_it_is(text: str) -> None:
    """Not a letter of it changes."""
    assert safe(text) == text


@pytest.mark.parametrize("text", FOREIGN)
def test_nothing_leads_to_a_foreign_host(text: str) -> None:
    """Neither a picture nor a link, however it is written."""
    for around in ("{}", "Before {} after", "Before\n\n{}\n\nafter"):
        shown = safe(around.replace("{}", text))
        assert not leads_away(shown), shown


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("See [it](https://evil.example/).", "See [it]."),
        ("![A tower](https://evil.example/x.png)", "[A tower]"),
        ("![A tower](https://site1.example/x.png)", "[A tower](https://site1.example/x.png)"),
        ("At https://evil.example/x?y", "At https: //evil.example/x?y"),
        ("a <img src=x> b", "a   b"),
        ("x = f[i](a, b)", "x = f[i] (a, b)"),
        (f"{FENCE}sh\ncurl https://evil.example", f"{FENCE}sh\ncurl https://evil.example\n{FENCE}"),
    ],
)
def test_what_is_taken_away_is_only_what_leads_there(text: str, shown: str) -> None:
    """The words of a link and of a picture stay; a block of code is closed."""
    assert safe(text) == shown


PARTS = st.lists(
    st.sampled_from(
        [
            *KEPT.values(),
            *FOREIGN,
            *"[]()!<>`~:/.\n &\\",
            "```",
            "\n```\n",
            "https://",
            "www",
            "a",
            "[1]",
        ]
    ),
    max_size=8,
).map("".join)


@settings(max_examples=400, deadline=None)
@given(PARTS | st.text("[]()!<>`~:/.\n &\\aw1\"'=#", max_size=60), st.data())
@example("[r]: //evil.example", None)
def test_pieces_make_no_difference(text: str, data: st.DataObject | None) -> None:
    """However the model's words are cut, the same is shown."""
    cuts = data.draw(st.lists(st.integers(0, len(text)), max_size=12)) if data else []
    places = sorted({0, *cuts, len(text)})
    pieces = [text[start:end] for start, end in pairwise(places)]
    assert safe(*pieces) == safe(text) == safe(*text)


@settings(max_examples=200, deadline=None)
@given(st.text("abc xyz,;()*_-\"'1=", min_size=1, max_size=40))
def test_ordinary_text_is_not_held_back(text: str) -> None:
    """What cannot begin a link is shown at once."""
    assert SafeAnswer(HOSTS).feed(text) == text


def test_what_is_held_back_is_bounded() -> None:
    """A link without end does not keep the rest of the answer."""
    for start in ("[a](", "<a ", "`", "https://", "![", f"{FENCE}\n![", "&#"):
        answer = SafeAnswer(HOSTS)
        shown = answer.feed(start) + "".join(answer.feed("x" * 10) for _ in range(2000))
        assert len(shown) > 9_000


def test_hosts_of_the_sources_and_of_the_users_words_are_known() -> None:
    """Not those that a model has named."""
    history = (Utterance("user", "on c.example?"), Utterance("assistant", "http://d.example"))
    question = Question(
        ChatId("c"), MessageId("m"), "And http://b.example/x", "webSearch", "speed", history
    )
    hosts = KnownHosts.of(question, [Node("", "", "https://www.A.example/x"), Node("", "", "File")])
    assert [name for name in "abcd" if hosts.has(f"{name}.example")] == ["a", "b", "c"]
