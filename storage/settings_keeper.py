"""The settings in force, and how they are changed while the program runs."""

import asyncio
import os
import secrets
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from pathlib import Path

import msgspec
import structlog

from protocol.errors import SettingRefused, SettingsError, SettingsNotSaved
from protocol.settings import Settings
from storage.bound_keys import HeldSetting, outdated
from storage.setting_fields import Given, SettingField, declared, in_words
from storage.settings import Reading, Sources
from storage.settings_file import SettingsFile

log = structlog.get_logger()

# What can change while the program runs; all else stays as it was at the start.
LIVE = ("api_keys", "api_endpoints", "custom_openai", "search")
_MODE = 0o600


class SettingsKeeper:
    """Knows the settings in force, and changes the settings file one change at a time."""

    def __init__(
        self,
        sources: Sources,
        settings: Settings,
        *,
        offload: Callable[[Callable[[], Reading]], Awaitable[Reading]],
        apply: Callable[[Settings], Awaitable[None]],
    ) -> None:
        """Begin with what was read at the start.

        Args:
            sources: Where the settings came from.
            settings: What is in force.
            offload: Runs what blocks in a thread.
            apply: Brings new settings into force.

        """
        self._sources = sources
        self._settings = settings
        self._offload = offload
        self._apply = apply
        self._fields = {field.key: field for field in declared() if field.section in LIVE}
        self._fixed = {key: given.name for key, given in sources.above().items()}
        self._one_at_a_time = asyncio.Lock()
        self._changing: set[asyncio.Task[list[str]]] = set()

    def held(self, key: str) -> HeldSetting:
        """The setting of that key, one of those that can change while the program runs."""
        field = self._fields[key]
        text = str(getattr(getattr(self._settings, field.section), field.name))
        return HeldSetting(text, field.secret, self._fixed.get(key, ""))

    async def change(self, wanted: Mapping[str, str]) -> list[str]:
        """Keep these texts in the settings file, and bring them into force; empty text removes.

        What is in force already is left as it is, wherever it came from. Changes that come together
        are made one after the other, each on top of the one before; a change that has begun is
        made also when its asker leaves. A key whose address changes is removed with it, unless it
        is among what is wanted.

        Args:
            wanted: Texts by the keys of settings that are ``held``.

        Returns:
            The settings that were removed though nobody asked for it.

        Raises:
            SettingRefused: An address changes, and its key cannot be removed; nothing is changed.
            SettingRefused: A setting cannot have this value; nothing is changed.
            SettingsNotSaved: The file cannot be read, changed or written.

        """
        task = asyncio.create_task(self._change(wanted))
        self._changing.add(task)
        task.add_done_callback(self._changing.discard)
        return await asyncio.shield(task)

    async def close(self) -> None:
        """Wait for the changes that have begun."""
        if self._changing:
            await asyncio.wait(self._changing)

    async def _change(self, wanted: Mapping[str, str]) -> list[str]:
        async with self._one_at_a_time:
            dropped = outdated(wanted, self.held)
            new = {key: text for key, text in wanted.items() if text != self.held(key).text}
            new |= dict.fromkeys(dropped, "")
            if not new:
                return []
            for key, text in new.items():
                _check(self._fields[key], text)
            reading = await self._offload(partial(self._save, new))
            sections = {name: getattr(reading.settings, name) for name in LIVE}
            self._settings = msgspec.structs.replace(self._settings, **sections)
            await self._apply(self._settings)
        log.info("settings.changed", names=sorted(new))
        return dropped

    def _save(self, texts: Mapping[str, str]) -> Reading:
        """Write the file; the settings as they are then. Blocks."""
        from storage.settings_text import Change, changed_text  # noqa: PLC0415 - first when used

        old = _read(self._sources).file
        fields = [(self._fields[key], text) for key, text in texts.items()]
        # Under its further names it is emptied: what is removed would come back from there.
        changes = [
            Change(section, name, "" if further else text)
            for field, text in fields
            for further, (section, name) in enumerate(field.places)
        ]
        new = SettingsFile(old.path, changed_text(old.text, changes))
        reading = _read(self._sources, new)
        write_whole(new.path, new.text)
        return reading


def _check(field: SettingField, text: str) -> None:
    try:
        field.typed(Given(field.file_name, text))
    except SettingsError as error:
        raise SettingRefused(field.file_name, in_words(field.kind)) from error


def _read(sources: Sources, instead: SettingsFile | None = None) -> Reading:
    try:
        return sources.read(instead)
    except SettingsError as error:
        # The error itself names paths of this machine: those are for its owner.
        log.warning("settings.unreadable", problem=str(error))
        raise SettingsNotSaved("what stands in its file cannot be used") from error


def write_whole(path: Path, text: str) -> None:
    """Put the text in the place of the file: after a power cut it is the old or the new one.

    Only its owner can read the file then. Raises SettingsNotSaved.
    """
    try:
        place = path.resolve()
        place.parent.mkdir(parents=True, exist_ok=True)
        beside = place.with_name(f".{place.name}.{secrets.token_hex(6)}")
        try:
            _write_new(beside, text)
            beside.replace(place)
        finally:
            beside.unlink(missing_ok=True)
        _sync_folder(place.parent)
    except (OSError, RuntimeError) as error:  # links in a circle: RuntimeError
        log.warning("settings.unwritten", path=str(path), problem=type(error).__name__)
        raise SettingsNotSaved("its file cannot be written") from error


def _write_new(path: Path, text: str) -> None:
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, _MODE)
    with os.fdopen(handle, "wb") as file:
        file.write(text.encode())
        file.flush()
        os.fsync(file.fileno())


def _sync_folder(folder: Path) -> None:
    """Make the new name in the folder outlive a power cut too."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
