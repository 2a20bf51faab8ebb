"""What ``import glowplug`` adds to the start of Python, in CPU time.

    python docs/benchmarks/import_cost.py

Owns: the table "import" in this folder's README.
Must not know: what is in the package.

Each way is an interpreter of its own, in turns; its cost is the CPU time, user and system, that the
operating system counted for it. The files are in the page cache after the first, unmeasured round.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
from collections.abc import Sequence
from functools import partial

from side_by_side import machine, table, take_turns

WAYS = {
    "bare interpreter": "pass",
    "`import glowplug`": "import glowplug",
    "`glowplug plugins list`": "from glowplug.cli import main; main(['plugins', 'list'])",
}
HEAVY = {"torch", "numpy", "tensorboard", "tqdm"}


def cpu_seconds(code: str) -> float:
    """Return the CPU time of a fresh interpreter that runs ``code``."""
    quiet = [(os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0)]
    child = os.posix_spawn(
        sys.executable, [sys.executable, "-c", code], os.environ, file_actions=quiet
    )
    _, status, used = os.wait4(child, 0)
    if status:
        raise RuntimeError(f"python -c {code!r} ended with status {status}")
    return used.ru_utime + used.ru_stime


def imported(code: str) -> str:
    """Return which of the heavy libraries ``code`` imports, in words."""
    tell = f"import sys; sys.stderr.write(' '.join({HEAVY!r} & sys.modules.keys()))"
    done = subprocess.run(
        [sys.executable, "-c", f"{code}; {tell}"], capture_output=True, text=True, check=True
    )
    return done.stderr or "none"


def report(costs: dict[str, list[float]]) -> str:
    """Return the table: milliseconds of CPU time as "least / median", and what is added."""

    def milliseconds(values: Sequence[float]) -> str:
        return f"{min(values) * 1e3:.0f} / {statistics.median(values) * 1e3:.0f}"

    bare = costs["bare interpreter"]
    rows = []
    for way, code in WAYS.items():
        added = statistics.median(
            cost - other for cost, other in zip(costs[way], bare, strict=True)
        )
        rows.append([way, milliseconds(costs[way]), f"{added * 1e3:.0f}", imported(code)])
    return table(["CPU time", "ms", "added, ms", "heavy libraries imported"], rows)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=40, help="rounds, each of every way")
    asked = parser.parse_args()
    ways = {way: partial(cpu_seconds, code) for way, code in WAYS.items()}
    print(f"{machine()}; ms as least / median of {asked.repeats} rounds\n")
    print(report(take_turns(ways, asked.repeats)))


if __name__ == "__main__":
    main()
