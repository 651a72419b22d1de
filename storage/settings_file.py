"""The settings file: ``config.toml`` in the working folder, else in the data folder."""

import re
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import structlog

from protocol.base import Value
from protocol.errors import SettingsError
from storage.setting_fields import Given, SettingField

log = structlog.get_logger()

FILE_NAME = "config.toml"


class SettingsFile(Value, frozen=True):
    """A settings file as it was read; without text where there is none yet."""

    path: Path
    text: str = ""

    def values(self, fields: Iterable[SettingField]) -> dict[str, Given]:
        """What it says, by key.

        Names are read in upper or lower case, those of no setting are ignored and logged, and empty
        text counts as not set. Raises SettingsError for what is no TOML.
        """
        return _matched(self.path, _parsed(self.path, self.text), fields)


def find_file(folders: Sequence[Path]) -> SettingsFile:
    """The first settings file in these folders; one to be made in the last where there is none.

    Raises SettingsError for a file that cannot be read.
    """
    for folder in folders:
        text = _read(folder / FILE_NAME)
        if text is not None:
            return SettingsFile(folder / FILE_NAME, text)
    return SettingsFile(folders[-1] / FILE_NAME)


def _read(path: Path) -> str | None:
    """The text of the file; nothing when there is no such file."""
    try:
        # Some editors put a mark at the beginning; line ends stay as they are.
        with path.open(encoding="utf-8-sig", newline="") as file:
            return file.read()
    except (FileNotFoundError, NotADirectoryError):
        return None
    except UnicodeDecodeError as error:
        raise SettingsError(FILE_NAME, str(path), "the file is not UTF-8 text") from error
    except (OSError, ValueError) as error:
        raise SettingsError(FILE_NAME, str(path), "the file cannot be read") from error


def _parsed(path: Path, text: str) -> dict[str, object]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        found = re.search(r"at line (\d+)", str(error))
        line = found[1] if found else len(text.splitlines())
        raise SettingsError(FILE_NAME, str(path), f"line {line} is not valid TOML") from error
    except (ValueError, RecursionError) as error:  # numbers of a thousand digits, deep nesting
        raise SettingsError(FILE_NAME, str(path), "the file is not valid TOML") from error


def _matched(
    path: Path, document: Mapping[str, object], fields: Iterable[SettingField]
) -> dict[str, Given]:
    # Backwards, since of a setting's names the first that is set counts.
    known = [(name, field.key) for field in fields for name in reversed(field.file_names)]
    names = {name for name, _ in known}
    sections = {name.split()[0] for name in names}
    values: dict[str, object] = {}
    for section, content in document.items():
        values |= _flattened(section.upper(), content, sections)
    unknown = sorted(values.keys() - names)
    if unknown:
        log.warning("settings.unknown", path=str(path), names=unknown)
    return {
        key: Given(f"{FILE_NAME} {name}", values[name])
        for name, key in known
        if values.get(name, "") != ""
    }


def _flattened(section: str, content: object, known: set[str]) -> dict[str, object]:
    """``{"[GENERAL] PORT": 3001}``; a section of no setting is one name."""
    shown = f"[{section}]"
    if shown in known:
        if not isinstance(content, dict):
            raise SettingsError(f"{FILE_NAME} {shown}", "…", "it must be a section of settings")
        return {f"{shown} {str(name).upper()}": value for name, value in content.items()}
    leads_on = any(name.startswith(f"[{section}.") for name in known)
    if not (leads_on and isinstance(content, dict)):
        return {shown: content}
    values: dict[str, object] = {}
    for name, part in content.items():
        values |= _flattened(f"{section}.{str(name).upper()}", part, known)
    return values
