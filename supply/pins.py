"""What a file of pinned requirements says: packages, the hashes of their files, who wants them."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
ENTRY = re.compile(r"^(?P<name>[A-Za-z0-9._-]+)==(?P<version>[^\s;]+)(?: ; (?P<marker>.*?))? \\$")
HASH = re.compile(r"^    --hash=sha256:([0-9a-f]{64})(?: \\)?$")
WANTED_BY = re.compile(r"^    #   (?:via )?(\S+)|^    # via (\S+)")
MARK = "    # via"


class NotPinned(Exception):
    """A line that is neither a pinned package, nor a hash, nor a word on who wants it."""


@dataclass(frozen=True)
class Pin:
    """A package as it is pinned.

    Attributes:
        marker: Where it is installed; empty for everywhere.
        hashes: SHA-256 of the files that it may be installed from.
        wanted_by: The packages that need it, by their names.

    """

    name: str
    version: str
    marker: str
    hashes: tuple[str, ...]
    wanted_by: tuple[str, ...]


def pins(text: str) -> Iterator[Pin]:
    """The packages in the order of the file; raises NotPinned for a line that is something else."""
    blocks = re.split(r"^(?=[^\s#])", text, flags=re.MULTILINE)
    for block in filter(str.strip, blocks):
        yield _pin(block.splitlines())


def _pin(lines: list[str]) -> Pin:
    first, *rest = lines
    entry = ENTRY.match(first)
    unread = [line for line in rest if not (HASH.match(line) or _wanted_by(line) or line == MARK)]
    if entry is None or unread:
        raise NotPinned(unread[0] if unread else first)
    return Pin(
        name=entry["name"],
        version=entry["version"],
        marker=entry["marker"] or "",
        hashes=tuple(found[1] for line in rest if (found := HASH.match(line))),
        wanted_by=tuple(name for line in rest if (name := _wanted_by(line))),
    )


def _wanted_by(line: str) -> str:
    found = WANTED_BY.match(line)
    return (found[1] or found[2]) if found else ""
