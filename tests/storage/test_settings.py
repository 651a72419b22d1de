"""Settings from flags, environment, file and defaults."""

from collections.abc import Mapping
from pathlib import Path

import msgspec
import pytest
from structlog.testing import capture_logs

from protocol.errors import SettingsError
from protocol.service_settings import ApiKeys
from protocol.settings import Settings
from storage.settings import load_settings, settings_rows

KEY = "sk-very-secret"
REFERENCE_FILE = """
[GENERAL]
PORT = 3_001 # Port to run the server on
SIMILARITY_MEASURE = "dot" # "cosine" or "dot"

[API_KEYS]
OPENAI = "sk-very-secret"
GROQ = "gsk-other-secret"
ANTHROPIC = ""

[API_ENDPOINTS]
SEARXNG = "http://localhost:32768"
OLLAMA = ""
"""


def written(folder: Path, text: str | bytes) -> Path:
    """A folder with this settings file in it."""
    folder.mkdir(exist_ok=True)
    content = text if isinstance(text, bytes) else text.encode()
    (folder / "config.toml").write_bytes(content)
    return folder


def refused(
    folder: Path,
    environ: Mapping[str, str] | None = None,
    flags: Mapping[str, object] | None = None,
) -> str:
    """The sentence that settings are refused with."""
    with pytest.raises(SettingsError) as caught:
        load_settings(flags or {}, environ or {}, folder)
    return str(caught.value)


def test_nothing_given_is_all_defaults(tmp_path: Path) -> None:
    """The program needs no settings at all."""
    assert load_settings({}, {}, tmp_path) == Settings()


def test_flags_go_before_environment_before_file(tmp_path: Path) -> None:
    """Whoever is closer to the command decides."""
    folder = written(tmp_path, "[GENERAL]\nPORT = 1\nHOST = 'a'\nUI_GAP_MS = 7\n")
    environ = {"PERPLEXICA_PORT": "2", "PERPLEXICA_HOST": "b"}
    general = load_settings({"port": "3", "host": None}, environ, folder).general
    assert (general.port, general.host, general.ui_gap_ms) == (3, "b", 7)


def test_file_of_the_reference_loads_as_it_is(tmp_path: Path) -> None:
    """What an existing file says counts; empty text in it is not set."""
    settings = load_settings({}, {}, written(tmp_path, REFERENCE_FILE))
    assert (settings.general.port, settings.general.similarity_measure) == (3001, "dot")
    assert settings.api_keys.openai == KEY
    assert settings.api_keys.groq == "gsk-other-secret"
    assert settings.api_endpoints.searxng == "http://localhost:32768"
    assert settings.api_endpoints.ollama == ""


def test_unknown_names_are_logged_without_values(tmp_path: Path) -> None:
    """What no setting bears is ignored, and said by name only."""
    loose = "LOOSE = 1\n[SEARCH]\nKEY = 's-secret'\n"
    folder = written(tmp_path, f"{loose}{REFERENCE_FILE}\n[MODELS.X]\nAPI_KEY = 'm-secret'\n")
    with capture_logs() as logs:
        load_settings({}, {}, folder)
    [names] = [set(line["names"]) for line in logs if line["event"] == "settings.unknown"]
    assert names == {"[LOOSE]", "[MODELS.X]", "[SEARCH] KEY"}
    assert "secret" not in repr(logs)


def test_names_in_the_file_have_any_case(tmp_path: Path) -> None:
    """Sections and names are read in upper and lower case."""
    folder = written(tmp_path, "[general]\nport = '4000'\n[Limits]\nTurn_S = 1.5\n")
    settings = load_settings({}, {}, folder)
    assert (settings.general.port, settings.limits.turn_s) == (4000, 1.5)


def test_file_in_the_data_folder_serves_too(tmp_path: Path) -> None:
    """Without a file in the working folder, that of the data folder counts."""
    written(tmp_path / "data", "[GENERAL]\nPORT = 1\n")
    written(tmp_path / "other", "[GENERAL]\nPORT = 2\n")
    assert load_settings({}, {}, tmp_path).general.port == 1
    assert load_settings({"data_dir": "other"}, {}, tmp_path).general.port == 2
    environ = {"PERPLEXICA_DATA_DIR": str(tmp_path / "other")}
    assert load_settings({}, environ, tmp_path).general.port == 2


def test_file_in_the_working_folder_goes_first(tmp_path: Path) -> None:
    """Only one file is read: the nearest."""
    written(tmp_path / "data", "[GENERAL]\nPORT = 1\nHOST = 'data'\n")
    general = load_settings({}, {}, written(tmp_path, "[GENERAL]\nPORT = 3\n")).general
    assert (general.port, general.host) == (3, "127.0.0.1")


@pytest.mark.parametrize("name", ["PERPLEXICA_API_ENDPOINTS_OLLAMA", "OLLAMA_BASE_URL"])
def test_names_people_already_have_work(tmp_path: Path, name: str) -> None:
    """A setting is found under its own name and under its aliases."""
    assert load_settings({}, {name: " http://o "}, tmp_path).api_endpoints.ollama == "http://o"


def test_own_name_goes_before_aliases(tmp_path: Path) -> None:
    """Where both are set, the name that is only ours decides."""
    environ = {"SEARXNG_API_URL": "http://a", "PERPLEXICA_API_ENDPOINTS_SEARXNG": "http://b"}
    assert load_settings({}, environ, tmp_path).api_endpoints.searxng == "http://b"


def test_empty_environment_is_not_set(tmp_path: Path) -> None:
    """Empty text and blanks leave what the file or the default says."""
    folder = written(tmp_path, "[GENERAL]\nPORT = 5\n")
    environ = {"PERPLEXICA_PORT": "", "PERPLEXICA_HOST": "  ", "OPENAI_API_KEY_FILE": ""}
    general = load_settings({}, environ, folder).general
    assert (general.port, general.host) == (5, "127.0.0.1")


def test_lists_are_separated_by_commas(tmp_path: Path) -> None:
    """Text becomes a list; a list in the file is one already."""
    environ = {"PERPLEXICA_SEARCH_BACKENDS": " library, searxng,"}
    assert load_settings({}, environ, tmp_path).search.backends == ("library", "searxng")
    folder = written(tmp_path, "[SEARCH]\nBACKENDS = ['keyless']\n")
    assert load_settings({}, {}, folder).search.backends == ("keyless",)


@pytest.mark.parametrize("name", ["OPENAI_API_KEY_FILE", "PERPLEXICA_API_KEYS_OPENAI_FILE"])
def test_secret_may_lie_in_a_file_of_its_own(tmp_path: Path, name: str) -> None:
    """The twin of a secret's name leads to a file with the secret, line break or not."""
    (tmp_path / "key").write_text(f"{KEY}\r\n")
    assert load_settings({}, {name: "key"}, tmp_path).api_keys.openai == KEY
    assert load_settings({}, {name: str(tmp_path / "key")}, tmp_path).api_keys.openai == KEY


def test_only_secrets_have_twins(tmp_path: Path) -> None:
    """What is no secret is not read from files."""
    (tmp_path / "port").write_text("9")
    assert load_settings({}, {"PERPLEXICA_PORT_FILE": "port"}, tmp_path).general.port == 3001


def test_secret_file_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    """Only the name is said: the path may be the secret itself, put in the wrong place."""
    (tmp_path / "bytes").write_bytes(b"\xff\xfe" + KEY.encode())
    for path in (KEY, ".", "bytes"):
        sentence = refused(tmp_path, {"OPENAI_API_KEY_FILE": path})
        assert "OPENAI_API_KEY_FILE" in sentence
        assert KEY not in sentence


@pytest.mark.parametrize(
    ("name", "value", "allowed"),
    [
        ("PERPLEXICA_PORT", "70000", "a whole number from 0 to 65535"),
        ("PERPLEXICA_PORT", "-1", "a whole number from 0 to 65535"),
        ("PERPLEXICA_PORT", "30.5", "a whole number from 0 to 65535"),
        ("PERPLEXICA_PORT", "٣", "a whole number from 0 to 65535"),
        ("PERPLEXICA_LIMITS_TURNS", "0", "a whole number from 1 to 1000000000"),
        ("PERPLEXICA_LIMITS_TURN_S", "nan", "a number above 0 and up to 3600"),
        ("PERPLEXICA_LIMITS_TURN_S", "1e999", "a number above 0 and up to 3600"),
        ("PERPLEXICA_LIMITS_TURN_S", "5m", "a number above 0 and up to 3600"),
        ("PERPLEXICA_LOG_FORMAT", "xml", "one of auto, json, text"),
    ],
)
def test_bad_value_is_refused(tmp_path: Path, name: str, value: str, allowed: str) -> None:
    """Its name, itself and what is allowed are said in plain words."""
    sentence = refused(tmp_path, {name: value})
    assert f"{name} = {value!r}" in sentence
    assert allowed in sentence


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("[GENERAL]\nPORT = 99999\n", "config.toml [GENERAL] PORT = 99999"),
        ("[general]\nport = true\n", "config.toml [GENERAL] PORT = True"),
        ("[GENERAL]\nPORT = 100000000000000000000000000\n", "config.toml [GENERAL] PORT"),
        ("[GENERAL]\nHOST = 1979-05-27\n", "config.toml [GENERAL] HOST"),
        ("[GENERAL]\nHOST = {a = 1}\n", "config.toml [GENERAL] HOST"),
        ("[SEARCH]\nBACKENDS = [1]\n", "config.toml [SEARCH] BACKENDS = [1]"),
        ("[[GENERAL]]\nPORT = 1\n", "config.toml [GENERAL]"),
    ],
)
def test_bad_value_in_the_file_is_refused(tmp_path: Path, text: str, name: str) -> None:
    """It is named as it stands in the file."""
    assert name in refused(written(tmp_path, text))


def test_bad_flag_is_refused(tmp_path: Path) -> None:
    """It is named as on the command line."""
    assert "--log-level = 'loud'" in refused(tmp_path, flags={"log_level": "loud"})
    assert "--port = ''" in refused(tmp_path, flags={"port": ""})


def test_words_have_any_case(tmp_path: Path) -> None:
    """A choice among words may be written in capitals."""
    environ = {"PERPLEXICA_LOG_LEVEL": "WARNING"}
    assert load_settings({}, environ, tmp_path).general.log_level == "warning"


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"[GENERAL]\nPORT = \n", "line 2 "),
        (b"[GENERAL]\n\nHOST = 'a\n", "line 3 "),
        (b"[A]\n[A]\n", "line 2 "),
        (b"[GENERAL]\nX = '''abc", "line 2 "),
        (b"PORT = \xff", "not UTF-8"),
        (b"X = 1" + b"0" * 5_000, "not valid TOML"),
        (b"X = " + b"[" * 50_000, "not valid TOML"),
    ],
)
def test_file_that_is_no_toml_is_refused(tmp_path: Path, content: bytes, problem: str) -> None:
    """The file and the line are named, never what stands in it."""
    sentence = refused(written(tmp_path, content))
    assert str(tmp_path / "config.toml") in sentence
    assert problem in sentence


def test_file_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    """A folder in the place of the file is not taken for no file."""
    (tmp_path / "config.toml").mkdir()
    assert "cannot be read" in refused(tmp_path)


def test_mark_at_the_beginning_is_ignored(tmp_path: Path) -> None:
    """Files from editors that put a byte order mark before the text load too."""
    folder = written(tmp_path, b"\xef\xbb\xbf[GENERAL]\r\nPORT = 5\r\n")
    assert load_settings({}, {}, folder).general.port == 5


def test_bad_secret_is_masked(tmp_path: Path) -> None:
    """A secret is not shown even where it is refused."""
    sentence = refused(written(tmp_path, f"[API_KEYS]\nOPENAI = ['{KEY}']\n"))
    assert "config.toml [API_KEYS] OPENAI" in sentence
    assert KEY not in sentence
    assert KEY not in refused(written(tmp_path, f"[[API_KEYS]]\nOPENAI = '{KEY}'\n"))


def test_settings_shown_hide_their_keys() -> None:
    """What a log or a traceback shows of settings names keys, and never has their values."""
    settings = Settings(api_keys=ApiKeys(openai=KEY))
    assert KEY not in f"{settings} {settings!r}"
    assert "openai" in repr(settings.api_keys)


def test_rows_tell_every_setting() -> None:
    """The README's table has each setting with its names, its default and what it is."""
    rows = {row.name: row for row in settings_rows()}
    count = sum(len(msgspec.structs.fields(type(s))) for s in msgspec.structs.astuple(Settings()))
    assert len(rows) == count
    port, backends = rows["[GENERAL] PORT"], rows["[SEARCH] BACKENDS"]
    assert (port.env, port.default) == ("PERPLEXICA_PORT", "3001")
    assert backends.default == "searxng, library, keyless"
    assert "OPENAI_API_KEY_FILE" in rows["[API_KEYS] OPENAI, [MODELS.OPENAI] API_KEY"].env
    assert all(row.doc for row in rows.values())


@pytest.mark.parametrize(
    "address", ["localhost:11434", "nonsense", "ftp://host", "http://", "//host"]
)
def test_address_must_be_one_of_the_web(address: str, tmp_path: Path) -> None:
    """``localhost:11434`` is what people write; they are told what is missing."""
    with pytest.raises(SettingsError, match=r"OLLAMA_BASE_URL.*begins with http"):
        load_settings({}, {"OLLAMA_BASE_URL": address}, tmp_path)


def test_names_in_a_list_keep_their_capitals(tmp_path: Path) -> None:
    """Only words of ours may be written either way."""
    given = {"PERPLEXICA_DISCOVER_TOPICS": "AI, Tech", "PERPLEXICA_LOG_FORMAT": "JSON"}
    settings = load_settings({}, given, tmp_path)
    assert settings.discover.topics == ("AI", "Tech")
    assert settings.general.log_format == "json"
