"""What a search for the question as it stands is worth, once the question is rephrased."""

from collections.abc import Sequence

from protocol.messages import SearchFinished
from protocol.values import Node
from retrieval.words import stems

FITS = 0.5  # of the words of a query, which a node must have


def is_same_query(one: str, other: str) -> bool:
    """Whether both look for the same: case, blanks and the sign at the end do not matter."""
    return _plain(one) == _plain(other)


def fitting(query: str, nodes: Sequence[Node]) -> list[Node]:
    """The nodes that have half of the query's words, or more, in their title or text."""
    asked = set(stems(query))
    least = max(1.0, FITS * len(asked))
    return [n for n in nodes if len(asked.intersection(stems(f"{n.title} {n.text}"))) >= least]


def joined(query: str, found: SearchFinished, early: SearchFinished) -> SearchFinished:
    """What was found for the query, and behind it what the early search found that fits it.

    Each address is there once. What a search had to fall back on, and so has a note, gives way
    to what fits, and is itself never added.
    """
    fit = [] if early.note else fitting(query, early.nodes)
    if not fit:
        return found
    if found.note or not found.nodes:
        return SearchFinished(tuple(fit), early.backend)
    known = {node.url for node in found.nodes}
    added = tuple(node for node in fit if node.url not in known)
    return SearchFinished((*found.nodes, *added), found.backend)


def _plain(text: str) -> str:
    return " ".join(text.casefold().split()).rstrip(" ?!.")
