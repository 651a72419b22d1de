"""The program as its container runs it: nothing can be written but into the data folder."""

import subprocess
from pathlib import Path

import pytest

from tests.e2e.client import Client
from tests.e2e.conftest import upstreams
from tests.e2e.program import Program
from tests.e2e.test_uploads import upload
from tests.restraints import with_mounts
from tests.retrieval.documents import pdf
from tests.standins.model_server import ModelServer
from tests.standins.search_server import SearchServer

pytestmark = pytest.mark.asyncio(loop_scope="session")

# The data folder is a disk of its own, all other disks are read-only.
BOX = """
mount -t tmpfs none "$1" && mount -o remount,bind,ro / \\
    && { mount -o remount,bind,ro /tmp; mount -o remount,bind,ro /dev/shm; true; } 2> /dev/null
"""


@pytest.fixture
def box(tmp_path: Path) -> list[str]:
    """The command that runs another so; it is seen to hold."""
    (tmp_path / "data").mkdir()
    within = with_mounts(BOX.strip(), str(tmp_path / "data"))
    for name, may_be_made in (("data/file", True), ("file", False)):
        command = [*within, "touch", str(tmp_path / name)]
        done = subprocess.run(command, capture_output=True, check=False)  # noqa: S603
        assert (done.returncode == 0) is may_be_made, done.stderr
    return within


async def test_questions_files_and_pages_need_no_other_folder(
    box: list[str], models: ModelServer, search: SearchServer, tmp_path: Path
) -> None:
    """An answer with ranked sources, a file that is read and asked about, and a healthy store."""
    async with (
        Program(tmp_path, within=box, **upstreams(models, search)) as program,
        Client.connect(program) as client,
    ):
        [kept] = await upload(program, ("a.pdf", pdf("The lighthouse is violet.")))
        await client.ask("What is it?", files=[kept["fileId"]], optimizationMode="balanced")
        turn = await client.turn()
        health = await program.json("/health")
    assert turn.end["type"] == "messageEnd"
    assert turn.sources
    assert (health["status"], health["store"]) == ("ok", "")
    assert "Traceback" not in program.log_text()
