"""The operator's page tells of every event that the program logs, and of no other.

``python -m tests.test_operating`` prints what the code logs, for the table of events.
"""

import ast
import re
import tomllib
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "operating.md"
EVENT = re.compile(r"[a-z_]+\.[a-z_]+")
ROW = re.compile(rf"^\| `({EVENT.pattern})` \| ([a-z, ]+) \| ([^|]*) \| ([^|]+) \|$", re.MULTILINE)
LEVELS = {level: level for level in ("debug", "info", "warning", "error")} | {"exception": "error"}
TRACEBACK = "exception"  # what ``exc_info`` becomes in a line


@dataclass
class Logged:
    """At which levels an event is logged, and all the keys that it may have."""

    levels: set[str] = field(default_factory=set)
    keys: set[str] = field(default_factory=set)


def product() -> Iterator[Path]:
    """The files of the program, as the wheel has them."""
    wheel = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["hatch"]["build"]
    for name in wheel["targets"]["wheel"]["only-include"]:
        place = ROOT / name
        yield from [place] if place.is_file() else place.rglob("*.py")


def logged() -> dict[str, Logged]:
    """What the code logs, by event."""
    found: dict[str, Logged] = defaultdict(Logged)
    for path in product():
        module = ast.parse(path.read_text("utf-8"))
        for call in calls(module):
            names = names_of(call, module)
            assert names, f"{path.relative_to(ROOT)}:{call.lineno} logs what is no noun.verb"
            for name in names:
                found[name].levels.add(LEVELS[call.func.attr])  # type: ignore[attr-defined]
                found[name].keys |= set(keys_of(call, module))
    return found


def calls(module: ast.Module) -> Iterator[ast.Call]:
    """Each call of ``log.<level>``."""
    for node in ast.walk(module):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            logger = node.func.value
            if isinstance(logger, ast.Name) and logger.id == "log" and node.func.attr in LEVELS:
                yield node


def names_of(call: ast.Call, module: ast.Module) -> set[str]:
    """The events of a call: texts in its first argument, and in the tables that this names."""
    places = [call.args[0], *values_named(call.args[0], module)]
    nodes = [node for place in places for node in ast.walk(place)]
    texts = [str(node.value) for node in nodes if isinstance(node, ast.Constant)]
    return {text for text in texts if EVENT.fullmatch(text)}


def keys_of(call: ast.Call, module: ast.Module) -> Iterator[str]:
    """The keys of a call, those of dicts that are unpacked into it too."""
    assert isinstance(call.func, ast.Attribute)
    if call.func.attr == "exception":
        yield TRACEBACK
    for keyword in call.keywords:
        if keyword.arg is None:
            for value in values_named(keyword.value, module):
                yield from dict_keys(value)
        else:
            yield TRACEBACK if keyword.arg == "exc_info" else keyword.arg


def values_named(expression: ast.expr, module: ast.Module) -> list[ast.expr]:
    """What is assigned anywhere in the module to the names in the expression."""
    names = {node.id for node in ast.walk(expression) if isinstance(node, ast.Name)}
    return [
        node.value
        for node in ast.walk(module)
        if isinstance(node, ast.Assign)
        and any(isinstance(target, ast.Name) and target.id in names for target in node.targets)
    ]


def dict_keys(value: ast.expr) -> Iterator[str]:
    """The keys of all dicts in an expression; of one that is made, its parts in brackets."""
    for node in ast.walk(value):
        keys = node.keys if isinstance(node, ast.Dict) else []
        keys = [node.key] if isinstance(node, ast.DictComp) else keys
        yield from (shown(key) for key in keys if key is not None)


def shown(key: ast.expr) -> str:
    """A key as the page writes it: ``stage_ms``, ``<stage>_ms``."""
    if isinstance(key, ast.JoinedStr):
        return "".join(map(shown, key.values))
    if isinstance(key, ast.FormattedValue):
        return f"<{ast.unparse(key.value)}>"
    return str(key.value) if isinstance(key, ast.Constant) else f"<{ast.unparse(key)}>"


def documented() -> dict[str, Logged]:
    """What the page tells, by event."""
    rows = ROW.findall(PAGE.read_text("utf-8"))
    assert len({name for name, *_ in rows}) == len(rows), "an event stands there twice"
    return {
        name: Logged(set(levels.split(", ")), set(re.findall(r"`([^`]+)`", keys)))
        for name, levels, keys, _ in rows
    }


def row(name: str, event: Logged) -> str:
    """A row of the table but for what it means."""
    keys = ", ".join(f"`{key}`" for key in sorted(event.keys))
    return f"| `{name}` | {', '.join(sorted(event.levels))} | {keys} |"


def test_page_tells_of_every_event_and_of_no_other() -> None:
    """Names, levels and keys are those of the code."""
    code, page = logged(), documented()
    assert {row(*each) for each in page.items()} == {row(*each) for each in code.items()}


if __name__ == "__main__":
    print("\n".join(row(name, event) for name, event in sorted(logged().items())))  # noqa: T201
