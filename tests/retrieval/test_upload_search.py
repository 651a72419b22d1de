"""Passages found in uploaded files."""

from collections.abc import AsyncIterator, Sequence

import numpy as np
import pytest

from protocol.errors import ModelUnavailable
from protocol.values import ModelChoice, Node, Upload, UploadPassage
from retrieval.postprocessor import Vectors
from retrieval.uploads import FileService, shared_places
from tests.retrieval.fakes import ReadHere, in_thread, letters

MODEL = ModelChoice("local", "letters")
SERVICE = FileService(ReadHere().read_file, in_thread, "cosine", keep=15)


async def upload(name: str, *texts: str, model: ModelChoice = MODEL) -> Upload:
    """A file with these passages, and their vectors by the model, if it is one."""
    vectors = (await letters(texts)).astype("<f4")
    packed = [row.tobytes() if model.provider else b"" for row in vectors]
    passages = [UploadPassage(name, text, row) for text, row in zip(texts, packed, strict=True)]
    return Upload(name, name, 1, tuple(passages), model)


async def embed(model: ModelChoice, texts: Sequence[str]) -> Vectors:
    """Vectors that count letters; a model of another name is down."""
    if model != MODEL:
        raise ModelUnavailable(model.provider, "it is down")
    return (await letters(texts)).astype(np.float32)


async def found(query: str, *uploads: Upload) -> list[Node]:
    """The passages for a query."""

    async def given() -> AsyncIterator[Upload]:
        for one in uploads:
            yield one

    return list(await SERVICE.search(query, given(), embed))


async def test_passage_that_answers_leads() -> None:
    """Whatever its place and its file; its address is that of a file, its title names it."""
    filler = [f"Chapter {n} speaks of weather and wind." for n in range(200)]
    one = await upload("a.txt", *filler)
    other = await upload("b.txt", *filler, "The lighthouse is painted in violet.", *filler)
    best = await found("What colour is the lighthouse painted?", one, other)
    assert (best[0].text, best[0].url) == ("The lighthouse is painted in violet.", "File")
    assert best[0].title == "b.txt"
    assert best[0].score is not None


@pytest.mark.parametrize("model", [ModelChoice(), ModelChoice("down", "m")])
async def test_without_vectors_words_find(model: ModelChoice) -> None:
    """A file without vectors, or whose model is down, is searched by its words."""
    texts = [f"Nothing {n} of interest." for n in range(90)]
    one = await upload("a.txt", *texts, "The harbour has a lighthouse.", model=model)
    assert (await found("lighthouse", one))[0].text == "The harbour has a lighthouse."


async def test_question_that_meets_nothing_gets_the_beginning() -> None:
    """Who attaches a file wants it used: with nothing to go by, it is told from its start."""
    one = await upload("a.txt", *(f"{n} {n} {n}" for n in range(60)), model=ModelChoice())
    assert [node.text for node in await found("summarize", one)] == [
        f"{n} {n} {n}" for n in range(15)
    ]


async def test_vectors_of_another_length_are_passed_over() -> None:
    """A model that has changed meanwhile costs the vectors, not the answer."""
    passages = (UploadPassage("a", "bees hum", b"\0" * 12), UploadPassage("a", "wasps", b"\0" * 8))
    odd = Upload("a", "a", 1, passages, MODEL)
    assert (await found("bees", odd))[0].text == "bees hum"


async def test_vectors_that_are_no_numbers_do_no_harm() -> None:
    """Infinite and missing values count as nothing."""
    vector = np.full(26, np.nan, "<f4").tobytes()
    odd = Upload("a", "a", 1, (UploadPassage("a", "bees", vector),), MODEL)
    assert [node.text for node in await found("bees", odd)] == ["bees"]


async def test_no_file_gives_nothing() -> None:
    """Ids of nobody lead to an empty list."""
    assert await found("bees") == []


NODES = [Node(f"{n}", "t", "u") for n in range(20)]


@pytest.mark.parametrize(
    ("files", "web", "shares"),
    [(20, 20, (8, 7)), (20, 0, (15, 0)), (2, 20, (2, 13)), (0, 3, (0, 3))],
)
def test_files_and_web_share_the_places(files: int, web: int, shares: tuple[int, int]) -> None:
    """Up to eight of fifteen are for files where the web has something too."""
    sources = shared_places(NODES[:files], [Node("w", "t", "u")] * web)
    of_web = sum(node.text == "w" for node in sources)
    assert (len(sources) - of_web, of_web) == shares
