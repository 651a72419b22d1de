"""Changes of a settings file's text."""

import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol.errors import SettingsNotSaved
from storage.settings_text import Change, changed_text

FILE = """# My settings
[GENERAL]
PORT = 3_001 # the port

[API_KEYS]
OPENAI = "old" # the key
GROQ = ""

# where things are
[API_ENDPOINTS]
SEARXNG = 'http://s'
"""


def changed(text: str, section: str, name: str, value: str) -> str:
    """The text with one change."""
    return changed_text(text, [Change(section, name, value)])


def test_only_the_value_changes() -> None:
    """Comments, order, numbers and quotes of all else stay as they were."""
    assert changed(FILE, "api_keys", "openai", "new") == FILE.replace('"old"', '"new"')


def test_removed_setting_keeps_its_line() -> None:
    """Empty text counts as not set; the comment beside it stays."""
    assert changed(FILE, "api_keys", "openai", "") == FILE.replace('"old"', '""')


def test_new_setting_is_added_under_its_section() -> None:
    """At the end of the section, if there is one."""
    text = changed(FILE, "api_keys", "anthropic", "a")
    assert tomllib.loads(text)["API_KEYS"] == {"OPENAI": "old", "GROQ": "", "ANTHROPIC": "a"}
    assert text.replace('ANTHROPIC = "a"\n', "") == FILE


def test_new_section_is_added_at_the_end() -> None:
    """What stood there stays in front of it."""
    text = changed(FILE, "custom_openai", "api_url", "u")
    assert text.startswith(FILE)
    assert tomllib.loads(text)["CUSTOM_OPENAI"] == {"API_URL": "u"}


def test_nothing_is_added_to_be_empty() -> None:
    """To remove what is not there changes nothing."""
    assert changed(FILE, "api_keys", "anthropic", "") == FILE
    assert changed("", "api_keys", "anthropic", "") == ""


@pytest.mark.parametrize(
    "text",
    [
        '[api_keys]\nopenai = "old"\n',
        'API_KEYS.OPENAI = "old"\n',
        'API_KEYS = {OPENAI = "old"}\n',
        '[API_KEYS]\r\nOPENAI = "old" # c\r\n',
        '[API_KEYS]\n[GENERAL]\n[api_keys]\nOPENAI = "old"\n',
        '[API_KEYS]\nOPENAI = "first"\nopenai = "old"\n',
        "[API_KEYS]\nOPENAI = 1\n",
    ],
)
def test_setting_is_found_however_it_is_written(text: str) -> None:
    """Any case, dotted, inline, in a section that comes twice: the value that counts changes."""
    new = changed(text, "api_keys", "openai", "new")
    assert '"new"' in new
    assert '"old"' not in new
    assert new.count("\n") == text.count("\n")


@pytest.mark.parametrize("text", ["[API_KEYS\n", "API_KEYS = 1\n", "[[API_KEYS]]\n"])
def test_text_that_cannot_be_changed_is_refused(text: str) -> None:
    """Nothing is guessed where the file is not as it must be."""
    with pytest.raises(SettingsNotSaved):
        changed(text, "api_keys", "openai", "new")


@given(st.text(st.characters(exclude_categories=["Cc", "Cs"]), min_size=1))
def test_any_value_reads_as_it_was_given(value: str) -> None:
    """Quotes, backslashes, hashes and brackets in a value stay in the value."""
    text = changed(FILE, "api_keys", "openai", value)
    assert tomllib.loads(text)["API_KEYS"]["OPENAI"] == value
