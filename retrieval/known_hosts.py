"""The hosts that an answer may link to: those of its sources, and those that the user named."""

import re
from collections.abc import Iterable, Sequence
from urllib.parse import urlsplit

from protocol.values import Node, Question, Utterance
from retrieval.pages.links import links_in

MOST_LINKS = 1000
WORDS = 100_000  # characters of what the user said that are looked through, the latest
NAMED = re.compile(r"(?<![\w.@-])(?:[\w-]{1,63}\.){1,8}[^\W\d_]{2,24}(?![\w-])")
ADDRESS = re.compile(
    r"https?://([^\s/?#\\@:<>\"'`()\[\]{}|^]+)(?::\d{1,5})?(?:[/?#][^\s\\<>\[\]`]*)?", re.IGNORECASE
)
AROUND = ".,;!?*_~"


class KnownHosts:
    """Host names, told without ``www.`` and in small letters."""

    def __init__(self, names: Iterable[str]) -> None:
        self._names = frozenset(map(bare_name, names))

    @classmethod
    def of(cls, question: Question, nodes: Sequence[Node]) -> "KnownHosts":
        """The hosts of the sources, and of what the user said now and before."""
        said = users_words(question.text, question.history)
        addresses = [*(node.url for node in nodes), *links_in(said, MOST_LINKS)]
        return cls([*filter(None, map(host_of, addresses)), *NAMED.findall(said)])

    def has(self, name: str) -> bool:
        """Whether the name, as it stands in a text, is one of these."""
        return bare_name(name) in self._names

    def admits(self, address: str) -> bool:
        """Whether it is a plain http or https address of one of these hosts."""
        found = ADDRESS.fullmatch(address)
        return found is not None and self.has(found[1])


def users_words(text: str, history: Sequence[Utterance]) -> str:
    """What the user says, after what they said before; nothing that a model has said."""
    said = [utterance.text for utterance in history if utterance.role == "user"]
    return "\n".join([*said, text])[-WORDS:]


def bare_name(name: str) -> str:
    """The host name in small letters, without ``www.`` and what a sentence puts around it."""
    return name.strip(AROUND).lower().removeprefix("www.")


def host_of(address: str) -> str:
    """The host of a web address; empty where there is none."""
    try:
        parts = urlsplit(address)
        name = parts.hostname or ""
    except ValueError:
        return ""
    return name if parts.scheme in {"http", "https"} else ""
