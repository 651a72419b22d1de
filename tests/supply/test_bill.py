"""The bill of materials says what is installed, and nothing of where it was made."""

import json
import re
import tomllib
from typing import Any

import pytest

from supply.bill import bill, made, purl
from supply.pins import ROOT, NotPinned, pins

PROJECT = {"name": "mine", "description": "It is.", "license": "MIT"}
A, B = "a" * 64, "b" * 64
PINNED = f"""\
one==1.0 \\
    --hash=sha256:{A} \\
    --hash=sha256:{B}
    # via
    #   mine (pyproject.toml)
    #   two
two==2.0.post1 ; sys_platform == 'win32' \\
    --hash=sha256:{B}
    # via mine (pyproject.toml)
"""

LOOSE = (
    "one>=1\n",
    "one==1\n",
    "--index-url https://index.example\n",
    "one @ file:///one\n",
    f"{PINNED}two\n",
)


@pytest.fixture(scope="module")
def whole() -> dict[str, Any]:
    """The bill of this checkout."""
    told: dict[str, Any] = json.loads(made())
    return told


def test_packages_with_their_hashes_and_what_they_depend_on() -> None:
    """In the terms of CycloneDX 1.6."""
    told = bill(PINNED, PROJECT, "3")
    one, two = told["components"]
    assert one["purl"] == one["bom-ref"] == "pkg:pypi/one@1.0"
    assert one["hashes"] == [{"alg": "SHA-256", "content": each} for each in (A, B)]
    assert "scope" not in one
    assert two["version"] == "2.0.post1"
    assert two["scope"] == "optional"
    assert two["properties"][0]["value"] == "sys_platform == 'win32'"
    assert told["metadata"]["component"]["purl"] == "pkg:pypi/mine@3"
    assert told["dependencies"] == [
        {"ref": "pkg:pypi/mine@3", "dependsOn": ["pkg:pypi/one@1.0", "pkg:pypi/two@2.0.post1"]},
        {"ref": "pkg:pypi/one@1.0", "dependsOn": []},
        {"ref": "pkg:pypi/two@2.0.post1", "dependsOn": ["pkg:pypi/one@1.0"]},
    ]


@pytest.mark.parametrize("text", LOOSE)
def test_what_is_not_pinned_is_refused(text: str) -> None:
    """Rather than left out."""
    with pytest.raises(NotPinned):
        list(pins(text))


def test_every_pinned_package_is_in_it_once(whole: dict[str, Any]) -> None:
    """With at least one hash each."""
    lines = (ROOT / "requirements.txt").read_text("utf-8").splitlines()
    wanted = [re.split(r"[ ;\\]", line)[0] for line in lines if re.match(r"\w", line)]
    told = [f"{each['name']}=={each['version']}" for each in whole["components"]]
    assert sorted(told) == sorted(wanted)
    assert len({each["bom-ref"] for each in whole["components"]}) == len(told)
    assert all(each["hashes"] for each in whole["components"])


def test_direct_dependencies_are_those_of_the_project(whole: dict[str, Any]) -> None:
    """And all that is depended on is there."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    direct = {re.split(r"[<>=]", each)[0] for each in project["dependencies"]}
    first, *_ = whole["dependencies"]
    told = {ref.removeprefix("pkg:pypi/").partition("@")[0] for ref in first["dependsOn"]}
    assert told == direct
    refs = {each["bom-ref"] for each in whole["components"]}
    assert all(set(each["dependsOn"]) <= refs for each in whole["dependencies"])
    assert {each["ref"] for each in whole["dependencies"]} - refs == {first["ref"]}


def test_it_bears_no_host_no_path_and_no_time(whole: dict[str, Any]) -> None:
    """So that the same pins give the same bytes everywhere."""
    text = made()
    assert text == made()
    assert "://" not in text
    assert str(ROOT) not in text
    assert not re.search(r"\d{4}-\d\d-\d\dT", text)


def test_names_are_those_of_the_index() -> None:
    """In small letters, with hyphens."""
    assert purl("Some_Name", "1") == "pkg:pypi/some-name@1"
