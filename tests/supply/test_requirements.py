"""What the program depends on is little, has its reasons, and is pinned with hashes."""

import re
import tomllib
from pathlib import Path

import pytest

from supply.pins import ROOT, pins

MOST = 20
FILES = ("requirements.txt", "requirements-dev.txt", "requirements-build.txt")
UPPER, LOWER = ("doctor", "transport", "actors"), ("retrieval", "providers", "storage")
FOLDERS = (*UPPER, *LOWER, "upstreams", "protocol")
LINE = re.compile(r'^    "([^"]+)",? *(#.*)?$')


def declared() -> dict[str, str]:
    """The direct dependencies by name, each with its line."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    return {re.split(r"[<>=]", each)[0]: each for each in project["dependencies"]}


def code() -> str:
    """All that the program is."""
    paths: list[Path] = [path for name in FOLDERS for path in (ROOT / name).rglob("*.py")]
    return "\n".join(path.read_text("utf-8") for path in [ROOT / "app.py", *paths])


def test_direct_dependencies_are_few() -> None:
    """Heavy or rare ones are extras."""
    assert 0 < len(declared()) <= MOST


def test_each_direct_dependency_has_its_reason() -> None:
    """Beside it, in words."""
    text = (ROOT / "pyproject.toml").read_text("utf-8")
    reasons = {
        found[1]: found[2] or ""
        for line in text.splitlines()
        if (found := LINE.match(line)) and found[1] in declared().values()
    }
    assert set(reasons) == set(declared().values())
    assert not [each for each, reason in reasons.items() if len(reason.split()) < 2]


@pytest.mark.parametrize("name", declared())
def test_each_direct_dependency_is_used(name: str) -> None:
    """One that nothing imports is to go."""
    module = "llama_index" if name == "llama-index-core" else name.replace("-", "_")
    assert re.search(rf'(import|from|import_module\(") ?"?{module}\b', code())


@pytest.mark.parametrize("name", FILES)
def test_pins_have_hashes_and_name_no_place(name: str) -> None:
    """Neither a host nor a path of who has pinned them."""
    text = (ROOT / name).read_text("utf-8")
    pinned = list(pins(text))
    assert pinned
    assert all(pin.hashes for pin in pinned)
    assert not re.search(r"://|index-url|find-links|file:|(^|[\s=])/\w", text, re.MULTILINE)
