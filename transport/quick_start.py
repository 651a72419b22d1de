"""What makes the imports of a start quick; imports next to nothing itself."""

import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager

# For output of a kind that is not ours: httpx imports them for a command line of its own, structlog
# for tracebacks that we do not use. Where some other package has brought them (rich comes with
# many), that is a fifth of the start.
UNUSED = ("rich", "click", "colorama")


@contextmanager
def quick_start() -> Iterator[None]:
    """Import within as if ``UNUSED`` were not installed, and without looking for garbage.

    What has been imported stays as long as the program, so that no collector looks at it again.
    """
    hidden = [name for name in UNUSED if name not in sys.modules]
    # None is Python's own mark of a module that is not to be found.
    sys.modules.update(dict.fromkeys(hidden))  # type: ignore[arg-type]
    gc.disable()
    try:
        yield
    finally:
        for name in hidden:
            del sys.modules[name]
        gc.freeze()
        gc.enable()
