"""Runs the program under cProfile: ``under_profile.py OUT PYTHON APP ...``, by ``bench.profiled``.

The first SIGUSR1 begins the profile, the next one writes it: start and stop are not in it.
"""

import cProfile
import runpy
import signal
import sys
from pathlib import Path


def run_under(out: str, app: str, *arguments: str) -> None:
    """Run the program in this process, and write its profile when told."""
    sys.argv[:] = [app, *arguments]
    sys.path[0] = str(Path(app).parent)
    profile, is_begun = cProfile.Profile(), False

    def told(*_: object) -> None:
        nonlocal is_begun
        if is_begun:
            profile.dump_stats(out)
        else:
            is_begun = True
            profile.enable()

    signal.signal(signal.SIGUSR1, told)
    runpy.run_path(app, run_name="__main__")


if __name__ == "__main__":
    _, told_out, _python, *command = sys.argv
    run_under(told_out, *command)
