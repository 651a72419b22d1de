"""Imports of a start are quick, and leave no trace of that."""

import gc
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

from transport.quick_start import UNUSED, quick_start

ROOT = Path(__file__).parents[2]
# What a question needs, and a start does not.
LATER = {"httpcore", "h11", "anyio", "llama_index", "numpy", "trafilatura", "prometheus_client"}

IMPORTING = """
import sys
from transport.quick_start import quick_start
with quick_start():
    import cli
print(*sys.modules)
"""


def test_what_is_not_used_is_not_imported() -> None:
    """Whatever else is installed beside the program; nor what is needed only later."""
    command = (sys.executable, "-c", IMPORTING)
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)  # noqa: S603 - code of this file
    imported = set(ended.stdout.split())
    assert {"cli", "httpx", "structlog"} <= imported
    assert imported.isdisjoint({*UNUSED, *LATER})


def test_afterwards_it_can_be_imported(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """By others that use it."""
    (tmp_path / "rich.py").touch()
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "rich", raising=False)
    assert "rich" in UNUSED
    with quick_start(), pytest.raises(ModuleNotFoundError):
        import_module("rich")
    assert import_module("rich").__file__ == str(tmp_path / "rich.py")
    sys.modules.pop("rich")


def test_garbage_is_looked_for_again_afterwards() -> None:
    """Not while there are imports."""
    with quick_start():
        assert not gc.isenabled()
    assert gc.isenabled()
    gc.unfreeze()
