"""A turn whose question has files with it."""

import msgspec

from actors.journal import Journal
from protocol.events import SourcesFound, Status
from protocol.messages import FilesSearched, Search, SearchFiles, SearchFinished
from protocol.values import Node
from retrieval.modes import FocusMode
from tests.actors.parts import MODE, NODES, Act, Scene, ended, fail, turn_info
from tests.clock import virtual

WRITING = msgspec.structs.replace(MODE, searches=False)


async def play(
    acts: dict[type, Act], *, focus: FocusMode = MODE, files: tuple[str, ...] = ("f",)
) -> tuple[list[str], str, list[str]]:
    """The addresses of the sources, the answer, and the stages."""
    scene = Scene(acts)
    info = turn_info()
    question = msgspec.structs.replace(info.question, files=files)
    journal = Journal(msgspec.structs.replace(info, question=question))
    scene.play(journal, focus)
    events = await ended(journal)
    await scene.close()
    nodes = next(event.nodes for event in events if isinstance(event, SourcesFound))
    stages = [str(event.stage) for event in events if isinstance(event, Status)]
    return [node.url for node in nodes], journal.text, stages


@virtual
async def test_passages_of_files_stand_before_what_was_found() -> None:
    """Eight of them beside the results of the web."""
    urls, _, stages = await play({})
    assert urls == ["File"] * 8 + [node.url for node in NODES[-2:]]
    assert "reading" in stages


@virtual
async def test_mode_without_search_uses_files_too() -> None:
    """All places are theirs then, and the question itself is what is looked for."""
    asked: list[str] = []

    async def search_files(message: SearchFiles) -> FilesSearched:
        asked.append(message.query)
        return FilesSearched(tuple(Node(f"{n}", "t", "File") for n in range(20)))

    urls, _, _ = await play({SearchFiles: search_files}, focus=WRITING)
    assert (urls, asked) == (["File"] * 15, ["Why?"])


@virtual
async def test_question_without_files_asks_for_none() -> None:
    """Nothing is read, and no stage says so."""
    urls, _, stages = await play({SearchFiles: fail}, files=())
    assert ("File" in urls, "reading" in stages) == (False, False)


@virtual
async def test_files_that_cannot_be_read_are_told() -> None:
    """The answer says so, and goes on with what was found."""
    urls, text, _ = await play({SearchFiles: fail})
    assert urls == [node.url for node in NODES[-2:]]
    assert text.startswith("*The attached files could not be read")


@virtual
async def test_file_that_is_gone_is_told() -> None:
    """Its user may attach it again."""

    async def gone(_message: SearchFiles) -> FilesSearched:
        return FilesSearched((), "Some of the attached files are gone.")

    _, text, _ = await play({SearchFiles: gone}, focus=WRITING)
    assert text.startswith("*Some of the attached files are gone.*")


@virtual
async def test_programs_own_documents_make_room() -> None:
    """What is only a stopgap for an empty search does not stand beside a file."""

    async def own(_message: Search) -> SearchFinished:
        return SearchFinished(NODES, "documents", "These come with the program.")

    urls, text, _ = await play({Search: own})
    assert set(urls) == {"File"}
    assert "come with the program" not in text
