"""The embedding model that ships with its weights: the only home of wordllama."""

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from protocol.errors import ModelUnavailable
from providers.calls import sound
from providers.vectors import Vectors, finite

DIMENSIONS = 256
TEXT_CHARS = 16_000  # a longer text is meant by its start; reading 1 MB takes 0.7 s


class StaticModel:
    """A vector for each word piece; a text's vector is their mean. Safe to use from any thread."""

    def __init__(self) -> None:
        packed = _packed()
        self._pieces: Vectors = packed.embedding
        self._tokenizer = packed.tokenizer
        self._tokenizer.no_padding()

    def embed(self, texts: Sequence[str]) -> Vectors:
        """Vectors of the texts, shape (n, 256), not normalised; zeros for an empty text.

        Each text is read by itself: the library's own call pads all texts of a batch to the
        longest of them, so that one long text among many takes gigabytes.
        """
        vectors = np.zeros((len(texts), DIMENSIONS), dtype=np.float32)
        for index, text in enumerate(texts):
            pieces = self._read(text)
            if pieces:
                vectors[index] = self._pieces.take(pieces, axis=0, mode="clip").mean(axis=0)
        return finite(vectors)

    def _read(self, text: str) -> list[int]:
        start = sound(text[:TEXT_CHARS].strip())
        pieces: list[int] = self._tokenizer.encode(start, add_special_tokens=False).ids
        return pieces


def _packed() -> Any:
    """The library's model with the weights of its wheel; raises ModelUnavailable without them."""
    try:
        with _quiet_logging():
            import wordllama  # noqa: PLC0415 - it sets up logging when imported
        folder = Path(wordllama.__file__).parent
        return wordllama.WordLlama.load(cache_dir=folder, dim=DIMENSIONS, disable_download=True)
    except (ImportError, OSError) as error:
        raise ModelUnavailable("local", "its weights cannot be read") from error


@contextmanager
def _quiet_logging() -> Iterator[None]:
    """Keep an imported library from writing to stderr for the whole program.

    wordllama calls ``logging.basicConfig`` when imported, which does nothing where the root
    logger has a handler already (wordllama 0.4, ``__init__``).
    """
    root, guard = logging.getLogger(), logging.NullHandler()
    root.addHandler(guard)
    try:
        yield
    finally:
        root.removeHandler(guard)
