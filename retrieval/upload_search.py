"""Finds passages in uploaded files: plain functions over arrays. Loaded when first used."""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from protocol.values import Node, Upload, UploadPassage
from retrieval.ranking import MEASURES, VECTOR_SHARE, Measure, bm25, first_distinct, normalised
from retrieval.words import content_words, stem

FILE = "File"  # the address by which the web UI knows that a source is a file
CANDIDATES = 20  # of each file, by vectors and by words each: only these are weighed properly


class Candidate(NamedTuple):
    """A passage that may answer; ``closeness`` is the similarity of its vector, 0 without one."""

    node: Node
    closeness: float


def candidates(
    query: str, vector: npt.NDArray[np.floating] | None, upload: Upload, measure: Measure
) -> list[Candidate]:
    """The passages of a file that are worth weighing, in the order in which they stand there.

    Args:
        query: What they should answer.
        vector: The query's vector by the model that made those of the file, shape (d,).
        upload: The file.
        measure: How vectors are compared.

    """
    passages = upload.passages
    close = closeness(vector, [passage.vector for passage in passages], measure)
    shared = shared_words(query, [passage.text for passage in passages])
    places = sorted({*_best(close), *_best(shared)})
    return [Candidate(_node(upload, passages[at]), float(close[at])) for at in places]


def weighed(query: str, found: Sequence[Candidate], keep: int) -> list[Node]:
    """The best of the candidates, best first, without near-duplicates; ties stay in their order."""
    texts = [candidate.node.text for candidate in found]
    close = normalised(np.array([candidate.closeness for candidate in found]))
    scores = VECTOR_SHARE * close + (1 - VECTOR_SHARE) * normalised(bm25(query, texts))
    kept = first_distinct(scores, range(len(texts)), texts, keep)
    return [_scored(found[place].node, score) for place, score in kept]


def closeness(
    vector: npt.NDArray[np.floating] | None, packed: Sequence[bytes], measure: Measure
) -> npt.NDArray[np.float64]:
    """Similarities of packed vectors to one, shape (n,); zeros where they cannot be compared."""
    nothing = np.zeros(len(packed))
    if vector is None or any(len(row) != 4 * len(vector) for row in packed):
        return nothing
    rows = np.frombuffer(b"".join(packed), "<f4").reshape(len(packed), -1).astype(np.float64)
    return np.nan_to_num(MEASURES[measure](vector.astype(np.float64), rows))


def shared_words(query: str, texts: Sequence[str]) -> npt.NDArray[np.float64]:
    """How many words of the query each text has, rare ones counting more, shape (n,).

    Coarse and quick: a word counts wherever its letters stand.
    """
    lowered = [text.casefold() for text in texts]
    scores = np.zeros(len(texts))
    for word in dict.fromkeys(map(stem, content_words(query))):
        has = np.fromiter((word in text for text in lowered), bool, len(lowered))
        scores += has * math.log(1 + len(texts) / (1 + np.count_nonzero(has)))
    return scores


def _best(scores: npt.NDArray[np.float64]) -> list[int]:
    """Places of the highest scores; of equal ones the first."""
    return [int(at) for at in np.argsort(-scores, kind="stable")[:CANDIDATES]]


def _node(upload: Upload, passage: UploadPassage) -> Node:
    named = passage.title.startswith(upload.name)
    title = passage.title if named else f"{upload.name}: {passage.title}"
    return Node(passage.text, title, FILE)


def _scored(node: Node, score: float) -> Node:
    return Node(node.text, node.title, node.url, score)
