"""Compilation of all kernels of families ahead of their runs, by small runs."""

import time
import warnings
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fastcollapse.datasets.load import load_truth
from fastcollapse.errors import InputError, StoreError, nearest
from fastcollapse.kernels.code_cache import NotKeptWarning, writable_folder
from fastcollapse.kernels.compile_log import compile_log
from fastcollapse.models.registry import families as all_families
from fastcollapse.simulation.example_experiments import example_experiments
from fastcollapse.simulation.execute import execute
from fastcollapse.simulation.experiment import Experiment
from fastcollapse.simulation.run_plan import plan_run


@dataclass(frozen=True)
class Precompiled:
    """The kernels of a family in the cache.

    Parameters
    ----------
    family : name of the family.
    n_compiled : number of kernels that were compiled now; the others were in the cache.
    seconds : time that all of this took.
    folder : folder of the compiled code.
    """

    family: str
    n_compiled: int
    seconds: float
    folder: Path


def precompile(
    families: Iterable[str] = (), progress: Callable[[Precompiled], None] | None = None
) -> list[Precompiled]:
    """Compile all kernels that runs of families need, so that later runs load them.

    Parameters
    ----------
    families : names of families; none for all families.
    progress : called after each family.

    Returns
    -------
    One entry for each family.

    Raises
    ------
    InputError
        There is no such family, or no experiment of it can be derived.
    StoreError
        The folder of compiled code cannot be used or written.

    Examples
    --------
    >>> [done] = precompile(["poisson"])
    >>> done.family
    'poisson'
    """
    if not isinstance(families, Iterable):
        raise InputError(f"families must be names of families, got {families!r}")
    names = list(dict.fromkeys([families] if isinstance(families, str) else families)) or all_families()
    for name in names:
        if name not in all_families():
            choices = ", ".join(all_families())
            raise InputError(f"family must be one of {choices}, got {name!r}{nearest(name, all_families())}")
    done = []
    for name in names:
        before, start = compile_log.n_compiled, time.perf_counter()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of such small experiments
            warnings.simplefilter("error", NotKeptWarning)
            try:
                folder = writable_folder()
                _run_all(name)
                writable_folder()  # the warning of a full disk is given once in a process
            except NotKeptWarning as error:
                raise StoreError(str(error)) from None
        done.append(Precompiled(name, compile_log.n_compiled - before, time.perf_counter() - start, folder))
        if progress is not None:
            progress(done[-1])
    return done


def _run_all(name: str) -> None:
    """Run all small experiments of a family that it serves, and read their metrics.

    Raises
    ------
    InputError
        It serves none.
    """
    truths: list[tuple[Any, Any]] = []
    served, refusal = False, None
    for sections in example_experiments(name):
        try:
            experiment = Experiment.from_mapping(sections)
            truth = next((loaded for section, loaded in truths if section == experiment.truth), None)
            if truth is None:
                truth = load_truth(experiment.truth)
                truths.append((experiment.truth, truth))
            results = execute(plan_run(experiment, truth=truth), threads=1)
        except InputError as error:
            refusal = str(error)
            continue
        served = True
        for metric in results.metrics:
            _ = results.metrics[metric]  # some are computed when they are read
    if not served:
        raise InputError(f"family {name} must have EXAMPLES: {refusal}")
