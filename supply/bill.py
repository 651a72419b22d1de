"""``make sbom``: a bill of materials in CycloneDX JSON, of what ``requirements.txt`` pins.

The same pins give the same bytes: it bears no time, and nothing of the machine that made it.
"""

import json
import re
import sys
import tomllib
from collections.abc import Iterable
from typing import Any

from supply.pins import ROOT, Pin, pins

VERSION = re.compile(r'^__version__ = "([^"]+)"$', re.MULTILINE)


def purl(name: str, version: str) -> str:
    """How a package of PyPI is named in a bill."""
    return f"pkg:pypi/{name.lower().replace('_', '-')}@{version}"


def bill(requirements: str, project: dict[str, Any], version: str) -> dict[str, Any]:
    """The bill.

    Args:
        requirements: The text of the file of pins.
        project: The table of that name in ``pyproject.toml``.
        version: Of the program itself.

    """
    pinned = sorted(pins(requirements), key=lambda pin: (pin.name, pin.version))
    itself = purl(project["name"], version)
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {"component": program(project, version)},
        "components": [component(pin) for pin in pinned],
        "dependencies": [
            {"ref": itself, "dependsOn": wanted_by(project["name"], pinned)},
            *(
                {"ref": purl(pin.name, pin.version), "dependsOn": wanted_by(pin.name, pinned)}
                for pin in pinned
            ),
        ],
    }


def program(project: dict[str, Any], version: str) -> dict[str, Any]:
    """What the bill is about."""
    ref = purl(project["name"], version)
    return {
        "type": "application",
        "bom-ref": ref,
        "name": project["name"],
        "version": version,
        "description": project["description"],
        "licenses": [{"license": {"id": project["license"]}}],
        "purl": ref,
    }


def component(pin: Pin) -> dict[str, Any]:
    """A package; one that is not installed everywhere says where, and counts as optional."""
    ref = purl(pin.name, pin.version)
    where = {
        "scope": "optional",
        "properties": [{"name": "python:environment_marker", "value": pin.marker}],
    }
    return {
        "type": "library",
        "bom-ref": ref,
        "name": pin.name,
        "version": pin.version,
        "hashes": [{"alg": "SHA-256", "content": each} for each in pin.hashes],
        "purl": ref,
        **(where if pin.marker else {}),
    }


def wanted_by(name: str, pinned: Iterable[Pin]) -> list[str]:
    """What a package depends on."""
    return [purl(pin.name, pin.version) for pin in pinned if name in pin.wanted_by]


def made() -> str:
    """The bill of this checkout, as text."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    version = VERSION.search((ROOT / "cli.py").read_text("utf-8"))
    assert version is not None
    requirements = (ROOT / "requirements.txt").read_text("utf-8")
    return json.dumps(bill(requirements, project, version[1]), indent=2) + "\n"


if __name__ == "__main__":
    sys.stdout.write(made())
