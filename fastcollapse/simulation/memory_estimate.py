"""Estimate of the memory of a run from the sizes of its model, without running it."""

from typing import Any

from fastcollapse.simulation.experiment import Experiment
from fastcollapse.simulation.memory_budget import (
    RESERVE,
    bytes_of,
    copied_bytes,
    generation_bytes,
    keeps_state_before,
)
from fastcollapse.simulation.run_model import recorded_metrics
from fastcollapse.simulation.run_plan import plan_run
from fastcollapse.storage.hdf5_store import PART_BYTES

# Bytes of a new process after its imports (120 MB measured on Linux): the process that estimates may hold other data.
_PROGRAM_BYTES = 130_000_000


def estimate_bytes(experiment: Experiment, truth: Any = None) -> int:
    """Return about how many bytes a new process needs that runs an experiment, with the program and its compiler.

    The model with its truth and the states of all replicates are in memory, two copies of the states for a commit and
    for a signal if they are not large, another copy where the end of a block may be computed again, and at most three
    parts of results.

    Parameters
    ----------
    truth : the truth, if it is already loaded.

    Raises
    ------
    InputError
        The experiment is refused, see `plan_run`.
    """
    plan = plan_run(experiment, truth=truth)
    model, run = plan.model(), experiment.run
    state = model.initial(1, 0, 0)
    metrics = recorded_metrics(experiment, type(model))
    results = generation_bytes(model, metrics, "trajectory" in run.record) * run.n_replicates * (run.n_generations + 1)
    states, saved = (run.n_replicates * bytes_of(one) for one in (state, state.arrays()))
    fixed = _PROGRAM_BYTES + RESERVE + bytes_of(vars(model)) + model.work_bytes()
    return fixed + states + copied_bytes(saved, keeps_state_before(model, run.stop)) + min(results, 3 * PART_BYTES)
