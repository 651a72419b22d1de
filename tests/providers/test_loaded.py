"""Costly parts are loaded late, once, quietly and without network."""

import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

from providers.loaded import Once

NO_NETWORK = """
import asyncio, logging, os, socket, sys

def refused(*_args, **_kwargs):
    raise AssertionError("network")

socket.socket.connect = socket.socket.connect_ex = socket.getaddrinfo = refused
"""


def run(program: str) -> str:
    """What a fresh interpreter prints; it must write nothing to stderr."""
    done = subprocess.run(  # noqa: S603 - our own program
        [sys.executable, "-W", "ignore", "-c", NO_NETWORK + program],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def test_nothing_costly_is_imported_at_start() -> None:
    """Settings to default choice: no LlamaIndex, no httpx, no numpy, no weights."""
    costly = {"llama_index", "httpx", "numpy", "wordllama", "tokenizers"}
    out = run(
        "from protocol.settings import Settings\n"
        "from protocol.values import Models\n"
        "from providers.service import Providers\n"
        "providers = Providers(Settings(), offload=asyncio.to_thread)\n"
        "providers.resolve(Models()), providers.describe()\n"
        f"print(sorted({costly!r} & set(sys.modules)))\n"
    )
    assert out == "[]\n"


def test_preparing_and_embedding_need_no_network_and_make_no_noise() -> None:
    """LlamaIndex, the classes and the weights load with sockets refused, logging untouched."""
    out = run(
        "from protocol.settings import Settings\n"
        "from protocol.values import ModelChoice\n"
        "from providers.service import Providers\n"
        "providers = Providers(Settings(), offload=asyncio.to_thread)\n"
        "providers.prepare()\n"
        "vectors = asyncio.run(providers.embed(ModelChoice(), ['hello', '']))\n"
        "root = logging.getLogger()\n"
        "tokenizers = {'nltk', 'tiktoken'} & set(sys.modules)\n"
        "print(vectors.shape, root.handlers, root.level == logging.WARNING, sorted(tokenizers))\n"
    )
    assert out == "(2, 256) [] True []\n"


def test_value_is_made_once_for_threads_that_ask_at_the_same_time() -> None:
    """Concurrent first use loads one copy."""
    made: list[object] = []
    all_here = threading.Barrier(8)

    def make() -> object:
        made.append(object())
        return made[-1]

    once = Once(make)

    def ask(_: int) -> object:
        all_here.wait()
        return once.get()

    with ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(ask, range(8)))) == 1
    assert len(made) == 1


def test_value_whose_making_failed_is_made_again() -> None:
    """A failure is told to who asked, and does not stay."""
    outcomes = [ZeroDivisionError(), None]

    def make() -> str:
        if outcome := outcomes.pop(0):
            raise outcome
        return "made"

    once = Once(make)
    try:
        once.get()
    except ZeroDivisionError:
        assert once.made == ()
    assert once.get() == "made"
    assert once.made == ("made",)
