"""Models of one number: bits, long runs, and their state."""

import numpy as np
import pytest

from fastcollapse.config.workflows import Replace
from fastcollapse.models.exponential_mean.model import MODEL as EXPONENTIAL_MEAN
from fastcollapse.models.exponential_mean.model import ExponentialMeanTruth
from fastcollapse.models.scalar import ScalarState
from fastcollapse.models.stable_mean.model import MODEL as STABLE_MEAN
from fastcollapse.models.stable_mean.model import StableMeanTruth
from fastcollapse.models.uniform_maximum.model import MODEL as UNIFORM_MAXIMUM
from fastcollapse.models.uniform_maximum.model import UniformMaximumTruth
from tests.models._block_runs import IDS, WORKFLOWS, assert_bits_are_reproducible, run

TRUTHS = {
    STABLE_MEAN: StableMeanTruth(alpha=0.9, scale=2.0),
    EXPONENTIAL_MEAN: ExponentialMeanTruth(mean=3.0),
    UNIFORM_MAXIMUM: UniformMaximumTruth(theta=3.0),
}


def model(family, workflow, n_generations):
    return family(TRUTHS[family], None, workflow.schedule(n_generations, None))


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=IDS)
@pytest.mark.parametrize("family", TRUTHS, ids=lambda family: family.__name__)
def test_bits__do_not_depend_on_blocks_or_threads(family, workflow):
    assert_bits_are_reproducible(lambda: model(family, workflow, 9))


@pytest.mark.parametrize("family", TRUTHS, ids=lambda family: family.__name__)
def test_long_run__stays_finite(family):
    # The mean and the maximum of 2 points fall below the smallest float64; their logarithms do not.
    found = run(model(family, Replace(n_samples=2), 20_000), 2, 20_000)
    assert all(np.isfinite(values).all() for values in found.values())


def test_state__has_one_value_a_replicate():
    state = model(EXPONENTIAL_MEAN, Replace(n_samples=5), 3).initial(4, 1)
    assert isinstance(state, ScalarState)
    assert {name: values.shape for name, values in state.arrays().items()} == {"value": (4,), "pool": (4, 0)}
