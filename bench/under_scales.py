"""Runs the program and weighs it: ``under_scales.py OUT PYTHON APP ...``, by ``bench.soak``.

With each SIGUSR1 garbage is collected, and OUT gets what is left: blocks of Python's own
allocator, and bytes of all others, such as large objects and SQLite's pages.
"""

import ctypes
import gc
import json
import runpy
import signal
import sys
from pathlib import Path


class Mallinfo(ctypes.Structure):
    """What glibc tells of its heaps: ``struct mallinfo2`` of malloc.h, since glibc 2.33."""

    _fields_ = tuple(
        (name, ctypes.c_size_t)
        for name in (
            *("arena", "ordblks", "smblks", "hblks", "hblkhd"),
            *("usmblks", "fsmblks", "uordblks", "fordblks", "keepcost"),
        )
    )


def weigh() -> dict[str, int]:
    """What is in use."""
    gc.collect()
    told = ctypes.CDLL(None).mallinfo2
    told.restype = Mallinfo
    heaps = told()
    return {"blocks": sys.getallocatedblocks(), "bytes": heaps.uordblks + heaps.hblkhd}


def run_under(out: str, app: str, *arguments: str) -> None:
    """Run the program in this process, and weigh it when told."""
    sys.argv[:] = [app, *arguments]
    sys.path[0] = str(Path(app).parent)

    def told(*_: object) -> None:
        half = Path(f"{out}.half")
        half.write_text(json.dumps(weigh()), "ascii")
        half.rename(out)

    signal.signal(signal.SIGUSR1, told)
    runpy.run_path(app, run_name="__main__")


if __name__ == "__main__":
    _, told_out, _python, *command = sys.argv
    run_under(told_out, *command)
