"""An answer without a model: the sentences of the sources that support it best, cited."""

import math
from collections import Counter
from collections.abc import Sequence
from itertools import groupby
from typing import NamedTuple

from protocol.values import Node
from retrieval.sentences import sentences
from retrieval.words import is_weak, stems, words

MOST_SENTENCES = 7
MOST_OF_A_SOURCE = 3
SOURCE_CHARS = 6_000
NEED = 0.45  # of the best sentence's worth; less is noise
TITLE_SHARE = 0.3
PLACE_SHARE = 0.15
WEAK_SHARE = 0.4
SAME = 0.7
LEADERS = 3
BACKWARDS = frozenset({"it", "its", "this", "that", "these", "those", "they", "he", "she", "such"})
NO_MODEL = (
    "*An extractive answer: no language model wrote this, "
    "these are the best matching sentences of the sources.*"
)
NO_MATCH = "None of the sources answers this directly. This is how the closest ones begin:"
NO_SOURCES = (
    "There are no sources to quote for this question, and no language model is at hand to answer "
    "it without them. Try other words, or choose a chat model in the settings."
)


class Quote(NamedTuple):
    """A sentence of a source; ``source`` counts from 1, ``place`` is its place in the source."""

    source: int
    place: int
    text: str
    worth: float


def extract_answer(question: str, nodes: Sequence[Node]) -> list[str]:
    """The answer in pieces, in their order; joined they are Markdown.

    The source with the best sentence comes first; sentences of a source stand together in its own
    order, each with its ``[n]``. The last piece says that no model wrote it. Without sources, or
    without anything to quote, one piece says so.

    Args:
        question: What the reader asked.
        nodes: The sources, in the order of their numbers.

    """
    quotes = weighed(question, nodes)
    if not quotes:
        return [NO_SOURCES]
    chosen = choose(quotes)
    if chosen:
        return [*_paragraphs(chosen), NO_MODEL]
    begins = [quote for quote in quotes if quote.place == 0][:LEADERS]
    return [f"{NO_MATCH}\n\n", *_paragraphs(begins or quotes[:LEADERS]), NO_MODEL]


def weighed(question: str, nodes: Sequence[Node]) -> list[Quote]:
    """All sentences of the sources with their worth: the share of the question they meet.

    Rare words of the question count more; a title that meets it and an early place among the
    sources help a sentence that meets something of it by itself.
    """
    found = [
        (source, place, text, frozenset(stems(text)))
        for source, node in enumerate(nodes, start=1)
        for place, text in enumerate(sentences(node.text[:SOURCE_CHARS]))
    ]
    weights = _weights(question, [said for *_, said in found])
    titles = [_share(weights, frozenset(stems(node.title))) for node in nodes]
    return [
        Quote(source, place, text, _worth(_share(weights, said), titles[source - 1], source))
        for source, place, text, said in found
    ]


def _weights(question: str, said: Sequence[frozenset[str]]) -> dict[str, float]:
    counts = Counter(word for sentence in said for word in sentence)
    return {
        word: (WEAK_SHARE if is_weak(word) else 1.0)
        * math.log(1 + (len(said) + 0.5) / (counts[word] + 0.5))
        for word in dict.fromkeys(stems(question))
        if word in counts
    }


def _share(weights: dict[str, float], said: frozenset[str]) -> float:
    whole = sum(weights.values())
    return sum(weights[word] for word in weights.keys() & said) / whole if whole else 0.0


def _worth(own: float, title: float, source: int) -> float:
    return own * (1 + TITLE_SHARE * title + PLACE_SHARE / source)


def choose(quotes: Sequence[Quote]) -> list[Quote]:
    """The best quotes, none said twice, best first; empty when none meets the question."""
    best = max((quote.worth for quote in quotes), default=0.0)
    chosen: list[Quote] = []
    for quote in sorted(quotes, key=lambda quote: -quote.worth):
        if quote.worth <= 0 or quote.worth < NEED * best or len(chosen) == MOST_SENTENCES:
            break
        of_source = sum(other.source == quote.source for other in chosen)
        if of_source < MOST_OF_A_SOURCE and not any(_alike(quote, other) for other in chosen):
            chosen.append(quote)
    return _with_antecedents(chosen, quotes)


def _alike(one: Quote, other: Quote) -> bool:
    first, second = set(words(one.text)), set(words(other.text))
    return len(first & second) >= SAME * min(len(first), len(second))


def _with_antecedents(chosen: list[Quote], quotes: Sequence[Quote]) -> list[Quote]:
    """The chosen, with the sentences that the best of them point back to (*it*, *this*)."""
    by_place = {(quote.source, quote.place): quote for quote in quotes}
    told = dict.fromkeys(chosen)
    for quote in chosen[:LEADERS]:
        before = by_place.get((quote.source, quote.place - 1))
        if before is not None and BACKWARDS.intersection(words(quote.text)[:1]):
            told.setdefault(before)
    return list(told)


def _paragraphs(quotes: Sequence[Quote]) -> list[str]:
    """Pieces of text: a paragraph a source, in the order in which the sources first occur."""
    order = list(dict.fromkeys(quote.source for quote in quotes))
    told = sorted(quotes, key=lambda quote: (order.index(quote.source), quote.place))
    pieces: list[str] = []
    for _, group in groupby(told, key=lambda quote: quote.source):
        texts = [f"{quote.text} [{quote.source}]" for quote in group]
        pieces += [f"{text} " for text in texts[:-1]] + [f"{texts[-1]}\n\n"]
    return pieces
