"""Observed generations: those between them are skipped, exactly in law.

A |z| above 4 and a p-value below 1e-5 are rejected.
"""

import numpy as np
import pytest
from scipy import stats

from fastcollapse import Experiment, InputError, simulate
from fastcollapse.analysis.panels.registry import panels_of
from fastcollapse.analysis.tables import tables_of
from fastcollapse.config.fields import ValidationErrors
from fastcollapse.models.kde import sampler
from fastcollapse.theory.density.mise import kde_mise
from fastcollapse.theory.density.moments import kde_second_moment, kde_within_variance
from tests._goodness_of_fit import z_scores

P_LIMIT = 1e-5
NORMAL = {"normal_mixture": {"weights": [1.0], "means": [0.0], "covariances": [1.0]}, "n_test": 10}
SIZES = [12, 8, 10, 10, 5, 9, 9, 9, 12, 7]
BANDWIDTHS = [0.3, 0.5, 0.4, 0.4, 0.6, 0.2, 0.3, 0.3, 0.5, 0.4]
METRICS = ["ise", "nll", "second_moment", "within_variance", "centre"]


def run(observed, record=METRICS, truth=NORMAL, bandwidth=BANDWIDTHS, workflow=None, block=None, **numbers):
    model = {"family": "kde", "bandwidth": bandwidth} | ({} if observed is None else {"observed": observed})
    made = Experiment.from_mapping(
        {
            "model": model,
            "truth": truth,
            "workflow": workflow or {"name": "replace", "n_samples": SIZES},
            "run": {"n_generations": 10, "n_replicates": 3000, "seed": 5, "record": list(record), **numbers},
        }
    )
    return simulate(made, block=block)


def test_observed__have_exact_errors_and_moments():
    results = run([4, 9])
    at = np.array([1, 4, 9, 10])
    for name in METRICS:
        known = np.isfinite(results.metrics[name])
        np.testing.assert_array_equal(known.all(axis=0), np.isin(np.arange(11), [0, *at]))
        np.testing.assert_array_equal(known.any(axis=0), known.all(axis=0))
    second, within = kde_second_moment(BANDWIDTHS, SIZES), kde_within_variance(BANDWIDTHS, SIZES)
    exact = {"ise": kde_mise(BANDWIDTHS, SIZES), "second_moment": second, "within_variance": within}
    exact["centre"] = second - within
    for name, expected in exact.items():
        # 16 scores in all.
        assert (np.abs(z_scores(results.metrics[name][:, at], expected[at])) < 4).all()
    # Negative control: one generation off, where the sizes and bandwidths of the generations are others.
    off = np.array([1, 3, 8, 9])
    for name in ("ise", "second_moment", "centre"):
        assert (np.abs(z_scores(results.metrics[name][:, at[1:]], exact[name][off[1:]])) > 4).any()


def test_observed__have_the_joint_law_of_the_chain():
    names = ["second_moment", "trajectory"]
    skipped, chain = (run(observed, names, seed=seed) for observed, seed in (([4], 5), (None, 6)))

    def columns(results):
        mean, variance = results.states["mean"][..., 0], results.states["variance"][..., 0]
        return [mean[:, 10] - mean[:, 4], mean[:, 4] - mean[:, 1], variance[:, 10] / variance[:, 4], mean[:, 10]]

    pairs = list(zip(columns(skipped), columns(chain), strict=True))
    assert min(stats.ks_2samp(mine, other).pvalue for mine, other in pairs) > P_LIMIT
    # Negative control: the generations of other replicates.
    mean = skipped.states["mean"][..., 0]
    assert stats.ks_2samp(np.roll(mean[:, 10], 1) - mean[:, 4], pairs[0][1]).pvalue < P_LIMIT


def test_observed__draw_nothing_between(monkeypatch):
    drawn = []
    real = sampler.draw_descendants

    def counted(points, sizes, *others):
        drawn.append(len(sizes))
        real(points, sizes, *others)

    monkeypatch.setattr(sampler, "draw_descendants", counted)
    results = run([2, 6], [*METRICS, "trajectory"], {"shape": "moons", "n_test": 5}, n_replicates=3)
    assert drawn == [4, 4]
    sizes = [len(results.sample("points", 2, t)) for t in range(11)]
    assert sizes == [0, 12, 8, 0, 0, 0, 9, 0, 0, 0, 7]
    for name in ("mean", "variance"):
        assert np.isnan(results.states[name][:, [3, 9]]).all()
    every = run(list(range(1, 11)), n_replicates=3)
    plain = run(None, n_replicates=3)
    for name, values in plain.metrics.items():
        np.testing.assert_array_equal(every.metrics[name], values)


def test_observed__in_equal_ratios():
    results = run("log", ["nll"], bandwidth=0.3, workflow={"name": "replace", "n_samples": 5}, n_generations=1000,
                  n_replicates=2)  # fmt: skip
    at = np.flatnonzero(np.isfinite(results.metrics["nll"]).all(axis=0))
    assert 25 <= len(at) <= 35
    assert {0, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1000} <= set(at.tolist())


def test_observed__are_those_of_panels_and_tables():
    record = ["metrics", "trajectory"]
    results = run([2, 6], record, {"shape": "moons", "n_test": 5}, n_replicates=40)
    every = np.arange(11)
    nll, second, within, centre = panels_of(results, every, ["nll", "second_moment", "within_variance", "centre"])
    for panel in (nll, second, within, centre):
        assert [t for t in panel.curve.at.tolist() if t] == [1, 2, 6, 10]
        assert np.isfinite(panel.curve.mean).all()
    assert nll.note == "the negative log density is taken at 4 of 10 generations"
    assert [panel.curve.at.tolist() for panel in panels_of(results, every, ["points"])] == [[1], [10]]
    assert "nan" not in tables_of(results)


@pytest.mark.parametrize(
    ("observed", "more", "message"),
    [
        ("lag", {}, r"model.observed must be one of log, got 'lag'"),
        (3, {}, "model.observed must be list of generations, or log, got 3"),
        ([0], {}, r"model.observed\[0\] must be at least 1, got 0"),
        ([], {}, "model.observed must be a list of at least 1"),
        ([5, 11], {}, "model.observed must be generations of the run, at most 10, got 11"),
        ("log", {"bandwidth": "scaled"}, "model.observed must be absent where model.bandwidth is 'scaled'"),
        (
            "log",
            {"workflow": {"name": "accumulate", "n_samples": 5, "keep_real": True}},
            "model.observed must be absent unless workflow.name is 'replace' without other keys",
        ),
        (
            "log",
            {"workflow": {"name": "mix", "n_samples": 5, "n_real": 5, "real": "fresh"}},
            "model.observed must be absent unless workflow.name is 'replace'",
        ),
    ],
)
def test_observed__is_refused_in_one_line(observed, more, message):
    with pytest.raises((InputError, ValidationErrors), match=message) as error:
        run(observed, n_replicates=2, **more)
    assert "\n" not in str(error.value)
