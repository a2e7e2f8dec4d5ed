"""A check that the code of the user gives the numbers that a run has recorded."""

import dataclasses
import warnings

import numpy as np

from fastcollapse.errors import FastcollapseError, InputWarning
from fastcollapse.simulation.execute import execute
from fastcollapse.simulation.planned_run import RunPlan
from fastcollapse.simulation.recorded_run import RecordedRun
from fastcollapse.simulation.run_plan import plan_run
from fastcollapse.simulation.same_experiment import recorded_truth

# Sums may differ in their last bits on another machine.
_TOLERANCE = 1e-6


def warn_of_other_code(plan: RunPlan) -> None:
    """Warn where a run at a path is returned or continued, and its first generations are those of other code.

    A results file has no code, and its experiment has names alone, so that a function or a class that was edited is the
    same experiment. One replicate is run to generation 1, or 2 where only the sample of an estimator can differ.

    Parameters
    ----------
    plan : a plan of a run with the code that is given for it.
    """
    recorded = plan.extended or plan.existing
    takes_code = type(plan.experiment.model).names_code
    if recorded is None or recorded.last < 1 or not (plan.metrics or takes_code):
        return
    try:
        found = _difference(plan, recorded, takes_code)
    except FastcollapseError:  # the code fails, or is not given: the run says so, if it needs it
        return
    if found:
        advice = "overwrite=True, or --overwrite, runs it again"
        text = f"{recorded.path} has numbers of other code than that given now: {found}; {advice}"
        warnings.warn(InputWarning(text), stacklevel=3)


def _difference(plan: RunPlan, recorded: RecordedRun, takes_code: bool) -> str:
    """Return the first number that differs, or ""."""
    names = [name for name in recorded.metrics if takes_code or name in plan.metrics]
    first = {name: np.asarray(recorded.metrics[name][0]) for name in names}
    has_scores = not takes_code or any(np.isfinite(first[name][1]).all() for name in names if name == "nll")
    last = min(recorded.last, 1 if has_scores else 2)
    experiment = dataclasses.replace(plan.experiment, run=dataclasses.replace(plan.experiment.run, n_replicates=1))
    one = plan_run(
        experiment,
        truth=recorded_truth(recorded),
        first_replicate=recorded.first_replicate,
        recorded=recorded,
        metrics=plan.metrics,
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the run itself gives its warnings
        got = execute(
            dataclasses.replace(one, engine=recorded.engine),
            block=1,
            on_block=lambda metrics: next(iter(metrics.values())).shape[1] > last,
        )
    for t in range(last + 1):
        for name in names:
            if name not in got.metrics or got.last < t:
                continue
            old, new = np.atleast_1d(first[name][t]), np.atleast_1d(got.metrics[name][0, t])
            if old.shape != new.shape or not np.allclose(old, new, _TOLERANCE, _TOLERANCE, equal_nan=True):
                shown = f", {old[0]:.6g} there and {new[0]:.6g} here" if old.size == 1 == new.size else ""
                return f"{name} of replicate {recorded.first_replicate} at generation {t}{shown}"
    return ""
