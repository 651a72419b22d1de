"""What every search backend offers, and the small steps that they share."""

import re
from collections.abc import Sequence
from typing import Protocol
from urllib.parse import urlsplit

from protocol.values import Node

MOST_TEXT = 10_000
MOST_TITLE = 500
MOST_URL = 2_048
BLANK = re.compile(r"[\s\x00-\x1f\x7f]+")
# What most addresses are, all of them sound; others take a closer look.
USUAL = re.compile(r"https?://[a-zA-Z0-9][a-zA-Z0-9.-]*(?::[0-9]{1,5})?(?:[/?#][!-~]*)?")


class SearchBackend(Protocol):
    """Finds nodes for a query; a node may come without text when its source has none."""

    @property
    def name(self) -> str:
        """Its name in the settings and in the log."""

    async def search(self, query: str, *, engines: Sequence[str], language: str) -> list[Node]:
        """Nodes in the backend's own order.

        Args:
            query: What to look for.
            engines: Engines to ask where the backend has such; none means its default.
            language: Two letters, as in ``en``.

        Raises:
            SearchUnavailable: It did not answer properly.

        """


def found_node(title: object, url: object, text: object, img_src: object = None) -> Node | None:
    """A node of what a service sent; ``None`` when its address is none of the web."""
    address = url.strip() if isinstance(url, str) else ""
    if not is_web_address(address):
        return None
    picture = img_src.strip() if isinstance(img_src, str) else ""
    return Node(
        text=plain(text, MOST_TEXT),
        title=plain(title, MOST_TITLE) or address,
        url=address,
        img_src=picture if is_web_address(picture) else None,
    )


def is_web_address(url: str) -> bool:
    """Whether it is a whole http or https address of sane length."""
    if len(url) > MOST_URL:
        return False
    if USUAL.fullmatch(url):
        return True
    if BLANK.search(url):
        return False
    try:
        parts = urlsplit(url)
        return parts.scheme in {"http", "https"} and bool(parts.hostname)
    except ValueError:
        return False


def plain(value: object, most: int) -> str:
    """The text on one line, at most ``most`` characters; empty for what is no text."""
    if not isinstance(value, str):
        return ""
    text = " ".join(value[: 2 * most].split())
    if not text.isprintable():  # few are: this spares the rest a slower look
        text = BLANK.sub(" ", text).strip()
    return text[:most]


def with_content(nodes: Sequence[Node], *, title_when_empty: bool) -> list[Node]:
    """The nodes that have text; with ``title_when_empty`` the title stands in for it."""
    told = [
        Node(node.title, node.title, node.url, node.score, node.img_src)
        if title_when_empty and not node.text.strip()
        else node
        for node in nodes
    ]
    return [node for node in told if node.text.strip()]
