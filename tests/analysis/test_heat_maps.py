"""Heat maps of a sweep: numbers fit their cells, and only known theory has one."""

import itertools

import numpy as np
import pytest

from fastcollapse import open_sweep, run_sweep
from fastcollapse.errors import InputError
from fastcollapse.sweeps.points import Sweep


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    sweep = {
        "truth": {"uniform": 20},
        "workflow": {"name": "replace", "n_samples": 10},
        "run": {"n_generations": 5, "n_replicates": 20, "seed": 1},
        "sweep": {"grid": {"workflow.n_samples": [10, 100, 1000], "truth.uniform": [10, 20]}},
    }
    folder = tmp_path_factory.mktemp("sweep") / "study"
    run_sweep(Sweep(sweep), folder, shard=(1, 1))
    return open_sweep(folder)


def test_heat_maps__have_theory_beside_the_simulated_values(study):
    figure = study.plot(heat_map=True, width="two", style="paper")
    assert figure.get_figwidth() == 6.9
    titles = [axes.get_title().split("\n") for axes in figure.axes]
    assert all(axes.get_images() for axes in figure.axes)  # no empty place
    for title, after in itertools.pairwise(titles):
        if after[-1] == "theory":
            assert title[-1].startswith("simulated mean")
            assert title[0] == after[0]
    values = [axes.get_images()[0].get_array() for axes in figure.axes if axes.get_title().endswith("theory")]
    assert values
    assert all(np.isfinite(one).any() for one in values)


def test_caption__of_a_sweep(study):
    lines = study.caption(heat_map=True).split("\n")
    assert lines[0] == "Sweep: discrete."
    assert lines[1].startswith("Generation 5; 20 replicates")
    with pytest.raises(InputError, match="a heat map must be over two parameters"):
        study.caption("n_samples", {"uniform": 10}, heat_map=True)
    with pytest.raises(InputError, match="width must be one, two"):
        study.plot(width="four")
