"""Shared parts of the benchmarks: paired medians, the printed table, and rows of results.json."""

import json
import statistics
import time
from collections.abc import Callable
from pathlib import Path

RESULTS = Path(__file__).parent / "results.json"


def seconds(function: Callable[[], object]) -> float:
    """Return the wall time of one call."""
    start = time.perf_counter()
    function()
    return time.perf_counter() - start


def paired(ours: Callable[[], object], peer: Callable[[], object], repeats: int) -> tuple[float, float]:
    """Return the median seconds of both, called alternately in this process, after one call of `ours` to compile."""
    ours()
    times = [(seconds(ours), seconds(peer)) for _ in range(repeats)]
    return statistics.median(t[0] for t in times), statistics.median(t[1] for t in times)


def row(bench: str, case: str, peer: str, threads: int, ours_s: float, peer_s: float) -> dict:
    """Print one row of results and return it."""
    result = {
        "bench": bench,
        "case": case,
        "peer": peer,
        "threads": threads,
        "ours_s": round(ours_s, 6),
        "peer_s": round(peer_s, 6),
        "ratio": round(peer_s / ours_s, 2),
    }
    print(f"{case:<44} {peer:<34} {threads:>7} {ours_s:>10.4f} {peer_s:>10.4f} {result['ratio']:>8.1f}", flush=True)
    return result


def header() -> None:
    """Print the header of the table."""
    print(f"{'case':<44} {'peer':<34} {'threads':>7} {'ours s':>10} {'peer s':>10} {'ratio':>8}")


def save(bench: str, rows: list[dict]) -> None:
    """Replace the rows of one benchmark in results.json."""
    kept = json.loads(RESULTS.read_text()) if RESULTS.exists() else []
    kept = [entry for entry in kept if entry["bench"] != bench] + rows
    RESULTS.write_text(json.dumps(kept, indent=1) + "\n")
