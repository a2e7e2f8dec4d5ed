"""Plans of runs: the number of generations that are left, and the file of the results."""

import dataclasses
from pathlib import Path

from fastcollapse.simulation.experiment import Experiment
from fastcollapse.simulation.planned_run import RunPlan
from fastcollapse.simulation.run_model import model_of, recorded_metrics
from fastcollapse.simulation.run_plan import plan_run

EXPERIMENT = Experiment.from_mapping(
    {
        "truth": {"uniform": 5},
        "workflow": {"name": "replace", "n_samples": 10},
        "run": {"n_generations": 3, "n_replicates": 2, "seed": 1, "record": ["entropy", "support_size"]},
    }
)


def test_plan__counts_the_generations_of_all_steps():
    plan = plan_run(EXPERIMENT)
    assert isinstance(plan, RunPlan)
    assert (plan.n_left, plan.is_finished, plan.results_path) == (3, False, None)
    later = dataclasses.replace(plan, n_later=4, path=Path("part.h5"), final_path=Path("a.h5"))
    assert (later.n_left, later.results_path) == (7, Path("a.h5"))
    assert dataclasses.replace(later, action="join").n_left == 4


def test_model__is_that_of_the_plan_and_records_the_named_metrics():
    plan = plan_run(EXPERIMENT)
    model = model_of(EXPERIMENT, plan.truth, plan.schedule)
    assert type(model) is type(plan.model())
    assert list(recorded_metrics(EXPERIMENT, type(model))) == ["support_size", "entropy"]
