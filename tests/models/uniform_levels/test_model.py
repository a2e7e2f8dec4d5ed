"""Uniform levels: bits, levels that are reached one by one, frozen parameters, and invalid input."""

import re

import numpy as np
import pytest

from fastcollapse.config.section_base import build
from fastcollapse.config.workflows import Accumulate, Replace
from fastcollapse.errors import InputError
from fastcollapse.models.base import ModelBlock, compute_metrics
from fastcollapse.models.uniform_levels.kernels import NO_GAP, fit
from fastcollapse.models.uniform_levels.metrics import METRICS
from fastcollapse.models.uniform_levels.model import MODEL, UniformLevelsParameters
from fastcollapse.simulation.experiment import Experiment
from tests.models._block_runs import IDS, WORKFLOWS, assert_bits_are_reproducible, run

SERVED = [(name, one) for name, one in zip(IDS, WORKFLOWS, strict=True) if name not in ("subsample", "bootstrap")]


def model(workflow, n_generations, collapse_level=1):
    return MODEL(None, UniformLevelsParameters(collapse_level), workflow.schedule(n_generations, None))


def test_fit__is_half_of_the_gap_and_at_most_a_quarter():
    alphas = np.empty(4)
    fit(np.array([0.1, NO_GAP, 0.7, NO_GAP]), alphas)
    # No point stayed in level 1, and none reached level 3.
    np.testing.assert_array_equal(alphas, [0.05, 0.25, 0.25, 0])
    fit(np.full(4, NO_GAP), alphas)
    np.testing.assert_array_equal(alphas, 0)


@pytest.mark.parametrize("workflow", [one for _, one in SERVED], ids=[name for name, _ in SERVED])
def test_bits__do_not_depend_on_blocks_or_threads(workflow):
    assert_bits_are_reproducible(lambda: model(workflow, 9, 3))


@pytest.mark.parametrize("n", [4, 10**13])
def test_accumulate__climbs_one_level_a_generation_and_keeps_its_fit(n):
    found = run(model(Accumulate(n, keep_real=True), 50, 5), 2000, 50)
    level, distance = found["level"], found["total_variation"]
    assert set(np.unique(np.diff(level))) == {0, 1}
    assert level.max() == 5
    is_collapsed = level == 5
    # The distance is 1 - 1/(2 J) for J = 6, and until then that of the first fit.
    np.testing.assert_array_equal(distance[is_collapsed], 1 - 1 / 12)
    first = np.broadcast_to(distance[:, :1], distance.shape)
    np.testing.assert_array_equal(distance[~is_collapsed], first[~is_collapsed])
    assert (distance[~is_collapsed] <= 0.5).all()


def test_replace__of_few_points_may_recover():
    level = run(model(Replace(2), 300), 200, 300)["level"]
    assert (np.diff(level) < 0).any()


def test_metrics__equal_their_definitions():
    block = ModelBlock({"level": np.array([[0.0, 0.0, 1.0]]), "total_variation": np.array([[0.0, 0.5, 0.75]])})
    got = compute_metrics(METRICS, block, None, METRICS)
    np.testing.assert_array_equal(got["collapsed"], [[0, 0, 1]])
    np.testing.assert_array_equal(got["level"], block.states["level"])
    np.testing.assert_array_equal(got["total_variation"], block.states["total_variation"])


def test_parameters__invalid_values_give_a_one_line_error():
    for level, problem in ((0, "at least 1, got 0"), (101, "at most 100, got 101")):
        with pytest.raises(InputError, match=f"^model.collapse_level must be {problem}$"):
            build(UniformLevelsParameters, {"collapse_level": level})


@pytest.mark.parametrize("family", ["uniform_levels", "hidden_interval"])
def test_subsamples__are_refused_by_name(family):
    sections = {
        "model": {"family": family},
        "workflow": {"name": "accumulate_subsample", "n_samples": 5, "keep_real": True, "replacement": False},
        "run": {"n_generations": 1, "n_replicates": 1},
    }
    message = f"the {family} family does not support a fit to a subsample of the pool (capability 'subsample')"
    with pytest.raises(InputError, match=re.escape(message)):
        Experiment.from_mapping(sections)
