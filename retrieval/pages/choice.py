"""Which pieces of a page count for a query. Imports numpy."""

from collections.abc import Sequence

from retrieval.ranking import bm25


def closest(query: str, pieces: Sequence[str], most: int) -> list[str]:
    """At most ``most`` pieces, those first that share most words with the query."""
    return [pieces[place] for place in _order(query, pieces)[:most]]


def telling(query: str, pieces: Sequence[str], most: int) -> list[str]:
    """At most ``most`` pieces in the order of the page: the closest, or without any evenly spread.

    Args:
        query: What is asked; empty for the page as a whole.
        pieces: The pieces of the page in order.
        most: How many.

    """
    if len(pieces) <= most:
        return list(pieces)
    order = _order(query, pieces) if query else []
    evenly = [place * len(pieces) // most for place in range(most)]
    return [pieces[place] for place in sorted(order[:most] or evenly)]


def _order(query: str, pieces: Sequence[str]) -> list[int]:
    """Places by closeness; empty when no piece shares a word with the query."""
    scores = bm25(query, pieces)
    return sorted(range(len(pieces)), key=lambda place: -scores[place]) if scores.any() else []
