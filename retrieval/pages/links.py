"""Addresses that a text names."""

import re
from collections.abc import Sequence
from urllib.parse import urlsplit

from retrieval.backend import is_web_address

ADDRESS = re.compile(r"https?://[^\s<>\"'`\\^{}|\u3000-\u303f\uff00-\uffef]{1,4000}", re.IGNORECASE)
CLOSING = {")": "(", "]": "["}
AFTER = ".,;:!?*_~\u2026\u201d\u2019\u00bb"
# Brackets and quotation marks that had an address in them, and nothing else.
EMPTIED = re.compile(r"\(\s{0,9}\)|\[\s{0,9}\]|<\s{0,9}>|\"\s{0,9}\"|'\s{0,9}'|`\s{0,9}`")
SUMMARIZE = "summarize"
# What is left of a question that asks of an address nothing but what it says.
WISHES = re.compile(
    r"(?:please\s+)?(?:can you\s+|could you\s+)?"
    r"(?:summari[sz]e|summary(?:\s+of)?|sum\s+up|tl;?dr|zusammenfassen|r\u00e9sumer?|resume[nr]?)"
    r"(?:\s+(?:of|this|that|the|page|article|site|link|and|it|please))*",
    re.IGNORECASE,
)


def links_in(text: str, most: int) -> tuple[str, ...]:
    """Web addresses in the order in which the text names them, each once, at most ``most``."""
    found = (bare(match[0]) for match in ADDRESS.finditer(text))
    return tuple(dict.fromkeys(link for link in found if is_web_address(link)))[:most]


def bare(address: str) -> str:
    """The address without the punctuation of the sentence that it ends."""
    while address and (address[-1] in AFTER or is_left_open(address)):
        address = address[:-1]
    return address


def is_left_open(address: str) -> bool:
    """Whether it ends with a bracket that was opened before the address began."""
    opening = CLOSING.get(address[-1])
    return opening is not None and address.count(address[-1]) > address.count(opening)


def asked_of_links(question: str) -> str:
    """What the question asks beside naming addresses; ``summarize`` for nothing more."""
    without = ADDRESS.sub(lambda match: f" {match[0][len(bare(match[0])) :]}", question)
    rest = " ".join(EMPTIED.sub(" ", without).split()).strip(" .,;:!?-")
    return SUMMARIZE if not rest or WISHES.fullmatch(rest) else rest


def host_of(link: str) -> str:
    """The name of the site; empty for what is no address of the web."""
    return urlsplit(link).hostname or "" if is_web_address(link) else ""


def hosts(links: Sequence[str]) -> str:
    """The names of the sites in a few words for the reader; for addresses of the web only."""
    return ", ".join(dict.fromkeys(map(host_of, links)))
