"""Changes the text of a settings file, and nothing in it but that: the only home of tomlkit."""

from collections.abc import Iterable, MutableMapping
from typing import Any

import msgspec
import tomlkit
from tomlkit.exceptions import TOMLKitError

from protocol.base import Value
from protocol.errors import SettingsNotSaved

Table = MutableMapping[str, Any]


class Change(Value, frozen=True):
    """A setting and the text it is to have; empty to remove it. A dot leads to an inner section."""

    section: str
    name: str
    text: str


def changed_text(text: str, changes: Iterable[Change]) -> str:
    """The text with the changes made; comments, order and all else stay.

    A setting is changed where it stands, whatever the case of its names, else it is added under its
    section. What becomes empty keeps its line, and is not added where there is none.

    Raises:
        SettingsNotSaved: The text is written in a way that cannot be changed.

    """
    try:
        document = tomlkit.parse(text)
        for change in changes:
            _make(change, document)
        return tomlkit.dumps(document)
    except (TOMLKitError, ValueError, TypeError, RecursionError) as error:
        raise SettingsNotSaved("its file cannot be changed as it is written") from error


def _make(change: Change, document: Table) -> None:
    outer, dot, rest = change.section.partition(".")
    if dot:
        for name in _named(document, outer):
            _make(msgspec.structs.replace(change, section=rest), document[name])
        return
    sections = _named(document, change.section)
    for section in sections:
        for name in _named(document[section], change.name):
            document[section][name] = change.text
            return
    if change.text:
        _add(change, document, sections)


def _add(change: Change, document: Table, sections: list[str]) -> None:
    name = sections[0] if sections else change.section.upper()
    if not sections:
        document[name] = tomlkit.table()
    document[name][change.name.upper()] = change.text


def _named(table: Table, name: str) -> list[str]:
    """The keys that read as this name, the last first: that is the one that counts."""
    if not isinstance(table, MutableMapping):
        raise TypeError
    return [key for key in table if key.lower() == name][::-1]
