"""The code stays small: its files and functions are short, and few places catch everything."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from statistics import median

ROOT = Path(__file__).parents[1]
# What .gitignore keeps out at the root, besides the hidden folders.
UNTRACKED = {"build", "data", "dist"}
LINES_OF_A_FILE = 300
LINES_OF_A_FUNCTION = 50
LINES_OF_THE_MEDIAN_FUNCTION = 8
BROAD_EXCEPTS = 3
BROAD = {"Exception", "BaseException"}


@dataclass(frozen=True)
class Source:
    """A file of the repository: its path from the root, its text, and every node of its tree."""

    path: Path
    text: str
    nodes: tuple[ast.AST, ...]

    def functions(self) -> Iterator[tuple[int, str]]:
        """The lines of each function, and where it stands; decorators do not count."""
        for node in self.nodes:
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                lines = (node.end_lineno or node.lineno) - node.lineno + 1
                yield lines, f"{self.path}:{node.lineno} {node.name}"

    def broad_excepts(self) -> Iterator[str]:
        """Where a handler catches everything."""
        for node in self.nodes:
            if isinstance(node, ast.ExceptHandler) and is_broad(node.type):
                yield f"{self.path}:{node.lineno}"


def is_broad(caught: ast.expr | None) -> bool:
    """Whether a handler of this type catches everything, alone or as one of several."""
    if isinstance(caught, ast.Tuple):
        return any(map(is_broad, caught.elts))
    return caught is None or ast.unparse(caught).removeprefix("builtins.") in BROAD


def paths() -> Iterator[Path]:
    """Every Python file of the repository, and none of an environment or a build."""
    yield from ROOT.glob("*.py")
    for folder in ROOT.iterdir():
        if folder.is_dir() and folder.name not in UNTRACKED and not folder.name.startswith("."):
            yield from folder.rglob("*.py")


def read(path: Path) -> Source:
    """The file as it is now."""
    text = path.read_text("utf-8")
    return Source(path.relative_to(ROOT), text, tuple(ast.walk(ast.parse(text))))


def long_files(sources: list[Source]) -> Iterator[str]:
    """Each file that is too long, with its length."""
    for source in sources:
        if (lines := len(source.text.splitlines())) > LINES_OF_A_FILE:
            yield f"{source.path} has {lines} lines, more than {LINES_OF_A_FILE}"


def long_functions(sources: list[Source]) -> Iterator[str]:
    """Each function that is too long, and the longest ones if all of them together are."""
    functions = sorted((each for source in sources for each in source.functions()), reverse=True)
    for lines, place in functions:
        if lines > LINES_OF_A_FUNCTION:
            yield f"{place} has {lines} lines, more than {LINES_OF_A_FUNCTION}"
    middle = median(lines for lines, _ in functions)
    if middle > LINES_OF_THE_MEDIAN_FUNCTION:
        longest = ", ".join(place for _, place in functions[:10])
        yield f"the median function has {middle} lines; the longest are {longest}"


def many_broad_excepts(sources: list[Source]) -> Iterator[str]:
    """All the broad excepts outside the tests, if they are too many."""
    kept = [source for source in sources if source.path.parts[0] != "tests"]
    places = sorted(place for source in kept for place in source.broad_excepts())
    if len(places) > BROAD_EXCEPTS:
        yield f"{len(places)} excepts catch everything: {', '.join(places)}"


def test_files_and_functions_are_short_and_broad_excepts_few() -> None:
    """No file, function or number of broad excepts is above its limit."""
    sources = [read(path) for path in sorted(paths())]
    offenders = [
        *long_files(sources),
        *long_functions(sources),
        *many_broad_excepts(sources),
    ]
    assert not offenders, "\n".join(offenders)
