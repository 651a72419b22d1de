"""What may become a source of an answer."""

import re
from collections.abc import Sequence

import msgspec

from protocol.values import Node
from retrieval.backend import is_web_address

# Of a text all but tabs and ends of lines, and what turns the direction of writing around.
CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
SCHEME = re.compile(r"[\s\x00-\x20]*[a-z][a-z0-9+.-]*:|[\s\\]*[/\\]{2}", re.IGNORECASE)


def shown(nodes: Sequence[Node]) -> tuple[Node, ...]:
    """The nodes without control characters in their texts, in their order.

    One whose address leads elsewhere than to the web is left out; names of files are no addresses.
    """
    return tuple(_cleaned(node) for node in nodes if is_harmless(node.url))


def is_harmless(url: str) -> bool:
    """Whether it is an address of the web, or none at all."""
    return is_web_address(url) or not SCHEME.match(CONTROLS.sub("", url))


def _cleaned(node: Node) -> Node:
    if not any(CONTROLS.search(part) for part in (node.title, node.text, node.url)):
        return node
    return msgspec.structs.replace(
        node,
        title=CONTROLS.sub("", node.title),
        text=CONTROLS.sub("", node.text),
        url=CONTROLS.sub("", node.url),
    )
