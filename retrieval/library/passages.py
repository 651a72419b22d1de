"""Cuts documents into passages: pieces of a size that can be shown, ranked and cited."""

import re
from collections.abc import Iterable, Iterator

from protocol.base import Value

PASSAGE_CHARS = 900
HEADING_CHARS = 300
HEADING = re.compile(r"^(#{1,6})\s+(.+?)\s*#*\s*$")
FENCE = re.compile(r"^\s{0,3}(```+|~~~+)")
BLANK_LINES = re.compile(r"\n\s*\n")
SENTENCE_END = re.compile(r"(?<=[.!?])\s+")


class Passage(Value, frozen=True):
    """A piece of a document; ``place`` is what follows ``#`` in its address, if anything."""

    title: str
    text: str
    place: str = ""


class Section(Value, frozen=True):
    """What stands under one heading; ``headings`` are those above it, outermost first."""

    headings: tuple[str, ...]
    text: str


def markdown_passages(text: str, name: str) -> list[Passage]:
    """Passages that never cross a heading; the headings above one make its title."""
    found = sections(text)
    return [
        Passage(_title(section.headings, name), piece, slug(section.headings))
        for section in found
        for piece in pieces(section.text)
    ]


def text_passages(text: str, name: str) -> list[Passage]:
    """Passages of text without structure, split at blank lines; ``name`` is their title."""
    return [Passage(name, piece) for piece in pieces(text)]


def page_passages(pages: Iterable[str], name: str) -> list[Passage]:
    """Passages that never cross a page; pages count from 1."""
    return [
        Passage(f"{name}, page {number}", piece, f"page={number}")
        for number, page in enumerate(pages, start=1)
        for piece in pieces(page)
    ]


def sections(text: str) -> list[Section]:
    """The parts of a Markdown text between its headings; marks inside code are no headings."""
    found: list[Section] = []
    headings: list[tuple[int, str]] = []
    lines: list[str] = []
    for line, is_code in _with_fences(text):
        match = None if is_code or len(line) > HEADING_CHARS else HEADING.match(line)
        if match is None:
            lines.append(line)
            continue
        found.append(Section(tuple(title for _, title in headings), "\n".join(lines)))
        lines = []
        depth = len(match[1])
        headings = [*(h for h in headings if h[0] < depth), (depth, match[2])]
    found.append(Section(tuple(title for _, title in headings), "\n".join(lines)))
    return found


def _with_fences(text: str) -> Iterator[tuple[str, bool]]:
    fence = ""
    for line in text.splitlines():
        mark = FENCE.match(line)
        if fence:
            yield line, True
            fence = "" if mark and mark[1].startswith(fence) else fence
        else:
            fence = mark[1] if mark else ""
            yield line, bool(mark)


def pieces(text: str) -> list[str]:
    """The text in pieces of at most ``PASSAGE_CHARS``, paragraphs kept whole where they fit."""
    packed: list[str] = []
    for paragraph in BLANK_LINES.split(text.strip()):
        for part in _fitting(paragraph.strip()):
            if packed and len(packed[-1]) + len(part) + 2 <= PASSAGE_CHARS:
                packed[-1] = f"{packed[-1]}\n\n{part}"
            elif part:
                packed.append(part)
    return packed


def _fitting(paragraph: str) -> list[str]:
    """The paragraph, cut at lines, else sentences, else words, else anywhere."""
    if len(paragraph) <= PASSAGE_CHARS:
        return [paragraph]
    for pattern, joint in ((re.compile(r"\n"), "\n"), (SENTENCE_END, " "), (re.compile(" "), " ")):
        parts = pattern.split(paragraph)
        if len(parts) > 1:
            return [whole for part in _packed(parts, joint) for whole in _fitting(part)]
    return [paragraph[at : at + PASSAGE_CHARS] for at in range(0, len(paragraph), PASSAGE_CHARS)]


def _packed(parts: list[str], joint: str) -> list[str]:
    packed = [parts[0]]
    for part in parts[1:]:
        if len(packed[-1]) + len(joint) + len(part) <= PASSAGE_CHARS:
            packed[-1] = f"{packed[-1]}{joint}{part}"
        else:
            packed.append(part)
    return packed


def slug(headings: tuple[str, ...]) -> str:
    """The innermost heading as web servers of Markdown name its place; empty without one."""
    if not headings:
        return ""
    kept = re.sub(r"[^\w\- ]", "", headings[-1].lower())
    return kept.strip().replace(" ", "-")


def _title(headings: tuple[str, ...], name: str) -> str:
    bare = [re.sub(r"[*`_]", "", heading) for heading in headings]
    return " / ".join(bare) or name
