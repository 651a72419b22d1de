"""Sentences of Markdown, HTML or plain text, clean enough to be quoted in an answer."""

import html
import re
from collections.abc import Iterator

MOST_CHARS = 420
FEWEST_CHARS = 20
FEWEST_WORDS = 4
FENCED = re.compile(r"^\s{0,3}(```+|~~~+).*?(?:^\s{0,3}\1\s*$|\Z)", re.DOTALL | re.MULTILINE)
SILENT = re.compile(r"<(script|style|noscript)\b.*?(?:</\1\s*>|\Z)", re.DOTALL | re.IGNORECASE)
BLOCK_TAG = re.compile(
    r"</?(?:p|div|li|ul|ol|br|tr|td|th|table|h[1-6]|section)\b[^<>]*>", re.IGNORECASE
)
TAG = re.compile(r"<!--.*?(?:-->|\Z)|<[/!?]?[a-zA-Z][^<>]*>", re.DOTALL)
OPENS_TAG = re.compile(r"<(?=[a-zA-Z/!?])")
# Each of these looks at a sign a few times at most, whatever a page holds.
TARGET = r"\((?:[^()]|\([^()]*\))*\)"
IMAGE = re.compile(rf"!\[[^\[\]]*\]{TARGET}")
LINK = re.compile(rf"\[([^\[\]]*)\](?:{TARGET}|\[[^\[\]]*\])")
DEFINITION = re.compile(r"^[ \t]*\[[^\[\]]+\]:[ \t].*$", re.MULTILINE)
CITATION = re.compile(
    rf"\s?\[\s*(?:\d+(?:\s*[,\u2013-]\s*\d+)*|citation needed|edit)\s*\](?:{TARGET})?",
    re.IGNORECASE,
)
EMPHASIS = re.compile(r"\*{1,3}|(?<!\w)_{1,3}|_{1,3}(?!\w)|~~")
HEADING = re.compile(r"^\s{0,3}#{1,6}\s")
MARK = re.compile(r"^\s*(?:>\s*)*(?:(?:[-*+\u2022\u00b7]|\d{1,3}[.)])\s+(?:\[[ xX]\]\s+)?)?")
STARTS_ITEM = re.compile(r"^\s*(?:(?:[-*+\u2022]|\d{1,3}[.)])\s+|>)")
RULE = re.compile(r"^[\s|:=*_+-]*$")
CLOSING = r"[\"'\u201d\u2019)]*"
OPENING = r"[\"'\u201c\u2018(`]*"
END = re.compile(
    rf"(?<=[.!?\u2026]){CLOSING}\s+(?={OPENING}(?:[^\W\d_a-z]|\d|`))|(?<=[\u3002\uff01\uff1f])"
)
ENDED = re.compile(rf"[.!?:\u2026\u3002\uff01\uff1f]{CLOSING}$")
SHORTENED = re.compile(
    r"\b(?:e\.g|i\.e|etc|vs|cf|approx|no|nr|vol|fig|ca|mr|mrs|ms|dr|prof|st|jr|inc|[A-Z])\.$",
    re.IGNORECASE,
)


def sentences(text: str) -> list[str]:
    """Quotable sentences in their order: on one line, without marks, tags, code and citations.

    Nothing in them can be read as a link, a tag or a citation when they stand in Markdown.
    """
    return [
        sentence
        for block in blocks(without_markup(text))
        for sentence in split(block)
        if len(sentence) >= FEWEST_CHARS and len(sentence.split()) >= FEWEST_WORDS
    ]


def without_markup(text: str) -> str:
    """The text without code blocks, tags, links, pictures and citations."""
    bare = TAG.sub("", BLOCK_TAG.sub("\n", SILENT.sub(" ", FENCED.sub("\n", text))))
    bare = IMAGE.sub("", DEFINITION.sub("", html.unescape(bare)))
    return LINK.sub(r"\1", CITATION.sub("", bare))


def blocks(text: str) -> Iterator[str]:
    """Paragraphs, list items and table rows, each on one line; headings are left out."""
    lines: list[str] = []
    for line in [*text.split("\n"), ""]:
        row = is_row(line)
        ends = row or not line.strip() or RULE.match(line) or HEADING.match(line)
        if lines and (ends or STARTS_ITEM.match(line)):
            yield clean(" ".join(lines))
            lines = []
        if row and not RULE.match(line):
            yield clean(row_text(line))
        elif not ends:
            lines.append(MARK.sub("", line))


def is_row(line: str) -> bool:
    """Whether the line is a row of a Markdown table."""
    return line.strip().startswith("|") and line.count("|") > 1


def row_text(line: str) -> str:
    """A table row as text: the first cell, a colon, the others."""
    first, *others = [cell.strip() for cell in line.strip().strip("|").split("|")]
    return f"{first}: {'; '.join(filter(None, others))}" if others else first


def clean(text: str) -> str:
    """The text on one line, with nothing left that Markdown or HTML would act on.

    Square brackets become round ones, since only our citations may stand in them.
    """
    bare = EMPHASIS.sub("", text).replace("[", "(").replace("]", ")")
    bare = OPENS_TAG.sub("< ", bare)
    bare = bare if bare.count("`") % 2 == 0 else bare.replace("`", "")
    line = " ".join(bare.split()).strip(" \u2026")
    return line.removeprefix("...").removesuffix("...").strip()


def split(block: str) -> list[str]:
    """The sentences of a paragraph, each with a mark at its end and of bearable length."""
    found: list[str] = []
    for part in END.split(block):
        if found and SHORTENED.search(found[-1]):
            found[-1] = f"{found[-1]} {part}"
        elif part.strip():
            found.append(part.strip())
    return [ended(shortened(sentence)) for sentence in found]


def shortened(sentence: str) -> str:
    """At most ``MOST_CHARS`` of it, cut after a word."""
    if len(sentence) <= MOST_CHARS:
        return sentence
    cut = sentence[:MOST_CHARS]
    return f"{cut.rpartition(' ')[0] or cut} \u2026".replace("`", "")


def ended(sentence: str) -> str:
    """The sentence with a full stop where it has no mark at its end."""
    return sentence if ENDED.search(sentence) else f"{sentence.rstrip(' ,;')}."
