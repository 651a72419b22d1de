"""The command line: asking in the terminal, exit codes, and starts that are refused."""

import asyncio
import json
import re
import socket
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.conftest import upstreams
from tests.e2e.program import APP, Program, environment, run
from tests.standins.faults import Fault
from tests.standins.model_server import ModelServer
from tests.standins.search_server import SearchServer

pytestmark = pytest.mark.asyncio(loop_scope="session")

ANSWERED, FAILED, BAD_USAGE = 0, 1, 2
FIRST_QUESTION = "How does a session actor talk to the searcher?"
ALONE = {"PERPLEXICA_SEARCH_BACKENDS": "searxng,library"}  # as by default, but never online


async def test_version_is_printed(tmp_path: Path) -> None:
    """``--version`` names the program and a version, and succeeds."""
    ended = await run(tmp_path, "--version")
    assert ended.code == ANSWERED
    assert re.fullmatch(r"perplexica \d+\.\d+\.\d+\S*", ended.out.strip())


async def test_first_question_needs_nothing(tmp_path: Path) -> None:
    """From an empty folder, without network or key: a cited answer that says it is extracts."""
    ended = await run(tmp_path, "ask", FIRST_QUESTION, settings=ALONE)
    assert ended.code == ANSWERED, ended.err
    assert re.search(r"\[\d+\]", ended.out)
    assert re.search(r"no (language )?model wrote this", ended.out, re.IGNORECASE)


async def test_answer_asked_in_the_terminal_is_in_the_chats(tmp_path: Path) -> None:
    """What ``ask`` answered is there when the program serves from the same folder."""
    await run(tmp_path, "ask", FIRST_QUESTION, settings=ALONE)
    async with Program(tmp_path, **ALONE) as program:
        chats = (await program.json("/api/chats"))["chats"]
        rows = await program.messages(chats[0]["id"])
    assert [chat["title"] for chat in chats] == [FIRST_QUESTION]
    assert [row["role"] for row in rows] == ["user", "assistant"]


async def test_ask_prints_one_json_object(
    tmp_path: Path, models: ModelServer, search: SearchServer
) -> None:
    """With ``--json`` standard output is one object with the answer and its sources."""
    question = "What is JSON?"
    settings = upstreams(models, search)
    ended = await run(tmp_path, "ask", question, "--json", settings=settings)
    said: dict[str, Any] = json.loads(ended.out)
    assert ended.code == ANSWERED
    assert said["answer"] == (await models.seen("answer", about=question)).reply
    assert said["sources"][0]["metadata"]["url"]


async def test_ask_streams_the_answer_and_names_stages_on_stderr(
    tmp_path: Path, models: ModelServer, search: SearchServer
) -> None:
    """Standard output has the model's words and the sources, standard error the stages."""
    question = "What is on the terminal?"
    ended = await run(tmp_path, "ask", question, settings=upstreams(models, search))
    assert ended.code == ANSWERED
    assert (await models.seen("answer", about=question)).reply.strip() in ended.out
    assert "https://site1.example/" in ended.out
    assert "searching" in ended.err.lower()


async def test_failed_answer_ends_with_code_one(tmp_path: Path, models: ModelServer) -> None:
    """When the turn fails, so does the command."""
    settings = {"OPENAI_API_KEY": "key", "OPENAI_BASE_URL": models.openai_url}
    question = "Does it fail? [[fake answer fault=reset at=2]]"
    flags = ("--focus-mode", "writingAssistant")
    ended = await run(tmp_path, "ask", question, *flags, settings=settings)
    assert ended.code == FAILED
    assert "Traceback" not in ended.err


@pytest.mark.parametrize("arguments", [("ask",), ("--no-such-flag",), ("no-such-command",)])
async def test_bad_usage_ends_with_code_two(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    """A command line that makes no sense is told so."""
    ended = await run(tmp_path, *arguments)
    assert ended.code == BAD_USAGE
    assert "usage" in ended.err.lower()


BAD_SETTINGS = {
    "PERPLEXICA_PORT": "ninety",
    "PERPLEXICA_UI_GAP_MS": "-1",
    "PERPLEXICA_LOG_LEVEL": "loud",
    "PERPLEXICA_LIMITS_SEARCH_S": "0",
    "PERPLEXICA_SEARCH_BACKENDS": "searxng,altavista",
}


@pytest.mark.parametrize("name", BAD_SETTINGS)
async def test_bad_setting_is_refused_with_its_name_and_value(tmp_path: Path, name: str) -> None:
    """A value that cannot be used stops the start: its name and value in one plain line."""
    value = BAD_SETTINGS[name]
    ended = await run(tmp_path, settings={name: value})
    assert ended.code == BAD_USAGE
    assert name.rsplit("_", 1)[-1].lower() in ended.err.lower()
    assert value.rsplit(",", 1)[-1] in ended.err
    assert len(ended.err.strip().splitlines()) == 1


async def test_bad_settings_file_is_refused(tmp_path: Path) -> None:
    """A ``config.toml`` that is not TOML stops the start without a traceback."""
    (tmp_path / "config.toml").write_text("[GENERAL\nPORT = 1", "utf-8")
    ended = await run(tmp_path, "--port", "0")
    assert ended.code == BAD_USAGE
    assert "config.toml" in ended.err
    assert "Traceback" not in ended.err


async def test_secret_is_never_printed(
    tmp_path: Path, models: ModelServer, search: SearchServer
) -> None:
    """Neither start nor turn nor a refusing model shows the key that is set."""
    settings = upstreams(models, search) | {"OPENAI_API_KEY": "sk-very-secret"}
    models.fault("answer", Fault.status(401))
    ended = await run(tmp_path, "ask", "Who knows the key?", settings=settings)
    assert "sk-very-secret" not in ended.out + ended.err


async def test_port_that_is_taken_is_reported(tmp_path: Path) -> None:
    """Another server on the port: one plain sentence that names it, and code 2."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        ended = await run(tmp_path, "--port", port)
    assert ended.code == BAD_USAGE
    assert port in ended.err
    assert "Traceback" not in ended.err


async def test_data_folder_that_cannot_be_written_is_reported(tmp_path: Path) -> None:
    """A data folder that cannot be made: one plain sentence that names it, and code 1."""
    (tmp_path / "file").write_text("in the way", "utf-8")
    place = str(tmp_path / "file" / "data")
    ended = await run(tmp_path, "--port", "0", "--data-dir", place)
    assert ended.code == FAILED
    assert place in ended.err
    assert "Traceback" not in ended.err


async def test_flags_go_before_environment_before_file(tmp_path: Path) -> None:
    """Of three data folders named, the flag's is used, then the environment's, then the file's."""
    (tmp_path / "config.toml").write_text('[GENERAL]\nDATA_DIR = "from-file"\n', "utf-8")
    flag = ("--data-dir", str(tmp_path / "from-flag"))
    assert "PERPLEXICA_DATA_DIR" in environment(tmp_path, {})
    await run(tmp_path, *flag, "ask", "Where?", settings=ALONE)
    await run(tmp_path, "ask", "Where?", settings=ALONE)
    assert databases(tmp_path) == {"from-flag", "data"}


def databases(folder: Path) -> set[str]:
    """The names of the folders below that hold a database."""
    return {path.parent.name for path in folder.rglob("db.sqlite")}


async def test_library_of_ones_own_is_searched(tmp_path: Path) -> None:
    """With ``--library`` the answer comes from the documents in that folder."""
    library = tmp_path / "library"
    library.mkdir()
    (library / "lighthouse.md").write_text(
        "# Harbour Point\n\nThe lighthouse at Harbour Point is 41 metres tall.\n", "utf-8"
    )
    question = "How tall is the lighthouse at Harbour Point?"
    ended = await run(tmp_path, "--library", str(library), "ask", question, settings=ALONE)
    assert ended.code == ANSWERED
    assert "41 metres" in ended.out


async def test_reader_that_leaves_early_is_no_failure(tmp_path: Path) -> None:
    """``perplexica ask … | head -1`` ends quietly once its reader has what it wanted."""
    process = await asyncio.create_subprocess_exec(
        "bash",
        "-c",
        'set -o pipefail; "$0" "$1" ask "$2" | head -n 1',
        *(sys.executable, str(APP), FIRST_QUESTION),
        cwd=tmp_path,
        env=environment(tmp_path, ALONE),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await asyncio.wait_for(process.communicate(), 20)
    assert process.returncode == ANSWERED
    assert len(out.splitlines()) == 1
    assert b"Traceback" not in err
    assert b"BrokenPipe" not in err


@pytest.mark.parametrize(
    "arguments",
    [
        ("ask",),
        ("ask", ""),
        ("ask", "x", "--focus-mode", "nope"),
        ("ask", "x", "--optimization-mode", "nope"),
    ],
)
async def test_bad_usage_is_told_before_anything_starts(
    tmp_path: Path, arguments: tuple[str, ...]
) -> None:
    """Exit code 2, a sentence, and no database."""
    ended = await run(tmp_path, *arguments)
    assert ended.code == BAD_USAGE
    assert "error:" in ended.err
    assert is_empty(tmp_path)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ALL_PROXY", "socks5://127.0.0.1:9"),
        ("HTTP_PROXY", "nonsense://x"),
        ("SSL_CERT_FILE", "/nowhere"),
    ],
)
async def test_proxy_of_no_use_is_one_plain_sentence(tmp_path: Path, name: str, value: str) -> None:
    """What the environment says of proxies and certificates is checked like a setting."""
    ended = await run(tmp_path, "ask", "x", settings={**ALONE, name: value})
    assert ended.code == BAD_USAGE
    assert name in ended.err
    assert "Traceback" not in ended.err


@pytest.mark.parametrize("encoding", ["latin-1", "ascii"])
async def test_terminal_of_few_letters_gets_what_it_can_show(tmp_path: Path, encoding: str) -> None:
    """A letter that it does not have becomes a question mark, not a failure."""
    settings = {**ALONE, "PYTHONIOENCODING": encoding}
    ended = await run(tmp_path, "ask", FIRST_QUESTION, settings=settings)
    assert ended.code == ANSWERED
    assert "[1]" in ended.out
    assert "Traceback" not in ended.err


async def test_full_disk_behind_stdout_is_a_failure_without_traceback(tmp_path: Path) -> None:
    """``perplexica ask … > file`` on a full disk."""
    process = await asyncio.create_subprocess_exec(
        *("bash", "-c", '"$0" "$1" ask "$2" > /dev/full', sys.executable, str(APP), FIRST_QUESTION),
        cwd=tmp_path,
        env=environment(tmp_path, ALONE),
        stderr=asyncio.subprocess.PIPE,
    )
    _, err = await asyncio.wait_for(process.communicate(), 20)
    assert process.returncode == FAILED
    assert b"Traceback" not in err


def is_empty(folder: Path) -> bool:
    """Whether nothing was put there."""
    return not list(folder.iterdir())
