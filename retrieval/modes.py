"""Focus modes: where to search and how to ask the model, one data file each."""

import re
import tomllib
from collections.abc import Mapping
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import ClassVar

import msgspec

from protocol.base import Value
from protocol.errors import SettingsError
from protocol.values import OptimizationMode

PLACEHOLDER = re.compile(r"\{([^{}]*)\}")
REPHRASE_NAMES = frozenset({"question", "history"})
ANSWER_NAMES = frozenset({"context", "date"})


class FocusMode(Value, frozen=True, forbid_unknown_fields=True):
    """One focus mode, as its file says.

    ``engines`` are SearXNG's (none: its default). ``floor`` is the vector similarity that a node
    must exceed where nodes are ranked. ``title_when_empty`` lets a result without content stand
    with its title. ``reads_links``: pages that the question names are read; ``reads_results``: in
    ``quality`` so are the best that were found. The prompts name what is put into them in braces.
    """

    name: str
    searches: bool
    answer_temperature: float
    answer_prompt: str
    rephrase_prompt: str = ""
    engines: tuple[str, ...] = ()
    rerank: bool = False
    floor: float | None = None
    reads_links: bool = False
    reads_results: bool = False
    title_when_empty: bool = False

    rephrase_temperature: ClassVar[float] = 0.0

    def goes_deep(self, optimization_mode: OptimizationMode) -> bool:
        """Whether a question is broken into queries and results are read.

        Not where nothing is ranked: there is then one place to ask, and one answer.
        """
        return optimization_mode == "quality" and self.rerank


def load_focus_modes(folder: Traversable | None = None) -> Mapping[str, FocusMode]:
    """All focus modes by their names, sorted.

    Args:
        folder: Where the files are; by default those that come with the program.

    Raises:
        SettingsError: A file is not as a focus mode must be; names the file and what is wrong.

    """
    chosen = folder or files("retrieval.focus_modes")
    found = [entry for entry in chosen.iterdir() if entry.name.endswith(".toml")]
    modes = [load_focus_mode(entry) for entry in found]
    return {mode.name: mode for mode in sorted(modes, key=lambda mode: mode.name)}


def load_focus_mode(file: Traversable) -> FocusMode:
    """The focus mode of one file; raises SettingsError as ``load_focus_modes`` does."""
    try:
        fields = tomllib.loads(file.read_text("utf-8"))
        mode = msgspec.convert(fields, FocusMode)
    except (ValueError, msgspec.ValidationError) as error:
        raise SettingsError("focus mode", file.name, str(error)) from error
    for problem in problems(mode, file.name.removesuffix(".toml")):
        raise SettingsError("focus mode", file.name, problem)
    return mode


def problems(mode: FocusMode, name: str) -> list[str]:
    """What is wrong with the mode beyond the types of its fields."""
    answer_must = {"context"} if mode.searches else set[str]()
    rephrase_must = REPHRASE_NAMES if mode.searches else frozenset[str]()
    return [
        *([] if mode.name == name else [f"its name must be {name!r}, like its file"]),
        *_misused(mode.answer_prompt, "answer_prompt", ANSWER_NAMES, answer_must),
        *_misused(mode.rephrase_prompt, "rephrase_prompt", REPHRASE_NAMES, rephrase_must),
    ]


def _misused(
    prompt: str, field: str, known: frozenset[str], must: frozenset[str] | set[str]
) -> list[str]:
    named = set(PLACEHOLDER.findall(prompt))
    stray = PLACEHOLDER.sub("", prompt)
    return [
        *(f"{field} names {{{name}}}, which is not known" for name in sorted(named - known)),
        *(f"{field} must name {{{name}}}" for name in sorted(must - named)),
        *([f"{field} has a single brace"] if "{" in stray or "}" in stray else []),
    ]
