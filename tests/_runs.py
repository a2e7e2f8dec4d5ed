"""In-memory runs with a given truth."""

from fastcollapse.simulation.execute import execute
from fastcollapse.simulation.run_plan import plan_run


def run_with_truth(experiment, truth, first_replicate=0, **settings):
    """Return the results of an experiment whose truth is given."""
    return execute(plan_run(experiment, truth=truth, first_replicate=first_replicate), **settings)
