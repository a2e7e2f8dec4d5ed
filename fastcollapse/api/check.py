"""Check of a file, of a sweep, or of an experiment before it runs."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from fastcollapse.analysis.panels.text import counted
from fastcollapse.analysis.report import check_line
from fastcollapse.api.experiment_source import as_cases
from fastcollapse.datasets.shipped import recipes
from fastcollapse.simulation.experiment import Experiment
from fastcollapse.simulation.recorded_run import check_run
from fastcollapse.simulation.run_plan import plan_run
from fastcollapse.sweeps.collected_results import open_sweep
from fastcollapse.sweeps.path_kinds import call_for


def check(source: Experiment | Mapping[str, Any] | str | os.PathLike[str]) -> str:
    """Check a results file, a sweep or an experiment, and return in one line what was found.

    Of a results file, finished or not, and of a sweep, all bytes are compared with their checksums. Of an experiment,
    the values, the data files and the schedule of each case are checked as a run does before it starts.

    Parameters
    ----------
    source : path of a results file, of the folder of a sweep or of a collected sweep; or an experiment, its mapping,
        the path of its TOML file, or the name of a recipe.

    Raises
    ------
    UnreadableResults
        Data are not as they were written, or the file cannot be read.
    InputError
        The experiment refuses a value, or its data cannot be read.

    Examples
    --------
    >>> check("sur-gau")
    'sur-gau: OK: the gaussian family can run it: 200 generations x 1,000 replicates'
    """
    if isinstance(source, str | os.PathLike) and not _is_experiment(source):
        with call_for(source, "results", "collected", "sweep folder"):
            sweep = open_sweep(Path(source))
            if sweep is None:
                return check_line(check_run(Path(source)))
            return f"{source}: OK: checksums of {sweep.check():,} of {len(sweep.sweep):,} points match"
    cases = as_cases(source)
    for case in cases:
        plan_run(case).model()
    name = os.fspath(source) if isinstance(source, str | os.PathLike) else "experiment"
    n_cases = f"{counted(len(cases), 'case')} x " if len(cases) > 1 else ""
    run = cases[0].run
    size = f"{n_cases}{counted(run.n_generations, 'generation')} x {counted(run.n_replicates, 'replicate')}"
    return f"{name}: OK: the {cases[0].family} family can run it: {size}"


def _is_experiment(source: str | os.PathLike[str]) -> bool:
    return str(source) in recipes() or Path(source).suffix.lower() == ".toml"
