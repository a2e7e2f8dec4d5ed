"""The largest and the smallest number that each key accepts: the run and its results are shown, or it is refused.

What cannot be represented, or is beyond the theory of the results, must not be found after the run.
"""

import re
import warnings

import pytest

from fastcollapse import Experiment, simulate
from fastcollapse.errors import InputError, NonFiniteError
from fastcollapse.models.registry import families
from fastcollapse.simulation.example_experiments import example_experiments
from fastcollapse.simulation.parameter_table import parameters

LADDER = (1e-300, 1e-100, 1e-40, 1e-30, 1e-15, 1e-6, 1e-3, 0.5, 1.0, 1e3, 1e6, 1e15, 1e30, 1e40, 1e100, 1e150, 1e300)
FEW = {"run.n_generations": 4, "run.n_replicates": 3, "run.seed": 1}
SECTIONS = ("model", "truth", "sampling")
# Their experiments take seconds each.
SLOW = ("kernel_ridge", "ngram")


def accepts(experiment, key, value):
    try:
        return experiment.with_values({key: value})
    except InputError:
        return None


def extremes(family, workflow):
    """Yield the experiments of a family whose value of one key is the smallest or the largest that it accepts."""
    (example, *_) = [one for one in example_experiments(family) if one["workflow"]["name"] == workflow]
    experiment = Experiment.from_mapping(example).with_values(FEW)
    for key in (parameter.key for parameter in parameters(family)):
        if key.partition(".")[0] in SECTIONS:
            made = [one for value in LADDER if (one := accepts(experiment, key, value)) is not None]
            yield from ((key, one) for one in made[:: max(1, len(made) - 1)])


@pytest.mark.parametrize("workflow", ["replace", "accumulate"])
@pytest.mark.parametrize(
    "family", [pytest.param(name, marks=[pytest.mark.slow] if name in SLOW else []) for name in families()]
)
def test_extremes__are_shown_or_refused(family, workflow):
    n_shown = 0
    for key, experiment in extremes(family, workflow):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)
            warnings.simplefilter("error", RuntimeWarning)
            try:
                results = simulate(experiment, threads=1)
            except (InputError, NonFiniteError):
                continue
            text = results.summary()
            assert not re.search(r"\bnan\b|[^\s=]{40,}\.\d", text), (key, text)
            results.compare()
            results.profile()
            n_shown += 1
    assert n_shown or not any(extremes(family, workflow))
