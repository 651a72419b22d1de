"""Settings as given: flags, then the environment, then the settings file, then the defaults."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from protocol.base import Value
from protocol.errors import SettingsError
from protocol.settings import Settings
from storage.setting_fields import MASK, Given, SettingField, declared
from storage.settings_file import SettingsFile, find_file

_SECRET_CHARS = 100_000


class SettingRow(Value, frozen=True):
    """A setting as the README's table shows it."""

    name: str
    env: str
    default: str
    doc: str


def load_settings(
    flags: Mapping[str, object], environ: Mapping[str, str], working_folder: Path
) -> Settings:
    """The settings that hold; raises SettingsError for a value or a file that cannot be used.

    Args:
        flags: What the command line says, by ``SettingField.key``; None is not given.
        environ: The environment; empty text is not given.
        working_folder: Where the program was started; relative paths begin here.

    """
    return Sources(flags, environ, working_folder).read().settings


class Reading(Value, frozen=True):
    """The settings, and the file that they were read from."""

    file: SettingsFile
    settings: Settings


class Sources(Value, frozen=True):
    """All that settings are read from; see ``load_settings``."""

    flags: Mapping[str, object]
    environ: Mapping[str, str]
    working_folder: Path

    def above(self) -> dict[str, Given]:
        """What stands above the file, by key; each with its flag or its variable as its name."""
        return _given(list(declared()), self.flags, self.environ, self.working_folder)

    def read(self, instead: SettingsFile | None = None) -> Reading:
        """The settings as they are given now; with ``instead`` as if that were the file.

        Raises SettingsError for a value or a file that cannot be used.
        """
        fields = list(declared())
        above = self.above()
        [data_dir] = (_value(field, above) for field in fields if field.key == "data_dir")
        file = instead or find_file((self.working_folder, self.working_folder / data_dir))
        given = {**file.values(fields), **above}
        return Reading(file, _built([(field, _value(field, given)) for field in fields]))


def settings_rows() -> list[SettingRow]:
    """Every setting in the order of its declaration."""
    return [_row(field) for field in declared()]


def _given(
    fields: list[SettingField],
    flags: Mapping[str, object],
    environ: Mapping[str, str],
    folder: Path,
) -> dict[str, Given]:
    """What flags and environment say; a flag counts for more."""
    found: dict[str, Given] = {}
    for field in fields:
        given = _from_flags(field, flags) or _from_environment(field, environ, folder)
        if given is not None:
            found[field.key] = given
    return found


def _from_flags(field: SettingField, flags: Mapping[str, object]) -> Given | None:
    value = flags.get(field.key)
    return None if value is None else Given(field.flag, value)


def _from_environment(
    field: SettingField, environ: Mapping[str, str], folder: Path
) -> Given | None:
    for name in field.env_names:
        if text := environ.get(name, "").strip():
            return Given(name, text)
        path = environ.get(f"{name}_FILE", "").strip() if field.secret else ""
        if path and (text := _secret(f"{name}_FILE", folder / path)):
            return Given(f"{name}_FILE", text)
    return None


def _secret(name: str, path: Path) -> str:
    """What a secret's own file holds, without the line break at its end."""
    try:
        with path.open(encoding="utf-8-sig") as file:
            return file.read(_SECRET_CHARS).strip()
    except (OSError, ValueError) as error:
        # Somebody may have put the secret itself where its file's path belongs.
        raise SettingsError(name, MASK, "it must name a readable text file") from error


def _value(field: SettingField, given: Mapping[str, Given]) -> Any:
    return field.typed(given[field.key]) if field.key in given else field.default


def _built(values: list[tuple[SettingField, Any]]) -> Settings:
    """The sections and their whole, made from values that are all of their type."""
    sections: dict[str, dict[str, Any]] = {}
    for field, value in values:
        sections.setdefault(field.section, {})[field.name] = value
    return msgspec.convert(sections, Settings)


def _row(field: SettingField) -> SettingRow:
    files = tuple(f"{name}_FILE" for name in field.env_names if field.secret)
    default = field.default
    shown = ", ".join(map(str, default)) if isinstance(default, tuple) else str(default)
    return SettingRow(
        ", ".join(field.file_names), ", ".join((*field.env_names, *files)), shown, field.doc
    )
