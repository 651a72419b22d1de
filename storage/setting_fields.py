"""The declared settings one by one: their names, and what each may be, in plain words."""

from collections.abc import Callable, Iterator, Mapping
from functools import cache
from typing import Any, get_type_hints

import msgspec
from msgspec import inspect

from protocol.base import Value
from protocol.errors import SettingsError
from protocol.settings import Settings

_PREFIX = "PERPLEXICA_"
MASK = "***"


class Given(Value, frozen=True):
    """A value as somebody gave it, with the name it was given under."""

    name: str
    value: object


class SettingField(Value, frozen=True):
    """One setting; ``kind`` is its type as msgspec describes it, ``annotation`` as Python does."""

    section: str
    name: str
    annotation: Any
    kind: inspect.Type
    default: object
    doc: str
    aliases: tuple[str, ...]
    also: tuple[str, ...]
    secret: bool

    @property
    def key(self) -> str:
        """Name without its section where that is GENERAL: ``port``, ``search_language``."""
        return self.name if self.section == "general" else f"{self.section}_{self.name}"

    @property
    def flag(self) -> str:
        """Name on the command line."""
        return f"--{self.key.replace('_', '-')}"

    @property
    def env_names(self) -> tuple[str, ...]:
        """Names in the environment; the first that is set counts."""
        return (f"{_PREFIX}{self.key.upper()}", *self.aliases)

    @property
    def file_name(self) -> str:
        """Name in the settings file."""
        return f"[{self.section.upper()}] {self.name.upper()}"

    @property
    def file_names(self) -> tuple[str, ...]:
        """All names in the settings file; the first that is set counts."""
        return (self.file_name, *self.also)

    @property
    def places(self) -> list[tuple[str, str]]:
        """Section and name of each of ``file_names``, in lower case."""
        split = (name.lower().removeprefix("[").partition("] ") for name in self.file_names)
        return [(section, name) for section, _, name in split]

    def typed(self, given: Given) -> Any:
        """The value in its type; raises SettingsError, which masks a secret."""
        value = given.value
        if isinstance(value, str):
            value = _READ_TEXT.get(type(self.kind), _plain)(value.strip(), self.kind)
        try:
            return msgspec.convert(value, self.annotation, strict=False)
        except msgspec.ValidationError as error:
            shown = MASK if self.secret else given.value
            raise SettingsError(given.name, shown, f"it must be {in_words(self.kind)}") from error


@cache
def declared() -> tuple[SettingField, ...]:
    """Every setting in the order of its declaration."""
    return tuple(_declared())


def _declared() -> Iterator[SettingField]:
    for section in _fields_of(Settings):
        assert isinstance(section.type, inspect.StructType)
        hints = get_type_hints(section.type.cls, include_extras=True)
        for field in section.type.fields:
            yield _setting(section.name, field, hints[field.name])


def in_words(kind: inspect.Type) -> str:
    """What a value of this type may be: ``a whole number from 0 to 65535``."""
    return _WORDS[type(kind)](kind)


def _fields_of(struct: type) -> tuple[inspect.Field, ...]:
    info = inspect.type_info(struct)
    assert isinstance(info, inspect.StructType)
    return info.fields


def _setting(section: str, field: inspect.Field, annotation: Any) -> SettingField:
    described = field.type
    assert isinstance(described, inspect.Metadata)
    said, extra = described.extra_json_schema or {}, described.extra or {}
    return SettingField(
        section,
        field.name,
        annotation,
        described.type,
        field.default,
        said["description"],
        extra["env"],
        extra["also"],
        extra["secret"],
    )


def _plain(text: str, _kind: inspect.Type) -> object:
    return text


def _lower(text: str, _kind: inspect.Type) -> object:
    return text.lower()


def _split(text: str, kind: inspect.Type) -> object:
    """The items of a list that stands in one text, separated by commas."""
    assert isinstance(kind, inspect.VarTupleType)
    read = _READ_TEXT.get(type(kind.item_type), _plain)
    return [read(item.strip(), kind.item_type) for item in text.split(",") if item.strip()]


_READ_TEXT: Mapping[type, Callable[[str, Any], object]] = {
    inspect.LiteralType: _lower,
    inspect.VarTupleType: _split,
}

_WORDS: Mapping[type, Callable[[Any], str]] = {
    inspect.StrType: lambda kind: (
        "an address that begins with http:// or https://" if kind.pattern else "text"
    ),
    inspect.IntType: lambda kind: f"a whole number from {kind.ge} to {kind.le}",
    inspect.FloatType: lambda kind: f"a number above {kind.gt:g} and up to {kind.le:g}",
    inspect.LiteralType: lambda kind: f"one of {', '.join(map(str, kind.values))}",
    inspect.VarTupleType: lambda kind: f"a list, each item {in_words(kind.item_type)}",
}
