"""A start on a database that is damaged: refused in one sentence, with nothing written over."""

import os
from pathlib import Path

import pytest

from tests.e2e.program import run
from tests.e2e.test_command_line import ALONE, FAILED, FIRST_QUESTION

pytestmark = pytest.mark.asyncio(loop_scope="session")


@pytest.mark.parametrize(
    ("words", "is_cut"), [((), True), (("ask", FIRST_QUESTION), True), ((), False)]
)
async def test_start_on_a_damaged_database_is_refused(
    tmp_path: Path, words: tuple[str, ...], *, is_cut: bool
) -> None:
    """Code 1, beside the log one line that names the file, and the file as it was."""
    await run(tmp_path, "ask", FIRST_QUESTION, settings=ALONE)
    path = tmp_path / "data" / "db.sqlite"
    if is_cut:
        os.truncate(path, path.stat().st_size // 2)
    else:
        path.write_bytes(b"Dear diary, " * 1_000)
    before = path.read_bytes()
    ended = await run(tmp_path, *words, settings={**ALONE, "PERPLEXICA_PORT": "0"})
    assert ended.code == FAILED
    [line] = [line for line in ended.err.splitlines() if not line.startswith("{")]
    assert line.startswith("perplexica: ")
    assert f"{path} is " in line
    assert path.read_bytes() == before
