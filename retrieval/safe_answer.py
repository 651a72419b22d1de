"""Takes what could lead a reader astray out of an answer while it is written.

Whoever wrote a page may have told the model what to write. A picture would be fetched by the
reader's browser, and a link tells its host what stands in it; so an answer has no pictures, no
HTML beyond a few plain tags, and links to known hosts only. What is changed stays readable:
``[text](https://foreign/)`` becomes ``[text]``, ``https://foreign/`` becomes ``https: //foreign/``.
"""

import re
from collections.abc import Callable
from typing import ClassVar

from retrieval.fences import SHORTEST, Fences
from retrieval.html_tags import Step, tag_step
from retrieval.known_hosts import KnownHosts

HOLD = 2_048  # characters that wait at most until it is clear what they are
CODE_HOLD = 500
PART = 1_000  # of a long piece that is looked at together
# Where something may begin. A dot counts behind ``www``, which may have come before this text.
INTERESTING = re.compile(r"[:!\]\[<`~\\\n&]|(?:(?<=[wW])|\A)\.")
CONTAINERS = " \t>*+-.)0123456789"  # what may stand on a line ahead of its content
CITED = re.compile(r"!+\[\d{1,3}\](?=[^(])")
PART_OF_CITED = re.compile(r"!+(?:\[(?:\d{1,3}\]?)?)?\Z")
TARGET = re.compile(r"\]\(\s*<?([^\s<>]*)>?(?:\s+(?:\"[^\"]*\"|'[^']*'))?\s*\)\Z")
IN_TARGET = re.compile(r"[()]|\]\(|\\.|\n[ \t]*\n", re.DOTALL)
FAR = re.compile(r"[:\\&]|//")
COLON = re.compile(r"&(?:#0{0,5}58|#x0{0,5}3a|colon);?", re.IGNORECASE)
PART_OF_COLON = re.compile(r"&(?:#\w{0,8}|c(?:o(?:l(?:on?)?)?)?)?\Z", re.IGNORECASE)
# A host name, and what follows it: with an @ there, that is the host.
AUTHORITY = re.compile(r"://([^\s/?#\\@:<>\"'`()\[\]{}|^]*+)(?::\d{0,5}+)?+([^\s/?#<]*+)(?=[\s\S])")
WWW = re.compile(r"\.([\w.-]++)([^\s/?#<]*+)(?=[\s\S])")
HAS_PATH = re.compile(r"\w+://[^/?#]*[/?#]")
ADDRESS_TAG = re.compile(r"<(https?://[^\s<>]*)>", re.IGNORECASE)
# The cell of a table would end here, or a link that began ahead of the code.
UNSURE_CODE = re.compile(r"\||\A[^\[]*\]\(")
RISKY_CODE = re.compile(r"://|//|\]\(|!\[|<|www\.|&", re.IGNORECASE)


class SafeAnswer:
    """Filters an answer piece by piece; how it is cut into pieces makes no difference."""

    def __init__(self, hosts: KnownHosts) -> None:
        self._hosts = hosts
        self._held = ""
        self._tail = ""  # the last that was said
        self._lead: str | None = ""  # of the line, while nothing but containers has come
        self._is_label = False  # the paragraph has a bracket that may name a link
        self._is_torn = False  # the paragraph has a sign of code without its other half
        self._fences = Fences()

    def feed(self, piece: str) -> str:
        """What can be said now."""
        if not self._held and not self._fences.is_open and not INTERESTING.search(piece):
            self._note(piece)
            return piece
        parts = (piece[at : at + PART] for at in range(0, len(piece), PART))
        return "".join(self._run(self._held + part, ended=False) for part in parts)

    def finish(self) -> str:
        """What was held back, and the end of a block of code that has none."""
        return self._run(self._held, ended=True) + self._fences.ending()

    def _run(self, text: str, *, ended: bool) -> str:
        out: list[str] = []
        at = 0
        self._held = ""
        while at < len(text):
            step = self._step(text[at:] if at else text, ended=ended)
            if step is None:
                self._held = text[at:]
                break
            self._note(step.said)
            out.append(step.said)
            at += step.taken
        return "".join(out)

    def _step(self, text: str, *, ended: bool) -> Step | None:
        """What becomes of how the text begins; ``None`` until more of it is known."""
        if self._fences.is_open:
            size = self._fences.inside(text, ended=ended)
            if size is None:
                return None
            if size:
                return Step(size, text[:size])
        found = INTERESTING.search(text)
        start = found.start() if found else len(text)
        if start:
            return Step(start, text[:start])
        return self._rules[text[0]](self, text, ended)

    def _note(self, said: str) -> None:
        """Remember where in its line and paragraph the text is."""
        if not said:
            return
        self._tail = (self._tail + said)[-8:]
        line = said.rpartition("\n")[2]
        lead = line if "\n" in said else None if self._lead is None else self._lead + line
        is_lead = lead is not None and not lead.strip(CONTAINERS) and len(lead) < CODE_HOLD
        self._lead = lead if is_lead else None

    def _newline(self, _text: str, _ended: bool) -> Step:
        if self._lead is not None and not self._lead.strip():
            self._is_label = self._is_torn = False
        return Step(1, "\n")

    def _bracket(self, _text: str, _ended: bool) -> Step:
        self._is_label = self._is_label or self._lead is not None
        return Step(1, "[")

    def _backslash(self, text: str, ended: bool) -> Step | None:
        if len(text) == 1 and not ended:
            return None
        return Step(2, text[:2]) if text[1:2] in {"\\", "`"} else Step(1, "\\")

    def _exclamation(self, text: str, ended: bool) -> Step | None:
        """No picture; but a citation behind an exclamation mark stays."""
        marks = same_at_start(text)
        if marks == CODE_HOLD:
            return Step(1, "")
        if not ended and PART_OF_CITED.match(text):
            return None
        if text[marks : marks + 1] != "[" or CITED.match(text + " " * ended):
            return Step(marks, text[:marks])
        return Step(marks, "")

    def _closing(self, text: str, ended: bool) -> Step | None:
        if len(text) == 1 and not ended:
            return None
        if text[1:2] == ":" and self._is_label:  # no definition of a link
            return Step(2, "] ")
        return self._target(text, ended) if text[1:2] == "(" else Step(1, "]")

    def _target(self, text: str, ended: bool) -> Step | None:
        """A link keeps its target where that is known; else its text alone stays."""
        size = closed_at(text[:HOLD])
        if size is None:
            return None if len(text) < HOLD and not ended else Step(1, "] ")
        found = TARGET.match(text[:size])
        if found is None:
            return Step(1, "] ")
        if self._hosts.admits(found[1]):
            return Step(size, f"]({ended_host(found[1])})")
        return Step(size, "]") if FAR.search(found[1]) else Step(1, "] ")

    def _colon(self, text: str, ended: bool) -> Step | None:
        if not ended and "://".startswith(text):
            return None
        if not text.startswith("://"):
            return Step(1, ":")
        return self._authority(AUTHORITY, text, ended) or self._unless_long(text, ended, ": ")

    def _dot(self, text: str, ended: bool) -> Step | None:
        if not self._tail.lower().endswith("www"):
            return Step(1, ".")
        if not ended and text == ".":
            return None
        if not re.match(r"\.\w", text):
            return Step(1, ".")
        return self._authority(WWW, text, ended) or self._unless_long(text, ended, " .")

    def _authority(self, pattern: re.Pattern[str], text: str, ended: bool) -> Step | None:
        """The host name that stands here, if it is clear where it ends and it is known."""
        found = pattern.match(begin(text, ended=ended))
        if found is None:
            return None
        is_web = pattern is WWW or self._tail.lower().endswith(("http", "https"))
        is_whole = "@" not in found[2] and not found[2].startswith((":", "\\"))
        if is_web and is_whole and self._hosts.has(found[1]):
            return Step(found.start(2), text[: found.start(2)])
        return Step(1, ": " if pattern is AUTHORITY else " .")

    def _unless_long(self, text: str, ended: bool, said: str) -> Step | None:
        return None if len(text) < HOLD and not ended else Step(1, said)

    def _ampersand(self, text: str, ended: bool) -> Step | None:
        """No colon in disguise."""
        if not ended and PART_OF_COLON.match(text):
            return None
        found = COLON.match(text)
        return Step(found.end(), ": ") if found else Step(1, "&")

    def _less(self, text: str, ended: bool) -> Step | None:
        """No HTML but plain tags; an address in angle brackets where it is known."""
        link = ADDRESS_TAG.match(text[:HOLD])
        if link is not None and self._hosts.admits(link[1]):
            return Step(link.end(), f"<{ended_host(link[1])}>")
        # A line that begins with a tag may be HTML as a whole.
        return tag_step(text, ended=ended, is_first=self._lead is not None)

    def _code(self, text: str, ended: bool) -> Step | None:
        """Code stays as it is, where every reader of Markdown would take it for code."""
        ticks = same_at_start(text)
        if ticks == CODE_HOLD:
            self._is_torn = True
            return Step(1, text[0])
        if ticks == len(text) and not ended:
            return None
        if ticks >= SHORTEST and self._lead is not None:
            self._fences.is_torn |= self._is_torn
            opened = self._fences.open(self._lead, text, ticks, ended=ended)
            if opened is None or opened:
                return None if opened is None else Step(opened, text[:opened])
        if text[0] == "~":
            return Step(ticks, text[:ticks])
        return self._span(text, ticks, ended)

    def _span(self, text: str, ticks: int, ended: bool) -> Step | None:
        line, newline, _ = text[: ticks + CODE_HOLD].partition("\n")
        end = re.compile(rf"(?<!`)`{{{ticks}}}(?!`)").search(line, ticks)
        is_whole = bool(newline) or len(text) >= ticks + CODE_HOLD or ended
        if not is_whole and (end is None or end.end() == len(line)):
            return None
        if end is not None:
            code = line[ticks : end.start()]
            is_torn = self._is_torn or self._fences.is_torn
            is_sure = not (is_torn or UNSURE_CODE.search(code))
            if is_sure or not RISKY_CODE.search(code):
                return Step(end.end(), line[: end.end()])
        self._is_torn = True
        return Step(ticks, text[:ticks])

    _rules: ClassVar[dict[str, Callable[["SafeAnswer", str, bool], Step | None]]] = {
        "\n": _newline,
        "[": _bracket,
        "\\": _backslash,
        "!": _exclamation,
        "]": _closing,
        ":": _colon,
        ".": _dot,
        "&": _ampersand,
        "<": _less,
        "`": _code,
        "~": _code,
    }


def closed_at(text: str) -> int | None:
    """Where the bracket of a link's target is closed, counted from its ``](``.

    0 where it is none: another begins in it, or the paragraph ends; ``None`` until that is known.
    """
    depth = 0
    for found in IN_TARGET.finditer(text, 1):
        if found[0][0] in "\n]":
            return 0
        depth += {"(": 1, ")": -1}.get(found[0], 0)
        if depth == 0:
            return found.end()
    return None


def ended_host(address: str) -> str:
    """The address with a slash behind a bare host, so that nothing can follow that host."""
    return address if HAS_PATH.match(address) else f"{address}/"


def same_at_start(text: str) -> int:
    """How many of its first characters are the same, up to ``CODE_HOLD``."""
    start = text[:CODE_HOLD]
    return len(start) - len(start.lstrip(start[0]))


def begin(text: str, *, ended: bool) -> str:
    """As much of the text as is looked at, with a blank behind a text that is whole."""
    return text[:HOLD] + " " * (ended and len(text) < HOLD)
