"""``perplexica doctor`` names what is wrong, and nothing else."""

import json
import re
from collections.abc import Mapping
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from tests.e2e.conftest import upstreams
from tests.e2e.ills import GROUPS, ILLS, KEY, Place
from tests.e2e.program import Ended, Program, run
from tests.standins.model_server import ModelServer
from tests.standins.search_server import SearchServer

pytestmark = pytest.mark.asyncio(loop_scope="session")

CASES = [(group, ill) for group, ills in GROUPS.items() for ill in ills]
PATIENCE_S = 60.0
WELL, FAILED, BAD_SETTINGS = 0, 1, 2
Checks = dict[str, dict[str, str]]


async def examined(folder: Path, group: str) -> Ended:
    """A run of the doctor where all of that group is wrong."""
    async with AsyncExitStack() as stack:
        models = await stack.enter_async_context(ModelServer())
        search = await stack.enter_async_context(SearchServer())
        place = Place(folder, models, search, stack)
        place.set_up()
        for ill in GROUPS[group]:
            await ILLS[ill].cause(place)
        flags = ("doctor", "--json")
        return await run(
            folder,
            *flags,
            settings=place.settings,
            within=place.within,
            deadline_s=PATIENCE_S,
        )


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def endings(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Ended]:
    """What the doctor said for each group."""
    return {group: await examined(tmp_path_factory.mktemp("sick"), group) for group in GROUPS}


def checks(ended: Ended) -> Checks:
    """Its checks, by name."""
    told: dict[str, Any] = json.loads(ended.out)
    found: Checks = told["checks"]
    return found


@pytest.mark.parametrize(("group", "name"), CASES)
async def test_right_cause_is_named(endings: Mapping[str, Ended], group: str, name: str) -> None:
    """In the line of its check, with what is to be done about it."""
    ill, finding = ILLS[name], checks(endings[group])[ILLS[name].check]
    assert finding["state"] == "failed"
    assert re.search(ill.says, finding["says"])
    assert re.search(ill.advice, finding["advice"])


@pytest.mark.parametrize("group", GROUPS)
async def test_nothing_else_is_said_to_fail(endings: Mapping[str, Ended], group: str) -> None:
    """Exactly the checks of what is wrong fail, and the code says whether any did."""
    ended = endings[group]
    found = checks(ended)
    wrong = {name for name, finding in found.items() if finding["state"] == "failed"}
    assert wrong == {ILLS[ill].check for ill in GROUPS[group]}, found
    assert json.loads(ended.out)["ok"] is not bool(wrong)
    assert ended.code == (FAILED if wrong else WELL)


async def test_every_ill_is_in_a_group() -> None:
    """None is left out."""
    assert {ill for _, ill in CASES} == set(ILLS)


async def test_no_secret_is_shown(endings: Mapping[str, Ended]) -> None:
    """Neither in what is printed nor in the log."""
    texts = [ended.out + ended.err for ended in endings.values()]
    assert not [text for text in texts if KEY in text or "sk-" in text]


async def test_server_runs_on_meanwhile(
    models: ModelServer, search: SearchServer, tmp_path: Path
) -> None:
    """Its port counts as its own, its store can be read, and nothing is put into its folder."""
    settings = upstreams(models, search)
    async with Program(tmp_path, **settings) as program:
        before = sorted(path.name for path in (tmp_path / "data").iterdir())
        flags = ("--port", str(program.port), "doctor")
        ended = await run(tmp_path, *flags, settings=settings, deadline_s=PATIENCE_S)
        after = sorted(path.name for path in (tmp_path / "data").iterdir())
        assert (await program.http.get("/health/ready")).status_code == 200
    assert ended.code == WELL, ended.out
    assert re.search(r"^ok +port +this program serves", ended.out, re.MULTILINE)
    assert re.search(r"^ok +store +\S+ is sound", ended.out, re.MULTILINE)
    assert after == before


async def test_settings_of_no_use_are_told_like_all_else(tmp_path: Path) -> None:
    """One that cannot be read ends it with code 2, one that nothing starts with is one line."""
    unreadable = await run(tmp_path, "doctor", settings={"PERPLEXICA_PORT": "ninety"})
    unusable = await run(tmp_path, "doctor", settings={"HTTP_PROXY": "nonsense://x:secret@y"})
    assert unreadable.code == BAD_SETTINGS
    assert re.search("^failed +settings .*PORT = 'ninety'", unreadable.out)
    assert unusable.code == FAILED
    assert re.search("^failed +proxies +HTTP_PROXY names no", unusable.out, re.MULTILINE)
    assert re.search("^ok +disk", unusable.out, re.MULTILINE)
    assert "secret" not in unusable.out + unusable.err
    assert not (tmp_path / "data").exists()
