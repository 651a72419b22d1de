"""Runs the program and weighs it: ``under_scales.py OUT PYTHON APP ...``, by ``bench.soak``.

With each SIGUSR1 garbage is collected, and OUT gets how many bytes are still in use: of Python's
own allocator, and of all others, such as large objects and SQLite's pages.
"""

import ctypes
import gc
import os
import re
import runpy
import signal
import sys
from pathlib import Path
from tempfile import TemporaryFile

STDERR = 2
IN_USE = re.compile(rb"# bytes in allocated blocks\s*=\s*([\d,]+)")


class Mallinfo(ctypes.Structure):
    """What glibc tells of its heaps: ``struct mallinfo2`` of malloc.h, since glibc 2.33."""

    _fields_ = tuple(
        (name, ctypes.c_size_t)
        for name in (
            *("arena", "ordblks", "smblks", "hblks", "hblkhd"),
            *("usmblks", "fsmblks", "uordblks", "fordblks", "keepcost"),
        )
    )


def weigh() -> int:
    """The bytes that are in use."""
    gc.collect()
    told = ctypes.CDLL(None).mallinfo2
    told.restype = Mallinfo
    heaps = told()
    return int(heaps.uordblks + heaps.hblkhd) + python_bytes()


def python_bytes() -> int:
    """What Python's own allocator has given out, as it prints by itself to standard error."""
    with TemporaryFile() as told:
        kept = os.dup(STDERR)
        os.dup2(told.fileno(), STDERR)
        sys._debugmallocstats()  # noqa: SLF001 - there is no other way to ask
        os.dup2(kept, STDERR)
        os.close(kept)
        told.seek(0)
        found = IN_USE.search(told.read())
    assert found, "this Python tells nothing of its allocator"
    return int(found[1].replace(b",", b""))


def run_under(out: str, app: str, *arguments: str) -> None:
    """Run the program in this process, and weigh it when told."""
    sys.argv[:] = [app, *arguments]
    sys.path[0] = str(Path(app).parent)

    def told(*_: object) -> None:
        half = Path(f"{out}.half")
        half.write_text(str(weigh()), "ascii")
        half.rename(out)

    signal.signal(signal.SIGUSR1, told)
    runpy.run_path(app, run_name="__main__")


if __name__ == "__main__":
    _, told_out, _python, *command = sys.argv
    run_under(told_out, *command)
