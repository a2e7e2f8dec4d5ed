"""Simulation of an experiment in one call."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from fastcollapse.api.experiment_source import ExperimentSource, as_experiment
from fastcollapse.api.progress import progress_bar
from fastcollapse.api.results import Results
from fastcollapse.config.arguments import check_function, check_path
from fastcollapse.errors import InputError
from fastcollapse.simulation.execute import execute
from fastcollapse.simulation.interrupts import Interrupts
from fastcollapse.simulation.metrics_so_far import OnBlock
from fastcollapse.simulation.other_code import warn_of_other_code
from fastcollapse.simulation.run_plan import Mode, plan_run
from fastcollapse.simulation.user_metrics import UserMetric


def simulate(
    experiment: ExperimentSource,
    path: str | Path | None = None,
    *,
    threads: int | None = None,
    block: int | None = None,
    first_replicate: int = 0,
    progress: bool | Callable[[int], None] | None = None,
    on_block: OnBlock | None = None,
    interrupts: Interrupts | None = None,
    overwrite: bool = False,
    resume: bool = False,
    memory_limit: int | str | None = None,
    metrics: Mapping[str, UserMetric] | None = None,
    model: Callable[..., Any] | str | None = None,
) -> Results:
    """Run an experiment and return its results.

    Parameters
    ----------
    experiment : an experiment, its mapping, the path of its TOML file, or the name of a recipe without cases. A missing
        seed is that of the run at `path`, or is drawn from the system and recorded.
    path : the results file (HDF5); None keeps the results in memory. A finished run of the same experiment at `path`
        is returned, so that a notebook can run all of its cells again. Anything else there needs `resume` or
        `overwrite`.
    threads : number of threads, 1 to the number of cores, by default all; never changes a number. Estimators of yours
        run in this number of processes, by default one.
    block : number of generations in a block, at least 1; by default a block takes about 0.1 s; never changes a number.
    first_replicate : number of the first replicate, so that a part of a run has the random streams of the full run.
    progress : true for a progress bar (tqdm), or a function that is called with the number of generations that were run
        since the last call. An exception in it ends the run as a kill does: generations since the last commit are lost.
        Ctrl-C saves them.
    on_block : called after each block with the metrics so far: name -> float64[R, generations so far, ...], read-only,
        generation 0 included. If it returns a true value, the run stops there, and unfinished results are returned; at
        a path they can be resumed with the same bits. The length of blocks depends on the machine, so a stop by
        `run.stop` is reproducible and this one is not, unless `block` is given. Later steps of an extension are not
        started. An exception in it ends the run as one in `progress`.
    interrupts : an active handler of signals; by default Ctrl-C is deferred, unless another handler is installed.
    overwrite : whether existing results at `path`, finished or not, are replaced.
    resume : whether the run at `path`, finished or not, is resumed up to the generations and replicates of the
        experiment, which may be more than those of the run; the result is bit-identical to an uninterrupted run of that
        size. A finished run is returned, and a missing one is started. The truth is the recorded one. Where the numbers
        of a run depend on its length, or its file has no state at its end, a warning says that a longer run is computed
        from its start.
    memory_limit : maximum memory of the process, in bytes or as text such as "2GB": blocks and parts become smaller. It
        requires a path. By default parts of 256 MiB use 0.5 GB in addition to the state of the run.
    metrics : further metrics of yours, name -> function of the state of one replicate at one generation, see
        `StateView`, that returns a number. They are recorded as the other metrics and marked as yours; a resume and a
        replay need the functions again.
    model : the estimator of an experiment of the estimator family: a callable, such as a class, that returns a new
        object with `fit` and `sample`, or its name "package.module:callable". A resume and a replay need it again.

    Raises
    ------
    InputError
        A value is not allowed, `path` cannot be written, or it has an unfinished run, another experiment, or is not a
        results file; the message names each key that differs, with both values.
    UnreadableResults
        The file to resume is damaged, or its state does not fit.
    UserCodeError
        One of `metrics` failed, or returned no finite number, or `model` failed; the generations before are saved.
    StoreError
        The results cannot be written, for example on a full disk; the committed generations are saved.
    KeyboardInterrupt
        Ctrl-C stopped the run at the end of a block; `open_results(path)` reads the committed generations.

    Examples
    --------
    >>> results = simulate({
    ...     "truth": {"probabilities": [0.25, 0.75]},
    ...     "workflow": {"name": "replace", "n_samples": 100},
    ...     "run": {"n_generations": 10, "n_replicates": 3, "seed": 1},
    ... })
    >>> results.metrics["heterozygosity"].shape
    (3, 11)
    """
    path = None if path is None else check_path("path", path)
    check_function("on_block", on_block)
    if resume and overwrite:
        raise InputError("give resume=True or overwrite=True, not both")
    mode: Mode = "extend" if resume else "overwrite" if overwrite else "reuse"
    experiment = as_experiment(experiment)
    if model is not None:
        experiment = experiment.with_code(model)
    plan = plan_run(experiment, path, mode, first_replicate=first_replicate, metrics=metrics)
    warn_of_other_code(plan)
    with progress_bar(progress, plan.n_left) as advance:
        run = execute(
            plan,
            threads=threads,
            block=block,
            progress=advance,
            interrupts=interrupts,
            memory_limit=memory_limit,
            on_block=on_block,
        )
    return Results(run.reader)
