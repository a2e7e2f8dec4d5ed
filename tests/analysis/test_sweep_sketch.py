"""Small figure of a sweep: its values, which points it has, and when there is none."""

import numpy as np
import pytest

import fastcollapse
from fastcollapse.analysis.sweep_sketch import sketch_sweep
from fastcollapse.api.sweep_results import open_sweep
from fastcollapse.errors import InputError
from fastcollapse.sweeps.collected_results import open_sweep as find_sweep
from fastcollapse.sweeps.folder import SweepFolder

SWEEP = {
    "truth": {"uniform": 20},
    "workflow": {"name": "replace"},
    "run": {"n_generations": 6, "n_replicates": 3, "seed": 1},
    "sweep": {"grid": {"workflow.n_samples": [5, 10, 100], "truth.uniform": [10, 20]}},
}


def curves(source):
    (axes,) = sketch_sweep(source).axes
    return axes, [line.get_ydata() for line in axes.lines]


def test_sketch__has_the_means_at_the_last_generation(tmp_path):
    fastcollapse.run_sweep(SWEEP, tmp_path / "study")
    study = open_sweep(tmp_path / "study")
    study.save(tmp_path / "study.h5")
    expected = [one.metrics["support_size"][:, -1].mean() for one in study]
    for path in ("study", "study.h5"):
        axes, drawn = curves(find_sweep(tmp_path / path))
        assert np.transpose(drawn).ravel().tolist() == expected
        assert (axes.get_xlabel(), axes.get_xscale()) == ("samples per generation $n$", "log")
        assert [text.get_text() for text in axes.get_legend().get_texts()] == ["$K$ = 10", "$K$ = 20"]


def test_sketch__of_an_unfinished_sweep_is_through_its_first_point(tmp_path):
    wide = {"grid": {"workflow.n_samples": [5, 6, 7], "truth.uniform": [5, *range(10, 60)]}}
    fastcollapse.run_sweep({**SWEEP, "sweep": wide}, tmp_path / "study", shard=(150, 153))
    source = SweepFolder(tmp_path / "study")
    assert len(source.done()) == 1
    axes, drawn = curves(source)
    assert sum(np.isfinite(values).sum() for values in drawn) == 1
    assert len(axes.lines[0].get_xdata()) <= 21
    empty = fastcollapse.run_sweep(SWEEP, tmp_path / "empty", shard=(1, 7))
    assert empty is not None
    for point in (tmp_path / "empty" / "points").iterdir():
        point.unlink()
    with pytest.raises(InputError, match="a figure must have finished points, got none in"):
        sketch_sweep(SweepFolder(tmp_path / "empty"))


def test_sketch__of_runs_that_a_condition_ended_has_their_last_generation(tmp_path):
    stopped = {**SWEEP, "run": {**SWEEP["run"], "n_generations": 500, "stop": "support_size == 1"}}
    stopped["sweep"] = {"grid": {"workflow.n_samples": [3, 5]}}
    fastcollapse.run_sweep(stopped, tmp_path / "study")
    open_sweep(tmp_path / "study").save(tmp_path / "study.h5")
    for path in ("study", "study.h5"):
        assert curves(find_sweep(tmp_path / path))[1][0].tolist() == [1, 1]
