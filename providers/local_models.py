"""Embedding models in a folder of this machine: which there are, and how each kind is loaded.

A model is a folder below ``[LOCAL] MODELS``, named as clients see it. What reads it is an extra of
the package, imported when a model is first used; a model whose extra is missing is not offered.
"""

from collections.abc import Callable, Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import structlog

from protocol.base import Value
from protocol.errors import ModelUnavailable

if TYPE_CHECKING:
    from providers.vectors import Vectors

log = structlog.get_logger(__name__)


class LocalModel(Protocol):
    """An embedding model that computes where it is called; safe to use from any thread."""

    def embed(self, texts: Sequence[str], /) -> "Vectors":
        """Vectors of the texts, shape (n, d), not normalised; zeros for an empty text."""


class Kind(Value, frozen=True):
    """A kind of model: the file it is known by, the packages it needs, the extra they come with."""

    extra: str
    mark: str
    packages: tuple[str, ...]
    load: Callable[[Path], LocalModel]

    @property
    def is_installed(self) -> bool:
        """Whether what reads it is there."""
        return all(find_spec(package) is not None for package in self.packages)


def _load_onnx(folder: Path) -> LocalModel:
    from providers.onnx_model import OnnxModel  # noqa: PLC0415 - imports onnxruntime

    return OnnxModel(folder)


def _load_transformers(folder: Path) -> LocalModel:
    from providers.transformers_model import TransformersModel  # noqa: PLC0415 - imports torch

    return TransformersModel(folder)


KINDS: tuple[Kind, ...] = (
    Kind("onnx", "model.onnx", ("onnxruntime", "tokenizers"), _load_onnx),
    Kind("transformers", "modules.json", ("sentence_transformers",), _load_transformers),
)


def found(folder: str, kinds: Sequence[Kind] = KINDS) -> Mapping[str, str]:
    """The models in the folder that can be used, by name; each with the name to show."""
    usable: dict[str, str] = {}
    for place in sorted(Path(folder).glob("*/")) if folder else []:
        kind = _kind_of(place, kinds)
        if kind is not None and kind.is_installed:
            usable[place.name] = f"{place.name} ({kind.extra})"
        elif kind is not None:
            log.warning("model.unusable", model=place.name, missing_extra=kind.extra)
    return usable


def load(folder: str, name: str, kinds: Sequence[Kind] = KINDS) -> LocalModel:
    """The model of that name; takes a while. Raises ModelUnavailable."""
    place = Path(folder) / name
    kind = _kind_of(place, kinds) if place.name == name else None
    if kind is None or not kind.is_installed:
        raise ModelUnavailable("local", "it has no such model, or what reads it is not installed")
    return kind.load(place)


def _kind_of(place: Path, kinds: Sequence[Kind]) -> Kind | None:
    return next((kind for kind in kinds if (place / kind.mark).is_file()), None)
