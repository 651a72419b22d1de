"""What a process costs, read from /proc, and tables to print it in."""

import os
import platform
import resource
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from statistics import median, quantiles

KILO = 1024
TICKS = os.sysconf("SC_CLK_TCK")
MOST_FILES = 20_000
PACKAGES = ("pykka", "websockets", "httptools", "msgspec", "llama-index-core", "aiosqlite")


@dataclass(frozen=True)
class Cost:
    """A process at one moment: memory in kB, CPU time in ms, and what it holds."""

    rss_kb: int
    cpu_ms: float
    threads: int
    files: int


def cost(pid: int) -> Cost:
    """What the process costs now."""
    proc = Path(f"/proc/{pid}")
    # The name in brackets may hold blanks; utime and stime are the fields 14 and 15.
    fields = (proc / "stat").read_text("ascii").rpartition(")")[2].split()
    return Cost(
        rss_kb=int((proc / "statm").read_text("ascii").split()[1]) * resource.getpagesize() // KILO,
        cpu_ms=(int(fields[11]) + int(fields[12])) * 1000 / TICKS,
        threads=sum(1 for _ in (proc / "task").iterdir()),
        files=sum(1 for _ in (proc / "fd").iterdir()),
    )


def cpu_ms_of(pid: int) -> float:
    """CPU time of all threads that the process has now; finer than the ticks of ``cost``."""
    return shares_ms_of(pid)[0]


def shares_ms_of(pid: int) -> tuple[float, float]:
    """CPU time of all threads that the process has now, and their time in line for a core."""
    tasks = Path(f"/proc/{pid}/task").iterdir()
    told = [(task / "schedstat").read_text("ascii").split() for task in tasks]
    return sum(int(ran) for ran, *_ in told) / 1e6, sum(int(late) for _, late, *_ in told) / 1e6


def spread(values: Sequence[float]) -> str:
    """The median, and between which values nine of ten lie; a lone value as it is."""
    if len(values) < 2:
        return "".join(map(_cell, values))
    twentieths = quantiles(values, n=20, method="inclusive")
    return f"{median(values):.1f} ({twentieths[0]:.1f}-{twentieths[-1]:.1f})"


def allow_many_files() -> None:
    """Raise the limit of open files, for this process and those that it starts."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    enough = MOST_FILES if most == resource.RLIM_INFINITY else min(most, MOST_FILES)
    resource.setrlimit(resource.RLIMIT_NOFILE, (enough, most))


def print_machine() -> None:
    """Print what the figures below were measured on."""
    names = [line for line in _cpuinfo() if line.startswith("model name")]
    cpu = names[0].partition(":")[2].strip() if names else platform.machine()
    print(f"{cpu}, {os.cpu_count()} cores, {platform.system()} {platform.release()}")
    versions = ", ".join(f"{name} {version(name)}" for name in PACKAGES)
    print(f"Python {platform.python_version()}, {versions}")
    loads = ", ".join(f"{load:.1f}" for load in os.getloadavg())
    print(f"load average of 1, 5 and 15 minutes, this run included: {loads}\n")


def _cpuinfo() -> list[str]:
    path = Path("/proc/cpuinfo")
    return path.read_text("utf-8").splitlines() if path.exists() else []


def print_table(heads: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Print rows under their heads, figures to the right."""
    cells = [heads, *([_cell(value) for value in row] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    for row in cells:
        print("  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True)))


def _cell(value: object) -> str:
    return f"{value:.1f}" if isinstance(value, float) else str(value)
