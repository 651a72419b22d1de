"""Further questions are read from whatever a model makes of the format."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retrieval.suggestions import MOST_SUGGESTIONS, parse_suggestions


@pytest.mark.parametrize(
    ("reply", "read"),
    [
        ("<suggestions>\nA?\nB?\n</suggestions>", ("A?", "B?")),
        ("Sure!\n<suggestions>\n\n  1. A?\n- B?\n• C?\n\n</suggestions> Done.", ("A?", "B?", "C?")),
        ("<think><suggestions>no</suggestions></think><suggestions>A?</suggestions>", ("A?",)),
        ("```xml\n<Suggestions>\nA?\n</Suggestions>\n```", ("A?",)),
        ("<suggestions>\nA?\nB?", ("A?", "B?")),
        ("<suggestion>A?</suggestion>\n<suggestion>B?</suggestion>", ("A?", "B?")),
        ("<suggestions><suggestion>A?</suggestion>\n<suggestion>B?</suggestion>", ("A?", "B?")),
        ('<suggestions>\n"A?"\n**B?**\nA?\n</suggestions>', ("A?", "B?")),
        ("<suggestions></suggestions>", ()),
        ("no tags here", ()),
        ("", ()),
        (f"<suggestions>\n{'x' * 301}\nA?\n</suggestions>", ("A?",)),
    ],
)
def test_reply(reply: str, read: tuple[str, ...]) -> None:
    """One a line, without marks of lists; nothing where there are no tags."""
    assert parse_suggestions(reply) == read


@given(st.text(alphabet="<>/sugetion A?\n-1.*`"))
def test_any_reply_can_be_read(reply: str) -> None:
    """At most ten, none of them empty, each once."""
    read = parse_suggestions(f"<suggestions>{reply}")
    assert len(read) == len(set(read)) <= MOST_SUGGESTIONS
    assert all(line.strip() for line in read)
