"""Settings that are changed while the program runs."""

import asyncio
import stat
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import TypeVar

import pytest

from protocol.errors import SettingRefused, SettingsNotSaved
from protocol.settings import Settings
from storage.settings import Sources, load_settings
from storage.settings_keeper import SettingsKeeper, write_whole

T = TypeVar("T")

OPENAI, GROQ = "api_keys_openai", "api_keys_groq"


class Place:
    """A keeper over a folder, and the settings that it has brought into force."""

    def __init__(self, folder: Path, environ: Mapping[str, str] | None = None) -> None:
        self.folder = folder
        self.applied: list[Settings] = []
        self.sources = Sources({}, environ or {}, folder)
        self.keeper = SettingsKeeper(
            self.sources, self.sources.read().settings, offload=self._offload, apply=self._apply
        )
        self.began = asyncio.Event()

    @property
    def text(self) -> str:
        """What the file in the working folder says."""
        return (self.folder / "config.toml").read_text("utf-8")

    def _offload(self, work: Callable[[], T]) -> Awaitable[T]:
        self.began.set()
        return asyncio.to_thread(work)

    async def _apply(self, settings: Settings) -> None:
        self.applied.append(settings)


def written(folder: Path, text: str) -> Path:
    """A folder with this settings file in it."""
    (folder / "config.toml").write_text(text, "utf-8")
    return folder


async def test_change_is_kept_and_in_force(tmp_path: Path) -> None:
    """The file has it, the next start reads it, and it is brought into force at once."""
    place = Place(written(tmp_path, "[API_KEYS]\nGROQ = 'g' # mine\n"))
    await place.keeper.change({OPENAI: "new"})
    assert place.text == "[API_KEYS]\nGROQ = 'g' # mine\nOPENAI = \"new\"\n"
    [applied] = place.applied
    assert applied == load_settings({}, {}, tmp_path)
    assert (applied.api_keys.openai, applied.api_keys.groq) == ("new", "g")
    assert place.keeper.held(OPENAI).text == "new"


@pytest.mark.parametrize(("text", "kept"), [("new", '"new"'), ("", "")])
async def test_older_name_in_the_file_is_emptied(tmp_path: Path, text: str, kept: str) -> None:
    """Else what is removed would come back from there; comments stay."""
    place = Place(written(tmp_path, '[MODELS.OPENAI]\nAPI_KEY = "old" # mine\n'))
    assert place.keeper.held(OPENAI).text == "old"
    await place.keeper.change({OPENAI: text})
    assert load_settings({}, {}, tmp_path).api_keys.openai == text
    assert place.text.startswith('[MODELS.OPENAI]\nAPI_KEY = "" # mine\n')
    assert kept in place.text


async def test_without_a_file_one_is_made_in_the_data_folder(tmp_path: Path) -> None:
    """Also where that folder is still missing; only its owner can read it."""
    place = Place(tmp_path)
    await place.keeper.change({OPENAI: "new"})
    path = tmp_path / "data" / "config.toml"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert load_settings({}, {}, tmp_path).api_keys.openai == "new"
    assert list(path.parent.iterdir()) == [path]


async def test_what_is_in_force_is_not_written(tmp_path: Path) -> None:
    """A web UI that sends all settings back as they are leaves the file alone."""
    place = Place(tmp_path, {"OPENAI_API_KEY": "from outside"})
    await place.keeper.change({OPENAI: "from outside", GROQ: ""})
    assert not (tmp_path / "data").exists()
    assert place.applied == []


async def test_environment_stays_in_force_above_the_file(tmp_path: Path) -> None:
    """The change waits in the file; what decides is named."""
    place = Place(tmp_path, {"OPENAI_API_KEY": "from outside"})
    await place.keeper.change({OPENAI: "new"})
    held = place.keeper.held(OPENAI)
    assert (held.text, held.secret, held.fixed_by) == ("from outside", True, "OPENAI_API_KEY")
    assert load_settings({}, {}, tmp_path).api_keys.openai == "new"
    assert place.keeper.held(GROQ).fixed_by == ""


async def test_changes_at_once_are_all_kept(tmp_path: Path) -> None:
    """Each is made on top of the one before."""
    place = Place(tmp_path)
    names = ("openai", "groq", "anthropic", "gemini", "deepseek", "mistral", "openrouter")
    await asyncio.gather(*(place.keeper.change({f"api_keys_{name}": name}) for name in names))
    keys = load_settings({}, {}, tmp_path).api_keys
    assert [getattr(keys, name) for name in names] == list(names)
    assert place.applied[-1].api_keys == keys


async def test_change_whose_asker_leaves_is_still_made(tmp_path: Path) -> None:
    """A client that closes its connection leaves file and program agreeing."""
    place = Place(tmp_path)
    asking = asyncio.create_task(place.keeper.change({OPENAI: "new"}))
    await place.began.wait()
    asking.cancel()
    await asyncio.wait([asking])
    await place.keeper.close()
    assert asking.cancelled()
    assert [settings.api_keys.openai for settings in place.applied] == ["new"]


async def test_only_what_can_change_at_run_time_comes_into_force(tmp_path: Path) -> None:
    """The file may say another port by now: that is for the next start."""
    place = Place(tmp_path)
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "config.toml").write_text("[GENERAL]\nPORT = 1\n[SEARCH]\nLANGUAGE='de'\n")
    await place.keeper.change({OPENAI: "new"})
    [settings] = place.applied
    assert (settings.general.port, settings.search.language) == (3001, "de")


@pytest.mark.parametrize("text", ["[GENERAL", "[GENERAL]\nPORT = 'ninety'\n"])
async def test_file_broken_by_hand_is_left_alone(tmp_path: Path, text: str) -> None:
    """Nothing is changed, and the error names no path."""
    place = Place(tmp_path)
    written(tmp_path, text)
    with pytest.raises(SettingsNotSaved) as caught:
        await place.keeper.change({OPENAI: "new"})
    assert str(tmp_path) not in str(caught.value)
    assert (place.text, place.applied, place.keeper.held(OPENAI).text) == (text, [], "")


async def test_value_of_no_use_is_refused(tmp_path: Path) -> None:
    """The setting is named with what it may be; nothing that came with it is changed either."""
    place = Place(tmp_path)
    with pytest.raises(SettingRefused) as caught:
        await place.keeper.change({OPENAI: "new", "api_endpoints_ollama": "localhost:11434"})
    assert "[API_ENDPOINTS] OLLAMA" in str(caught.value)
    assert "http://" in str(caught.value)
    assert (place.applied, place.keeper.held(OPENAI).text) == ([], "")


async def test_place_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    """The error is one for the client, and the settings stay as they were."""
    place = Place(tmp_path)
    (tmp_path / "data").write_text("no folder")
    with pytest.raises(SettingsNotSaved):
        await place.keeper.change({OPENAI: "new"})
    assert (place.applied, place.keeper.held(OPENAI).text) == ([], "")


async def test_link_to_the_file_stays_a_link(tmp_path: Path) -> None:
    """What it leads to is replaced."""
    real = tmp_path / "elsewhere.toml"
    real.write_text("[API_KEYS]\n")
    (tmp_path / "config.toml").symlink_to(real)
    await Place(tmp_path).keeper.change({OPENAI: "new"})
    assert (tmp_path / "config.toml").is_symlink()
    assert 'OPENAI = "new"' in real.read_text()


def test_file_is_never_half_written(tmp_path: Path) -> None:
    """A reader that has the old file open still reads the old text."""
    path = tmp_path / "config.toml"
    write_whole(path, "old")
    with path.open() as reader:
        write_whole(path, "new" * 10_000)
        assert reader.read() == "old"
    assert path.read_text() == "new" * 10_000
    assert list(tmp_path.iterdir()) == [path]


def test_line_ends_stay_as_they_are(tmp_path: Path) -> None:
    """A file from another system keeps its line ends."""
    (tmp_path / "config.toml").write_bytes(b"[API_KEYS]\r\nOPENAI = 'a'\r\n")
    place = Place(tmp_path)
    asyncio.run(place.keeper.change({OPENAI: "b"}))
    assert (tmp_path / "config.toml").read_bytes() == b'[API_KEYS]\r\nOPENAI = "b"\r\n'


async def test_key_of_an_address_that_changes_is_removed(tmp_path: Path) -> None:
    """From the file and from what is in force, and the asker is told."""
    text = '[CUSTOM_OPENAI]\nAPI_URL = "https://a.example"\nAPI_KEY = "sk-old"\n'
    place = Place(written(tmp_path, text))
    assert await place.keeper.change({"custom_openai_api_url": "https://b.example"}) == [
        "custom_openai_api_key"
    ]
    assert "sk-old" not in place.text
    assert place.applied[-1].custom_openai.api_key == ""
