"""Replay of a run: its experiment again, compared bit for bit."""

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from fastcollapse.api.progress import progress_bar
from fastcollapse.errors import InputError
from fastcollapse.simulation.recorded_run import RecordedRun, check_run
from fastcollapse.simulation.replay import Replay
from fastcollapse.simulation.replay import replay as run_again
from fastcollapse.sweeps.path_kinds import call_for


def replay(
    results: RecordedRun | str | Path,
    threads: int | None = None,
    progress: bool | Callable[[int], None] | None = None,
    *,
    metrics: Mapping[str, Callable[..., float]] | None = None,
    model: Callable[..., Any] | str | None = None,
) -> Replay:
    """Run the experiment of a run again, in memory, and compare every number bit for bit.

    A truth and rewards from data files are read from the results file, so that the data files are not needed. For an
    unfinished run, its committed generations are compared.

    Parameters
    ----------
    results : the results, or the path of their file, whose checksums are verified first.
    threads, progress : see `simulate`.
    metrics : the metrics of the user by name, see `simulate`; a metric that is not given is not compared.
    model : the code of a run with a model of the user, see `simulate`; results never import code.

    Returns
    -------
    The comparison: `identical`, `same`, `different` and `versions`; `str` is what `fastcollapse replay` prints.

    Raises
    ------
    InputError
        The path is of something else, no generation is recorded, or a data file has changed.
    UnreadableResults
        The file is damaged.

    Examples
    --------
    >>> from fastcollapse import simulate
    >>> replay(simulate("sur-gau")).identical
    True
    """
    if isinstance(results, RecordedRun):
        recorded = results
    elif not isinstance(results, str | os.PathLike):
        raise InputError(f"replay takes results or the path of their file, got {results!r}")
    else:
        with call_for(results, "results"):
            recorded = check_run(results, checksums_required=False)
    with progress_bar(progress, recorded.experiment.run.n_generations) as advance:
        return run_again(recorded, threads, advance, metrics=metrics, model=model)
