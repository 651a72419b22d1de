"""Blocks of code in an answer that is being written."""

import re

LINE = 2_000  # characters of one line of code that wait at most
BLOCK = 8_000  # of code that could be taken for a picture until its block is closed
INFO = 200
SHORTEST = 3  # mark of a fence
DEEPEST = 3  # spaces ahead of a fence; with more it need not be one
ENDING = re.compile(r" {0,3}(`{3,}|~{3,})[ \t]*")
# What a browser would fetch by itself, where a block is not taken for code before it is closed.
LOADS = re.compile(
    r"!\[|\b(?:src|srcset|poster|data|background|href)\s*=|url\(|<(?:iframe|object|embed|img|image)",
    re.IGNORECASE,
)


class Fences:
    """Knows whether the text is in a fenced block of code.

    Once that is in doubt, as parsers differ there, nothing is taken for such a block any more.
    """

    def __init__(self) -> None:
        self.is_torn = False
        self._mark = ""
        self._indent = 0
        self._is_line_open = False

    @property
    def is_open(self) -> bool:
        """Whether a block has begun and not ended."""
        return bool(self._mark)

    def open(self, lead: str, text: str, ticks: int, *, ended: bool) -> int | None:
        """How much of the text is the line that opens a block.

        Args:
            lead: What stands on the line ahead of the text.
            text: Begins with the mark.
            ticks: The length of the mark.
            ended: Whether nothing follows the text.

        Returns:
            0 where it opens none; ``None`` until more of the line has come.

        """
        line, newline, _ = text[: ticks + INFO].partition("\n")
        if not newline and not ended and len(text) < ticks + INFO:
            return None
        is_plain = not lead.strip(" ") and len(lead) <= DEEPEST
        if self.is_torn or not newline or not is_plain or text[0] in line[ticks:]:
            self.is_torn = True
            return 0
        self._mark, self._indent = text[:ticks], len(lead)
        return len(line) + 1

    def inside(self, text: str, *, ended: bool) -> int | None:
        """How much of the text, which begins with a line of the block, can be said.

        Returns:
            0 where the block turned out to be in doubt, and is none any more; ``None`` until more
            has come.

        """
        size = line_size(text, ended=ended)
        if size is None:
            return None if len(text) < LINE else self._give_up()
        line = text[:size].rstrip("\r\n")
        if self._ends(line):
            self._mark = ""
            return size
        if self._leaves(line):
            return self._give_up()
        if not LOADS.search(line):
            self._is_line_open = not text[:size].endswith("\n")
            return size
        return self._whole(text, ended=ended)

    def ending(self) -> str:
        """The line that ends a block which is still open."""
        mark, self._mark = self._mark, ""
        return f"{chr(10) * self._is_line_open}{' ' * self._indent}{mark}" if mark else ""

    def _ends(self, line: str) -> bool:
        found = ENDING.fullmatch(line)
        return found is not None and found[1].startswith(self._mark)

    def _leaves(self, line: str) -> bool:
        """Whether a line stands further out than the block: that may be in a list, which ends."""
        return bool(line.strip()) and len(line) - len(line.lstrip(" ")) < self._indent

    def _whole(self, text: str, *, ended: bool) -> int | None:
        """The rest of the block at once, so that nobody sees it open."""
        at = 0
        while at < len(text):
            size = line_size(text[at:], ended=ended)
            if size is None:
                break
            line = text[at : at + size].rstrip("\r\n")
            if self._leaves(line):
                return self._give_up()
            at += size
            if self._ends(line):
                self._mark = ""
                return at
            if at > BLOCK:
                return self._give_up()
        if ended:
            self._is_line_open = not text.endswith("\n")
            return len(text)
        return None if len(text) <= BLOCK + LINE else self._give_up()

    def _give_up(self) -> int:
        self.is_torn = True
        self._mark = ""
        return 0


def line_size(text: str, *, ended: bool) -> int | None:
    """The length of the first line with its end; ``None`` until that is there."""
    place = text.find("\n")
    if place >= 0:
        return place + 1 if place < LINE else None
    return len(text) if ended and len(text) <= LINE else None
