"""Conversations of the reference back end, taken over from the command line."""

from pathlib import Path

import pytest

from tests.e2e.client import Client
from tests.e2e.conftest import upstreams
from tests.e2e.program import Program, run
from tests.standins.model_server import ModelServer
from tests.standins.search_server import SearchServer
from tests.storage.reference_example import AT, answer_row, make_reference, question_row

pytestmark = pytest.mark.asyncio(loop_scope="session")

DONE, FAILED, BAD_USAGE = 0, 1, 2


async def test_chats_are_there_while_the_server_runs(
    models: ModelServer, search: SearchServer, tmp_path: Path
) -> None:
    """The running server shows them at once, a talk in one goes on, a second import adds none."""
    source = tmp_path / "old.sqlite"
    chats = [(f"c{number}", "why?", AT, "webSearch") for number in range(100)]
    rows = [row for chat in chats for row in (question_row(chat[0], "q"), answer_row(chat[0], "a"))]
    make_reference(source, chats, rows)
    async with Program(tmp_path, **upstreams(models, search)) as program:
        ended = await run(tmp_path, "import", str(source))
        assert (ended.code, ended.err) == (DONE, "")
        assert ended.out == "Took 100 chats with 200 messages.\n"
        async with Client.connect(program) as client:
            await client.answer("And now?", chat="c7")
        messages = await program.messages("c7")
        assert [row["content"] for row in messages][:3] == ["why?", "so [1]", "And now?"]
        assert [row["role"] for row in messages] == ["user", "assistant"] * 2
        ended = await run(tmp_path, "import", str(source))
        assert ended.out == (
            "Took 0 chats with 0 messages.\nLeft 100 chats that are here already.\n"
        )
        assert len((await program.json("/api/chats"))["chats"]) == 100


async def test_what_is_no_reference_database_is_refused(tmp_path: Path) -> None:
    """One plain sentence that names the file, and code 1; without a path code 2."""
    (tmp_path / "notes.txt").write_text("no database")
    ended = await run(tmp_path, "import", str(tmp_path / "notes.txt"))
    assert ended.code == FAILED
    assert str(tmp_path / "notes.txt") in ended.err
    assert len(ended.err.strip().splitlines()) == 1
    assert (await run(tmp_path, "import")).code == BAD_USAGE
