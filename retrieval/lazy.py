"""What needs LlamaIndex: its import takes a second and 100 MB, so it waits for the first call.

Python's own import lock makes the first call safe from any number of threads, as long as each of
them imports ``llama_index.core`` before any part of it: two that begin with different parts wait
for each other, and Python then hands out a half-made module.
"""

from collections.abc import Hashable, Sequence
from datetime import datetime
from importlib import import_module
from typing import TYPE_CHECKING

from protocol.offload import Offload
from protocol.values import Node, Prompt, Upload, Utterance
from retrieval.backend import SearchBackend
from retrieval.cache import Cache
from retrieval.modes import FocusMode

if TYPE_CHECKING:
    from retrieval.postprocessor import Embed, Vectors
    from retrieval.ranking import Measure
    from retrieval.upload_search import Candidate


def load() -> None:
    """Load all that the functions below need; blocks; to be called before any of them."""
    import_module("llama_index.core")
    from retrieval import (  # noqa: PLC0415 - see the top
        postprocessor,
        prompts,
        remembered,
        retriever,
        tasks,
    )

    del postprocessor, prompts, remembered, retriever, tasks


def rephrase_prompt(mode: FocusMode, question: str, history: Sequence[Utterance]) -> Prompt:
    """As ``prompts.rephrase_prompt``."""
    from retrieval import prompts  # noqa: PLC0415 - see the top

    return prompts.rephrase_prompt(mode, question, history)


def conversation_prompt(template: str, question: str, history: Sequence[Utterance]) -> Prompt:
    """As ``prompts.conversation_prompt``."""
    from retrieval import prompts  # noqa: PLC0415 - see the top

    return prompts.conversation_prompt(template, question, history)


def answer_prompt(
    mode: FocusMode,
    question: str,
    history: Sequence[Utterance],
    nodes: Sequence[Node],
    now: datetime,
) -> Prompt:
    """As ``prompts.answer_prompt``."""
    from retrieval import prompts  # noqa: PLC0415 - see the top

    return prompts.answer_prompt(mode, question, history, nodes, now)


def summary_prompt(asked: str, title: str, text: str) -> Prompt:
    """As ``tasks.summary_prompt``."""
    from retrieval import tasks  # noqa: PLC0415 - see the top

    return tasks.summary_prompt(asked, title, text)


def division_prompt(query: str, most: int) -> Prompt:
    """As ``tasks.division_prompt``."""
    from retrieval import tasks  # noqa: PLC0415 - see the top

    return tasks.division_prompt(query, most)


def telling(asked: str, pieces: Sequence[str], most: int) -> list[str]:
    """As ``choice.telling``."""
    from retrieval.pages import choice  # noqa: PLC0415 - imports numpy

    return choice.telling(asked, pieces, most)


def closest(query: str, pieces: Sequence[str], most: int) -> list[str]:
    """As ``choice.closest``."""
    from retrieval.pages import choice  # noqa: PLC0415 - imports numpy

    return choice.closest(query, pieces, most)


async def retrieve(
    backend: SearchBackend, query: str, *, engines: Sequence[str], language: str
) -> list[Node]:
    """As ``retriever.retrieve``."""
    from retrieval import retriever  # noqa: PLC0415 - see the top

    return await retriever.retrieve(backend, query, engines=engines, language=language)


def file_candidates(
    query: str, vector: "Vectors | None", upload: Upload, measure: "Measure"
) -> "list[Candidate]":
    """As ``upload_search.candidates``."""
    from retrieval import upload_search  # noqa: PLC0415 - imports numpy

    return upload_search.candidates(query, vector, upload, measure)


def weigh_files(query: str, found: "list[Candidate]", keep: int) -> list[Node]:
    """As ``upload_search.weighed``."""
    from retrieval import upload_search  # noqa: PLC0415 - imports numpy

    return upload_search.weighed(query, found, keep)


async def rank(
    query: str,
    nodes: Sequence[Node],
    *,
    embed: "Embed",
    offload: Offload,
    measure: "Measure",
    floor: float | None,
    keep: int,
    within_s: float,
) -> list[Node]:
    """The nodes that ``postprocessor.HybridRank`` keeps, with their scores."""
    from retrieval import conversion, postprocessor  # noqa: PLC0415 - see the top

    hybrid = postprocessor.HybridRank(
        embed=embed, offload=offload, measure=measure, floor=floor, keep=keep, within_s=within_s
    )
    found = [conversion.to_llama(node, place) for place, node in enumerate(nodes)]
    kept = await hybrid.apostprocess_nodes(found, query_str=query)
    return [conversion.from_llama(node) for node in kept]


def remembering(embed: "Embed", cache: "Cache[Vectors]", model: Hashable) -> "Embed":
    """``remembered.RememberedVectors``."""
    from retrieval import remembered  # noqa: PLC0415 - see the top

    return remembered.RememberedVectors(embed, cache, model)


def recording(embed: "Embed") -> "Embed":
    """As ``recorded_vectors.recording``."""
    from retrieval import recorded_vectors  # noqa: PLC0415 - imports numpy

    return recorded_vectors.recording(embed)


def vector_weight(row: "Vectors") -> int:
    """As ``remembered.weight``."""
    from retrieval import remembered  # noqa: PLC0415 - see the top

    return remembered.weight(row)
