"""Tags of HTML in an answer that is being written: a few plain ones stay, nothing else does."""

import re
from typing import NamedTuple

HOLD = 500  # characters of one tag that wait at most
SHORT = 3  # characters that tell whether it may be a tag
NAME = re.compile(r"</?([A-Za-z][A-Za-z0-9-]*+)(?=([\s\S]))")
KEPT = re.compile(r"</?(?:b|i|em|strong|sub|sup|kbd|br|u|s|del|mark|small)\s*/?>", re.IGNORECASE)
PLAIN = re.compile(r"</?[A-Za-z][A-Za-z0-9-]*\s*/?>")
HTML = re.compile(
    r"""a|abbr|address|animate|applet|area|article|aside|audio|b|base|basefont|bdi|bdo|blockquote
    |body|br|button|canvas|caption|center|cite|code|col|colgroup|data|datalist|dd|del|details|dfn
    |dialog|dir|div|dl|dt|em|embed|feimage|fieldset|figcaption|figure|font|footer|foreignobject|form
    |frame|frameset|h[1-6]|head|header|hr|html|i|iframe|image|img|input|ins|kbd|label|legend|li|link
    |main|map|mark|marquee|math|menu|meta|meter|nav|noembed|noframes|noscript|object|ol|optgroup
    |option|output|p|param|picture|plaintext|portal|pre|progress|q|rp|rt|ruby|s|samp|script|search
    |section|select|slot|small|source|span|strong|style|sub|summary|sup|svg|table|tbody|td|template
    |textarea|tfoot|th|thead|time|title|tr|track|tt|u|ul|use|var|video|wbr|xmp""",
    re.VERBOSE | re.IGNORECASE,
)
SIGN = "&lt;"


class Step(NamedTuple):
    """So many characters are done with, and this is said in their place."""

    taken: int
    said: str


def tag_step(text: str, *, ended: bool, is_first: bool) -> Step | None:
    """What becomes of a text that begins with ``<``; ``None`` until more of it has come.

    Args:
        text: What is known so far.
        ended: Whether nothing follows it.
        is_first: Whether it stands at the beginning of its line.

    """
    short = text[:HOLD]
    if len(text) < SHORT and not ended:
        return None
    if not re.match(r"</?[A-Za-z]", short):
        return Step(1, SIGN if short[1:2] in {"!", "?"} else "<")
    name = NAME.match(short + " " * ended)
    end = re.search(r"[<>]", short[1:])
    if name is not None and name[2] not in " \t\r\n/>:":
        return Step(1, "<")
    if name is None or end is None:
        return None if len(text) < HOLD and not ended else Step(1, SIGN)
    return whole_tag(text[: end.end() + 1], name[1], is_first=is_first)


def whole_tag(tag: str, name: str, *, is_first: bool) -> Step:
    """What becomes of a text in angle brackets, of which the second may be open again."""
    if KEPT.fullmatch(tag) and not is_first:
        return Step(len(tag), tag)
    is_html = HTML.fullmatch(name) is not None
    is_plain = PLAIN.fullmatch(tag) is not None
    if is_html and tag.endswith(">") and (is_plain or "=" in tag):
        return Step(len(tag), " ")
    return Step(1, SIGN if is_html or is_first or not is_plain else "<")
