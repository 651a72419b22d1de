"""Reads what the model made of a question; leniently, for models keep no format."""

import re
from collections.abc import Sequence

from protocol.messages import Rephrased
from protocol.values import Utterance
from retrieval.backend import is_web_address
from retrieval.known_hosts import users_words
from retrieval.pages.links import SUMMARIZE, asked_of_links, links_in

MOST_LINKS = 10
MOST_LINKS_BEFORE = 1_000
SHORT_REPLY = 200
QUERY_CHARS = 400
THOUGHT = re.compile(r"<think(?:ing)?>.*?(?:</think(?:ing)?>|\Z)", re.DOTALL | re.IGNORECASE)
THOUGHT_END = re.compile(r"\A.*</think(?:ing)?>", re.DOTALL | re.IGNORECASE)
FENCE = re.compile(r"^\s*```\w*\s*$", re.MULTILINE)
QUESTION = re.compile(
    r"<question>(.*?)(?:</question>|(?=<links>)|(?=<question>)|\Z)", re.DOTALL | re.IGNORECASE
)
LINKS = re.compile(r"<links>(.*?)(?:</links>|(?=<question>)|\Z)", re.DOTALL | re.IGNORECASE)
TAG = re.compile(r"</?(?:question|links)>", re.IGNORECASE)
LABEL = re.compile(
    r"^(?:the\s+)?(?:rephrased|rewritten|standalone|search)?\s*(?:question|query)\s*:\s*",
    re.IGNORECASE,
)
NOT_NEEDED = "not needed"
AROUND = " \t\r\n\"'`*\u201c\u201d"
LIST_MARK = re.compile(r"^\s*(?:[-*\u2022]|\d+[.)])\s+")


def parse_rephrased(reply: str, question: str) -> Rephrased:
    """The query and the links that the model's reply holds.

    Without the tags a short reply is the query, and otherwise the question itself is, so that a
    search never runs for nothing. The query is empty only where the model said that none is
    needed; with links and no query it is ``summarize``.

    Args:
        reply: What the model wrote.
        question: What it was asked to rephrase.

    """
    said = FENCE.sub("", without_thoughts(reply))
    links = _links(said)
    query = _query(said)
    if query is None:
        query = SUMMARIZE if links else question
    return Rephrased(short_query(query), links)


def unrephrased(question: str, *, reads_links: bool) -> Rephrased:
    """The question as its own query, where no model could make a better one."""
    return with_named_links(Rephrased(question), question) if reads_links else Rephrased(question)


def with_named_links(
    said: Rephrased, question: str, history: Sequence[Utterance] = ()
) -> Rephrased:
    """The same with the links that the question itself names, which come first.

    Of the other links those are left out that the user has not named before: the model may have
    them from the text of a page. With links the query is what is asked beside them, never the
    addresses themselves. A question that names an address wants it read, so here a query is never
    empty.
    """
    named = links_in(question, MOST_LINKS)
    said_before = links_in(users_words("", history), MOST_LINKS_BEFORE)
    known = {link.rstrip("/") for link in said_before}
    known.difference_update(link.rstrip("/") for link in named)
    links = (*named, *(link for link in said.links if link.rstrip("/") in known))[:MOST_LINKS]
    if not links:
        return (
            Rephrased(question) if said.query == SUMMARIZE and said.links else Rephrased(said.query)
        )
    return Rephrased(short_query(asked_of_links(said.query or question)), links)


def without_thoughts(reply: str) -> str:
    """A model's reply without what it says to itself first."""
    return THOUGHT_END.sub("", THOUGHT.sub("", reply))


def short_query(text: str) -> str:
    """The text on one line, cut after a whole word to what search services accept."""
    line = " ".join(text.split())
    if len(line) <= QUERY_CHARS:
        return line
    cut = line[: QUERY_CHARS + 1].rpartition(" ")[0]
    return cut or line[:QUERY_CHARS]


def _query(said: str) -> str | None:
    """The query, empty for none needed; ``None`` when the reply has none."""
    tagged = [TAG.sub("", found).strip(AROUND) for found in QUESTION.findall(said)]
    filled = [found for found in tagged if found]
    if filled:
        return "" if _declines(filled[-1]) else filled[-1]
    bare = LABEL.sub("", TAG.sub("", LINKS.sub("", said)).strip(AROUND)).strip(AROUND)
    if _declines(bare):
        return ""
    return bare if 0 < len(bare) <= SHORT_REPLY and "\n" not in bare else None


def _declines(text: str) -> bool:
    words = text.lower().replace("_", " ").replace("-", " ").strip(" .!<>/()[]")
    return words == NOT_NEEDED


def _links(said: str) -> tuple[str, ...]:
    lines = [line for block in LINKS.findall(said) for line in block.split("\n")]
    found = [LIST_MARK.sub("", line).strip().strip("<>\"'`,") for line in lines]
    return tuple(dict.fromkeys(link for link in found if is_web_address(link)))[:MOST_LINKS]
