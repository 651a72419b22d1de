"""Metrics that are off cost nothing."""

import subprocess
import sys
from pathlib import Path

from metrics.meter import NoMeter, open_meter
from metrics.prometheus import PrometheusMeter
from protocol.settings import Metrics

ROOT = Path(__file__).parents[2]
LOOK = """
import sys, app
from metrics.meter import open_meter
from protocol.settings import Metrics
open_meter(Metrics(on=sys.argv[1] == "on"))
print(sorted(name for name in sys.modules if name.startswith("prometheus_client")) != [])
"""


def loads(switch: str) -> bool:
    """Whether a program with the switch in this place loads the library."""
    done = subprocess.run(  # noqa: S603 - our own interpreter, our own words
        [sys.executable, "-c", LOOK, switch], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return done.stdout.strip() == "True"


def test_library_is_loaded_only_where_metrics_are_on() -> None:
    """Importing the whole program does not."""
    assert (loads("off"), loads("on")) == (False, True)


def test_meter_is_the_one_that_the_settings_want() -> None:
    """One that is off has nothing to tell."""
    assert isinstance(open_meter(Metrics(on=True)), PrometheusMeter)
    off = open_meter(Metrics())
    assert isinstance(off, NoMeter)
    assert off.text is None
