"""Retrieval as the actors use it."""

import subprocess
import sys
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path

import httpx
import msgspec
import numpy as np
import numpy.typing as npt
import pytest

from protocol.errors import InvalidFocusMode, ModelUnavailable, SettingsError
from protocol.service_settings import ApiEndpoints
from protocol.settings import General, Search, Settings
from protocol.values import Node, Utterance
from retrieval.backends import BACKENDS, Row
from retrieval.service import Retrieval
from tests.retrieval.fakes import in_thread, letters

ROOT = Path(__file__).parents[2]
RESULTS = [
    {"title": f"T{i}", "url": f"https://{i}.example", "content": "zebra " * i + "apple"}
    for i in range(1, 21)
]
HANDS_OFF = """
import sys, threading
sys.path.insert(0, {root!r})
import retrieval.service
heavy = {{"llama_index", "numpy", "trafilatura", "pypdfium2", "ddgs", "wordllama"}}
assert not heavy & sys.modules.keys(), heavy & sys.modules.keys()
from retrieval import lazy, modes
failed = []
def use():
    try:
        lazy.rephrase_prompt(modes.load_focus_modes()["webSearch"], "q", ())
        lazy.load()
    except BaseException as error:
        failed.append(error)
threads = [threading.Thread(target=use) for _ in range(8)]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
assert not failed, failed
"""


def build(
    *,
    searxng: str = "",
    library: str = "",
    backends: tuple[str, ...] = ("searxng", "library"),
    table: Mapping[str, Row] = BACKENDS,
) -> Retrieval:
    def handler(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, json={"results": RESULTS})

    settings = Settings(
        general=General(library=library, data_dir=library or "data"),
        api_endpoints=ApiEndpoints(searxng=searxng),
        search=Search(backends=backends),
    )
    client = httpx.AsyncClient(transport=httpx.MockTransport(handler))
    return Retrieval.build(
        settings, client=client, offload=in_thread, now=datetime.now, backends=table
    )


async def no_model(texts: Sequence[str]) -> npt.NDArray[np.float64]:
    raise ModelUnavailable("test", "down")


def test_importing_it_loads_nothing_heavy_and_threads_may_load_it_at_once() -> None:
    """Start-up stays fast, and the first use is safe from several threads."""
    subprocess.run([sys.executable, "-c", HANDS_OFF.format(root=str(ROOT))], check=True)  # noqa: S603 - our own program


async def test_a_question_is_searched_and_ranked() -> None:
    """Speed keeps the search's order, balanced orders by closeness; both keep fifteen."""
    retrieval = build(searxng="http://searx.test")
    found = await retrieval.search("apple", "webSearch")
    assert (found.backend, found.note, len(found.nodes)) == ("searxng", "", 20)
    quick = await retrieval.rank("apple", found.nodes, "webSearch", "speed", no_model)
    assert quick == found.nodes[:15]
    close = await retrieval.rank("apple", found.nodes, "webSearch", "balanced", letters)
    assert close[0].title == "T1"
    assert len(close) <= 15
    assert await retrieval.rank("apple", found.nodes, "webSearch", "quality", letters) == close
    await retrieval.close()


async def test_a_failing_embedding_degrades_to_words() -> None:
    """The turn goes on without the model."""
    nodes = [Node("zebra", "Z", "u"), Node("apple", "A", "u"), Node(" ", "E", "u")]
    kept = await build().rank("apple", nodes, "webSearch", "balanced", no_model)
    assert [node.title for node in kept] == ["A", "Z"]


async def test_a_mode_without_search_finds_nothing_and_ranks_nothing() -> None:
    """WritingAssistant asks no backend."""
    retrieval = build(searxng="http://searx.test")
    assert (await retrieval.search("apple", "writingAssistant")).nodes == ()
    node = Node("a", "A", "u")
    assert await retrieval.rank("q", [node], "writingAssistant", "balanced", no_model) == (node,)


async def test_an_empty_query_is_not_searched() -> None:
    """The reference searched with nothing and failed."""
    assert (await build(searxng="http://searx.test").search("  ", "webSearch")).nodes == ()


async def test_an_unknown_mode_is_refused() -> None:
    """Its name is no key of anything else either."""
    with pytest.raises(InvalidFocusMode):
        await build().search("q", "toString")


async def test_the_project_answers_about_itself_without_network() -> None:
    """With nothing configured, the documents that come with the program are the last resort."""
    retrieval = build()
    retrieval.prepare()
    question = "How does a session actor talk to the searcher?"
    found = await retrieval.search(question, "webSearch")
    assert found.backend == "documents"
    assert found.note
    assert all(str(ROOT) not in node.url and node.url for node in found.nodes)
    kept = await retrieval.rank(question, found.nodes, "webSearch", "balanced", letters)
    answer = "".join(retrieval.extract_answer(question, kept))
    assert "searcher" in answer.lower()
    assert "[1]" in answer
    assert (
        await retrieval.search("Who was the tallest lighthouse keeper?", "webSearch")
    ).nodes == ()
    await retrieval.close()


async def test_a_library_is_searched_before_the_rest(tmp_path: Path) -> None:
    """A named folder is indexed in the data folder."""
    (tmp_path / "towers.md").write_text("# Towers\nThe lighthouse of Fakeport is tall.")
    retrieval = build(library=str(tmp_path))
    found = await retrieval.search("lighthouse of Fakeport", "webSearch")
    assert (found.backend, [node.url for node in found.nodes]) == ("library", ["towers.md#towers"])
    assert (tmp_path / "library.sqlite").exists()
    await retrieval.close()


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({}, ["documents"]),
        ({"searxng": "http://me:secret@searx.test:8080"}, ["SearXNG at searx.test"]),
        ({"backends": ("keyless", "searxng")}, ["keyless"]),
    ],
)
def test_it_says_which_searches_are_configured(
    settings: dict[str, object], words: list[str]
) -> None:
    """The start line names them, without secrets."""
    said = build(**settings).describe()  # type: ignore[arg-type]
    assert all(word in said for word in words)
    assert "secret" not in said


class Almanac:
    """A search backend of one's own."""

    name = "almanac"

    async def search(self, query: str, *, engines: Sequence[str], language: str) -> list[Node]:
        """The same, whatever is asked."""
        return [Node(f"{query} in {language}", "Almanac", "https://almanac.example/1")]


async def test_a_new_search_backend_is_one_file_and_one_row() -> None:
    """The settings name it as they name the others."""
    row = Row(lambda _parts: Almanac(), lambda _settings: "the almanac")
    retrieval = build(backends=("Almanac",), table={**BACKENDS, "almanac": row})
    assert retrieval.describe() == "the almanac, then its own documents"
    found = await retrieval.search("tides", "webSearch")
    assert (found.backend, [node.text for node in found.nodes]) == ("almanac", ["tides in en"])


def test_an_unknown_search_backend_is_refused_at_start() -> None:
    """With the names that there are."""
    with pytest.raises(SettingsError, match=r"bing.*searxng, library, keyless"):
        build(backends=("searxng", "bing"))


def test_a_bad_address_is_refused_at_start() -> None:
    """A setting of no use is told before the first question."""
    with pytest.raises(SettingsError):
        build(searxng="searx.test")


def test_prompts_and_replies() -> None:
    """The facade renders both prompts and reads the reply."""
    retrieval = build()
    (asked,) = retrieval.rephrase_prompt("webSearch", "q?", [Utterance("user", "before")])
    assert "before" in asked.text
    told = retrieval.answer_prompt("webSearch", "q?", [], [Node("text", "T", "u")])
    assert [message.role for message in told] == ["system", "user"]
    assert f"{datetime.now():%Y}" in told[0].text  # noqa: DTZ005 - the local date
    assert retrieval.parse_rephrased("webSearch", "<question>x</question>", "q?").query == "x"


def test_nodes_are_messages() -> None:
    """What comes out can be written as JSON."""
    assert msgspec.json.encode(build().modes["webSearch"])


async def test_search_goes_by_new_settings_at_once() -> None:
    """A search service that is named while the program runs is asked by the next search."""
    retrieval = build()
    named = Settings(
        api_endpoints=ApiEndpoints(searxng="http://s"), search=Search(backends=("searxng",))
    )
    await retrieval.configure(named)
    assert (await retrieval.search("zebra", "webSearch")).backend == "searxng"
    assert "SearXNG at s" in retrieval.describe()
    await retrieval.close()


async def test_settings_that_cannot_be_searched_by_change_nothing() -> None:
    """An address of no use is refused, and the searches stay as they were."""
    retrieval = build(searxng="http://s", backends=("searxng",))
    with pytest.raises(SettingsError):
        await retrieval.configure(Settings(api_endpoints=ApiEndpoints(searxng="nowhere")))
    assert (await retrieval.search("zebra", "webSearch")).backend == "searxng"
    await retrieval.close()
