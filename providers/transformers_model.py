"""Embedding models of sentence-transformers: its only home."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from sentence_transformers import SentenceTransformer

from protocol.errors import ModelUnavailable
from providers.calls import sound
from providers.vectors import Vectors, finite


class TransformersModel:
    """A model in a folder, as ``SentenceTransformer.save`` writes it."""

    def __init__(self, folder: Path) -> None:
        """Load it, without asking any hub; raises ModelUnavailable."""
        try:
            self._model = SentenceTransformer(str(folder), device="cpu", local_files_only=True)
        except (OSError, ValueError, ImportError) as error:
            raise ModelUnavailable("local", "its files cannot be read") from error

    def embed(self, texts: Sequence[str]) -> Vectors:
        """Vectors of the texts, shape (n, d), not normalised."""
        told = [sound(text) for text in texts]
        vectors = self._model.encode(told, convert_to_numpy=True, show_progress_bar=False)
        return finite(np.asarray(vectors, np.float32))
