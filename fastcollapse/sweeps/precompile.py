"""Compilation of kernels before workers start; otherwise every worker compiles the same kernels at the same time."""

import dataclasses
import fcntl
import hashlib
import platform
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from typing import Any

from fastcollapse.kernels.jit import CACHE_ROOT
from fastcollapse.simulation.execute import execute
from fastcollapse.simulation.experiment import Experiment
from fastcollapse.simulation.provenance import provenance
from fastcollapse.simulation.run_plan import plan_run

# Experiments that differ in more than numbers use other kernels; workers compile those of further kinds.
_MAX_KINDS = 8
_GENERATIONS, _REPLICATES = 3, 2


def precompile(experiments: Iterable[Experiment]) -> None:
    """Run the first generations of one experiment of each kind, so that the cache has its compiled kernels.

    Processes on the same kind of machine wait for each other: the first one compiles and the others read the cache.
    """
    kinds: dict[str, Experiment] = {}
    for experiment in experiments:
        kinds.setdefault(_kind(experiment.to_mapping()), experiment)
    for experiment in list(kinds.values())[:_MAX_KINDS]:
        run = experiment.run
        short = dataclasses.replace(
            run, n_generations=min(run.n_generations, _GENERATIONS), n_replicates=min(run.n_replicates, _REPLICATES)
        )
        with _exclusive(), suppress(Exception):  # the worker reports the error when it computes the point
            execute(plan_run(dataclasses.replace(experiment, run=short)))


def _kind(value: Any) -> str:
    """Return everything that is not a number: names of families, workflows, estimators, recorded metrics."""
    if isinstance(value, Mapping):
        return "{" + ",".join(f"{key}:{_kind(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ",".join(sorted({_kind(item) for item in value})) + "]"
    return value if isinstance(value, str) else str(value) if isinstance(value, bool) else ""


def _processor() -> str:
    """Return a short name of the processor type."""
    return hashlib.sha256(f"{platform.machine()} {provenance()['processor']}".encode()).hexdigest()[:16]


@contextmanager
def _exclusive() -> Iterator[None]:
    """Hold the compilation lock that all processes on this kind of machine share."""
    with ExitStack() as stack:
        with suppress(OSError):  # the cache may be read-only, and some file systems have no locks
            if CACHE_ROOT is not None:
                file = stack.enter_context(open(CACHE_ROOT / f"compiling-{_processor()}.lock", "w"))
                fcntl.flock(file, fcntl.LOCK_EX)
        yield
