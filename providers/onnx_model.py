"""Embedding models as ONNX files: the only home of onnxruntime."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
from tokenizers import Tokenizer

from protocol.errors import ModelUnavailable
from providers.calls import sound
from providers.vectors import Vectors, finite

TOGETHER = 32  # texts of one run
MOST_TOKENS = 512
THREADS = 1  # answers need the other core


class OnnxModel:
    """``model.onnx`` with its ``tokenizer.json``: a vector for each token, whose mean is meant."""

    def __init__(self, folder: Path) -> None:
        """Load both; raises ModelUnavailable."""
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = THREADS
        try:
            self._session = onnxruntime.InferenceSession(str(folder / "model.onnx"), options)
            self._tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        # Broad, since onnxruntime's errors share no base but Exception (1.32), tokenizers' neither.
        except Exception as error:
            raise ModelUnavailable("local", "its files cannot be read") from error
        self._tokenizer.enable_truncation(MOST_TOKENS)
        self._tokenizer.enable_padding()
        self._names = {node.name for node in self._session.get_inputs()}

    def embed(self, texts: Sequence[str]) -> Vectors:
        """Vectors of the texts, shape (n, d), not normalised."""
        groups = [texts[at : at + TOGETHER] for at in range(0, len(texts), TOGETHER)]
        rows = [self._run([sound(text) for text in group]) for group in groups]
        return finite(np.concatenate(rows)) if rows else np.zeros((0, 0), np.float32)

    def _run(self, texts: list[str]) -> Vectors:
        encoded = self._tokenizer.encode_batch(texts)
        mask = np.array([one.attention_mask for one in encoded], np.int64)
        given: dict[str, Any] = {
            "input_ids": np.array([one.ids for one in encoded], np.int64),
            "attention_mask": mask,
            "token_type_ids": np.array([one.type_ids for one in encoded], np.int64),
        }
        out, *_ = self._session.run(None, {n: v for n, v in given.items() if n in self._names})
        return out if out.ndim == 2 else _mean(out, mask)  # noqa: PLR2004 - already a vector a text


def _mean(tokens: Vectors, mask: Any) -> Vectors:
    """The mean of the tokens (n, t, d) that belong to their text; zeros where there are none."""
    weights = mask[:, :, None].astype(np.float32)
    counts = np.maximum(weights.sum(axis=1), 1)
    means: Vectors = ((tokens * weights).sum(axis=1) / counts).astype(np.float32)
    return means
