"""Where the program begins: imports the rest quickly, and lets the command line do its work."""

import sys
from collections.abc import Sequence

from transport.quick_start import quick_start


def main(arguments: Sequence[str] | None = None) -> int:
    """As ``cli.main``."""
    with quick_start():
        from cli import main as run  # noqa: PLC0415 - not before the start is made quick
    return run(arguments)


if __name__ == "__main__":
    sys.exit(main())
