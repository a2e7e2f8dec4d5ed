"""Status of a sweep: which of its points are done, running, failed or missing."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fastcollapse.sweeps.folder import SweepFolder
from fastcollapse.sweeps.points import Sweep

# Maximum number of failures and processes in a text.
_MAX_SHOWN = 5


@dataclass(frozen=True, eq=False)
class SweepStatus:
    """Status of the folder of a sweep at one moment; `str` is what `fastcollapse status` prints.

    Parameters
    ----------
    path : the folder.
    sweep : its sweep.
    done : finished points.
    running : process by point, for points that are being computed.
    failed : error message by point, for points that have failed, in ascending order.
    begun : points with saved parts that no process computes now.
    """

    path: Path
    sweep: Sweep
    done: frozenset[int]
    running: dict[int, str]
    failed: dict[int, str]
    begun: frozenset[int]

    @property
    def n_points(self) -> int:
        """Number of points of the sweep."""
        return len(self.sweep)

    @property
    def n_missing(self) -> int:
        """Number of points that are neither done, running nor failed."""
        return self.n_points - len(self.done | self.failed.keys() | self.running.keys())

    @property
    def axes(self) -> str:
        """The varied keys and their numbers of values, as text."""
        return " x ".join(f"{' and '.join(axis.keys)} ({len(axis)} values)" for axis in self.sweep.axes)

    def lines(self) -> list[str]:
        """Return the numbers of points by status as lines of text."""
        processes = sorted(set(self.running.values()))[:_MAX_SHOWN]
        begun = f", {len(self.begun):,} of them begun" if self.begun else ""
        return [
            f"{self.path}: {self.n_points:,} points: {self.axes}",
            f"  done     {len(self.done):,}",
            f"  running  {len(self.running):,}" + (f", by {', '.join(processes)}" if processes else ""),
            f"  failed   {len(self.failed):,}",
            f"  missing  {self.n_missing:,}{begun}",
        ]

    def failure_lines(self) -> list[str]:
        """Return the first failures as lines of text."""
        failures = list(self.failed.items())
        lines = [f"failed: point {i} ({self.sweep[i].label}): {error}" for i, error in failures[:_MAX_SHOWN]]
        n_more = len(failures) - len(lines)
        return lines + ([f"failed: {n_more:,} more, see {self.path / 'failed'}"] if n_more else [])

    def __str__(self) -> str:
        return "\n".join([*self.lines(), *self.failure_lines()])

    def __repr__(self) -> str:
        first, *counts = self.lines()
        return f"<SweepStatus: {first}; {', '.join(' '.join(line.split()) for line in counts)}>"


def _line(failure: Mapping[str, Any]) -> str:
    """Return the error of a record in one line."""
    return " ".join(str(failure.get("error", "unknown")).split())


def sweep_status(path: str | Path) -> SweepStatus:
    """Return the status of the folder of a sweep.

    Raises
    ------
    InputError
        The folder is not that of a sweep, has a newer format, or has a damaged manifest.
    """
    folder = SweepFolder(Path(path))
    done, failures, running = folder.done(), folder.failures(), folder.running()
    failed = {index: _line(failures[index]) for index in sorted(failures.keys() - done)}
    running = {index: process for index, process in running.items() if index not in done}
    begun = folder.begun() - running.keys() - failed.keys() - done
    return SweepStatus(folder.path, folder.sweep, frozenset(done), running, failed, frozenset(begun))
