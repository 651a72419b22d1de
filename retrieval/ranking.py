"""Orders texts by closeness to a query: plain functions over numpy arrays, no I/O."""

import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from retrieval.words import stems

Floats = npt.NDArray[np.float64]
Measure = Literal["cosine", "dot"]
KEEP = 15
VECTOR_SHARE = 0.5  # the rest is lexical; measured best on two collections
NEAR_DUPLICATE = 0.9
LARGEST = 1e100  # a component over this comes from no model, and its square would overflow
K1 = 1.2
B = 0.75


class Ranked(NamedTuple):
    """Place of a text in what was given, and its score from 0 to 1."""

    place: int
    score: float


def hybrid(
    query: str,
    texts: Sequence[str],
    vectors: npt.NDArray[np.floating] | None,
    *,
    measure: Measure = "cosine",
    floor: float | None = None,
    vouched: frozenset[int] = frozenset(),
    keep: int = KEEP,
) -> list[Ranked]:
    """The best texts, best first, without near-duplicates; ties stay in the given order.

    The score is the mean of the normalised lexical and vector scores. Without usable vectors
    (none, of another number than texts, or a query without a direction) it is lexical alone and
    the floor, which speaks of vectors, does not apply. With them nothing at or under the floor
    is let through, even where nothing is left then, as the reference does: the answer then says
    that nothing fitting was found, which is truer than citing what is far from the question.

    Args:
        query: What the texts should be close to.
        texts: The n texts.
        vectors: Shape (n + 1, d): the query's vector, then those of the texts.
        measure: How vectors are compared.
        floor: Similarity that a text must exceed.
        vouched: Places of texts that need not: whoever found them has weighed them already.
        keep: How many to keep at most.

    """
    lexical = normalised(bm25(query, texts))
    closeness = similarities(vectors, len(texts), measure)
    if closeness is None:
        return first_distinct(lexical, range(len(texts)), texts, keep)
    scores = VECTOR_SHARE * normalised(closeness) + (1 - VECTOR_SHARE) * lexical
    lowest = -math.inf if floor is None else floor
    passed = [i for i in range(len(texts)) if i in vouched or closeness[i] > lowest]
    return first_distinct(scores, passed, texts, keep)


def bm25(query: str, texts: Sequence[str]) -> Floats:
    """Lexical scores of the texts among themselves, shape (n,); zero where no word is shared."""
    asked = set(stems(query))
    counts = [Counter(stems(text)) for text in texts]
    lengths = np.array([count.total() for count in counts], dtype=np.float64)
    scores = np.zeros(len(texts))
    if not asked or not lengths.any():
        return scores
    for word in sorted(asked):
        found = np.array([count[word] for count in counts], dtype=np.float64)
        holders = np.count_nonzero(found)
        rarity = math.log(1 + (len(texts) - holders + 0.5) / (holders + 0.5))
        damping = K1 * (1 - B + B * lengths / lengths.mean())
        scores += rarity * found * (K1 + 1) / (found + damping + (damping == 0))
    return scores


def similarities(
    vectors: npt.NDArray[np.floating] | None, count: int, measure: Measure
) -> Floats | None:
    """Similarities of the texts to the query, shape (n,); ``None`` when vectors tell nothing.

    A text whose vector is zero or not a number has similarity 0.

    Args:
        vectors: Shape (n + 1, d), the query first.
        count: The n that is expected.
        measure: How to compare.

    """
    if vectors is None or count == 0 or vectors.ndim != 2 or len(vectors) != count + 1:  # noqa: PLR2004 - rows and columns
        return None
    clean = _finite(vectors)
    query, rows = clean[0], clean[1:]
    if not query.any():
        return None
    return MEASURES[measure](query, rows)


def _finite(vectors: npt.NDArray[np.floating]) -> Floats:
    """The vectors; a row that holds what is no sensible number becomes zero."""
    clean = np.array(vectors, dtype=np.float64)
    usable = (np.isfinite(clean) & (np.abs(np.nan_to_num(clean)) < LARGEST)).all(axis=1)
    clean[~usable] = 0
    return clean


def _dot(query: Floats, rows: Floats) -> Floats:
    return np.asarray(rows @ query)


def _cosine(query: Floats, rows: Floats) -> Floats:
    lengths = np.linalg.norm(rows, axis=1) * np.linalg.norm(query)
    return np.asarray((rows @ query) / np.where(lengths > 0, lengths, 1))


MEASURES: Mapping[Measure, Callable[[Floats, Floats], Floats]] = {"cosine": _cosine, "dot": _dot}


def normalised(scores: Floats) -> Floats:
    """The scores between 0 and 1; all zero when they do not differ."""
    if not len(scores):
        return scores
    lowest, highest = scores.min(), scores.max()
    if not highest > lowest:
        return np.zeros(len(scores))
    return np.asarray((scores - lowest) / (highest - lowest))


def first_distinct(
    scores: Floats, places: Sequence[int], texts: Sequence[str], keep: int
) -> list[Ranked]:
    """The places with the highest scores, without those that nearly repeat a better one."""
    kept: list[Ranked] = []
    seen: list[frozenset[str]] = []
    for place in sorted(places, key=lambda place: -scores[place]):
        found = frozenset(texts[place].lower().split())
        if not any(are_near(found, other) for other in seen):
            kept.append(Ranked(place, float(scores[place])))
            seen.append(found)
        if len(kept) == keep:
            break
    return kept


def are_near(one: frozenset[str], other: frozenset[str]) -> bool:
    """Whether two texts, as sets of words, say nearly the same."""
    if min(len(one), len(other)) < NEAR_DUPLICATE * max(len(one), len(other)):
        return False
    return len(one & other) >= NEAR_DUPLICATE * len(one | other)
