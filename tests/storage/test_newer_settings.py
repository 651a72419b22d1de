"""Settings files of version 1.10 of the reference, which has a section for each model service."""

from pathlib import Path

import pytest

from protocol.errors import SettingsError
from protocol.service_settings import CustomOpenai
from storage.settings import load_settings

KEY = "sk-very-secret"
NEWER_FILE = """
[GENERAL]
KEEP_ALIVE = "5m"
[MODELS.OPENAI]
API_KEY = "sk-very-secret"
[MODELS.GROQ]
API_KEY = "gsk"
[MODELS.ANTHROPIC]
API_KEY = "ant"
[MODELS.GEMINI]
API_KEY = "gem"
[MODELS.DEEPSEEK]
API_KEY = "deep"
[MODELS.CUSTOM_OPENAI]
API_KEY = "own"
API_URL = "http://custom/v1"
MODEL_NAME = "mine"
[MODELS.OLLAMA]
API_URL = "http://ollama:11434"
[MODELS.LM_STUDIO]
API_URL = "http://studio:1234"
"""


def written(folder: Path, text: str) -> Path:
    """A folder with this settings file in it."""
    (folder / "config.toml").write_text(text, "utf-8")
    return folder


def test_newer_file_of_the_reference_loads_as_it_is(tmp_path: Path) -> None:
    """Version 1.10 has a section for each model service."""
    settings = load_settings({}, {}, written(tmp_path, NEWER_FILE))
    keys, places = settings.api_keys, settings.api_endpoints
    assert (keys.openai, keys.groq, keys.anthropic) == (KEY, "gsk", "ant")
    assert (keys.gemini, keys.deepseek) == ("gem", "deep")
    assert (places.ollama, places.lmstudio) == ("http://ollama:11434", "http://studio:1234")
    assert settings.custom_openai == CustomOpenai("http://custom/v1", "own", "mine")


@pytest.mark.parametrize(("own", "counts"), [("ours", "ours"), ("", KEY)])
def test_own_name_in_the_file_goes_before_the_newer_one(
    tmp_path: Path, own: str, counts: str
) -> None:
    """Empty text is not set, so the other name decides then."""
    folder = written(tmp_path, f"{NEWER_FILE}[API_KEYS]\nOPENAI = '{own}'\n")
    assert load_settings({}, {}, folder).api_keys.openai == counts


def test_newer_section_that_is_none_is_refused_without_its_value(tmp_path: Path) -> None:
    """As any other section."""
    folder = written(tmp_path, f"[MODELS]\nOPENAI = '{KEY}'\n")
    with pytest.raises(SettingsError, match=r"\[MODELS\.OPENAI\]") as caught:
        load_settings({}, {}, folder)
    assert KEY not in str(caught.value)
