"""What can be wrong with a set-up, and what then is to be said of it.

An ill changes the stand-ins, the settings or the folder, as each of them is a fault of its own; so
several are given to one run of the program, and each must be named all the same.
"""

import socket
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack, closing
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec

from storage.sqlite import SqliteStore
from tests.e2e.conftest import upstreams
from tests.restraints import WITHOUT_ROOM, as_others_do
from tests.standins.model_server import ModelServer
from tests.standins.search_server import SearchServer
from tests.storage.examples import asked

KEY = "sk-the-right-key"
NOBODY = "http://127.0.0.1:9"
HOUR = timedelta(hours=1)


@dataclass
class Place:
    """Where the program is to run: all is well until something is changed."""

    folder: Path
    models: ModelServer
    search: SearchServer
    stack: AsyncExitStack
    within: list[str] = field(default_factory=list)
    settings: dict[str, str] = field(default_factory=dict)

    @property
    def data(self) -> Path:
        """The data folder."""
        return self.folder / "data"

    def set_up(self) -> None:
        """Name all the services, and the model of one's own."""
        self.models.key = KEY
        self.models.ahead_s = self.search.ahead_s = 0
        self.settings = {
            **upstreams(self.models, self.search),
            "OPENAI_API_KEY": KEY,
            "ANTHROPIC_API_KEY": KEY,
            "GEMINI_API_KEY": KEY,
            "PERPLEXICA_CUSTOM_OPENAI_API_URL": self.models.openai_url,
            "PERPLEXICA_CUSTOM_OPENAI_API_KEY": KEY,
            "PERPLEXICA_CUSTOM_OPENAI_MODEL_NAME": "mine",
            "PERPLEXICA_PORT": "0",
            # Four programs start one after the other, on a machine that others use too.
            "PERPLEXICA_LIMITS_SEARCH_S": "30",
            "PERPLEXICA_LIMITS_MODEL_LIST_S": "30",
        }


async def json_off(place: Place) -> None:
    """SearXNG gives pages only."""
    place.search.json_format = False


async def search_down(place: Place) -> None:
    """Nobody listens where SearXNG should."""
    place.settings["SEARXNG_API_URL"] = NOBODY


async def engines_suspended(place: Place) -> None:
    """SearXNG is well, and finds nothing."""
    place.search.suspended = True


async def wrong_key(place: Place) -> None:
    """A service knows another key."""
    place.settings["ANTHROPIC_API_KEY"] = "sk-a-wrong-key"


async def model_not_there(place: Place) -> None:
    """The settings name a model that the service does not have."""
    place.models.lacks = ("mine",)


async def no_model_pulled(place: Place) -> None:
    """Ollama as it is after its installation."""
    place.models.pulled = ()


async def ollama_down(place: Place) -> None:
    """Nobody listens where Ollama should."""
    place.settings["OLLAMA_BASE_URL"] = NOBODY


async def read_only(place: Place) -> None:
    """Nobody may write into the data folder."""
    place.data.mkdir()
    place.data.chmod(0o555)
    place.stack.callback(place.data.chmod, 0o755)
    place.within += as_others_do()


async def disk_full(place: Place) -> None:
    """No file may grow."""
    place.within += WITHOUT_ROOM


async def port_taken(place: Place) -> None:
    """Another program listens."""
    taken = place.stack.enter_context(closing(socket.create_server(("127.0.0.1", 0))))
    place.settings["PERPLEXICA_PORT"] = str(taken.getsockname()[1])


async def clock_behind(place: Place) -> None:
    """For all others it is an hour later."""
    place.models.ahead_s = place.search.ahead_s = HOUR.total_seconds()


async def rows_to_come(place: Place) -> None:
    """The store knows what will be asked in an hour, and nobody tells the time."""
    place.models.ahead_s = place.search.ahead_s = None
    store = await SqliteStore.open(place.data / "db.sqlite")
    later = datetime.now(UTC) + HOUR
    await store.commit([msgspec.structs.replace(asked("t", "c", "m"), at=later)])
    await store.close()


@dataclass(frozen=True)
class Ill:
    """A fault, the check that is to find it, and patterns of what that is to say."""

    cause: Callable[[Place], Any]
    check: str
    says: str
    advice: str


ILLS = {
    "SearXNG with JSON off": Ill(json_off, "search", "refuses JSON", "search.formats"),
    "SearXNG down": Ill(search_down, "search", "SearXNG: it cannot be reached", "SEARXNG_API_URL"),
    "all engines suspended": Ill(
        engines_suspended,
        "search",
        r"none of its engines does: .*google \(Suspended: too many requests\)",
        "enable other engines",
    ),
    "wrong key": Ill(wrong_key, "anthropic", "it refused the key", "set a key"),
    "model not there": Ill(
        model_not_there, "custom_openai", "mine: it does not know this model", "name one"
    ),
    "no model pulled": Ill(no_model_pulled, "ollama", "it offers no model", "ollama pull"),
    "Ollama down": Ill(ollama_down, "ollama", "ollama: it cannot be reached", "start it"),
    "read-only data folder": Ill(
        read_only, "data folder", "data cannot be written to", "make it writable"
    ),
    "full disk": Ill(disk_full, "disk", "is full", "make room"),
    "port taken": Ill(port_taken, "port", "another program listens there", "stop the other"),
    "clock an hour off": Ill(
        clock_behind, "clock", "60 min behind the services'", "set this machine's clock"
    ),
    "rows from a time to come": Ill(
        rows_to_come, "clock", r"is from (60|59) min ahead of now", "set this machine's clock"
    ),
}
# Those that can be had together: each hides no other.
GROUPS: dict[str, Sequence[str]] = {
    "nothing": (),
    "one": (
        "SearXNG with JSON off",
        "wrong key",
        "no model pulled",
        "read-only data folder",
        "port taken",
    ),
    "two": (
        "SearXNG down",
        "model not there",
        "Ollama down",
        "full disk",
        "clock an hour off",
    ),
    "three": ("all engines suspended", "rows from a time to come"),
}
