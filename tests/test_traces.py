"""The document of traces names every span that the code notes."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

from protocol.events import Stage

ROOT = Path(__file__).parents[1]
LAYERS = ("actors", "providers", "retrieval", "upstreams")
NAME = re.compile(r"`([^`]+)`")


def noted(tree: ast.AST) -> Iterator[str]:
    """The names of spans in a file: first arguments of what writes into a diary."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and node.args:
            written = ast.unparse(node.func)
            name = node.args[0]
            is_note = written in {"note", "span"} or written.endswith(("diary.add", "self.add"))
            if is_note and isinstance(name, ast.Constant):
                yield str(name.value)


def test_every_span_stands_in_the_document() -> None:
    """And none that is not there any more."""
    files = [path for layer in LAYERS for path in (ROOT / layer).rglob("*.py")]
    names = {name for path in files for name in noted(ast.parse(path.read_text("utf-8")))}
    text = (ROOT / "docs" / "traces.md").read_text("utf-8")
    table = text.partition("| span |")[2].partition("\n\n")[0].splitlines()[2:]
    told = {name for row in table for name in NAME.findall(row.split("|")[1])}
    assert told == names | set(get_args(Stage)) - {"verifying"}
