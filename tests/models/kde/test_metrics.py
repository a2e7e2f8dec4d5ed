"""Metrics of density estimates, against numerical integrals and the naive twin.

Every variant of every workflow runs in one dimension; the points of the trajectory give the density of each fit.
"""

import numpy as np
import pytest
from scipy import stats

from fastcollapse import Experiment, simulate
from fastcollapse.datasets.load import load_truth
from fastcollapse.kernels.density.log_sums import add_log_sums
from fastcollapse.models.kde import likelihood, squared_gap, waves
from fastcollapse.models.kde.errors import GRID_POINTS
from fastcollapse.models.kde.metrics import ROLES
from fastcollapse.models.kde.model import Kde
from fastcollapse.simulation.profile.evidence import limit_of
from fastcollapse.simulation.schedules import schedule_of
from tests._runs import run_with_truth
from tests.naive import kde as twin
from tests.test_conformance import SERVED

N_GENERATIONS, N_REPLICATES = 4, 2
LINE = {"weights": [0.3, 0.7], "means": [-2.0, 1.0], "covariances": [0.5, 1.5]}
PLANE = {"weights": [0.4, 0.6], "means": [[0.0, 0.0], [2.0, 1.0]], "covariances": [[[1.0, 0.6], [0.6, 1.0]], 0.5]}
X = np.linspace(-24, 24, 16_001)
ALL = ["nll", "ise", "w1", "mmd", "trajectory", "second_moment", "within_variance", "centre"]


def run(truth, bandwidth, workflow, record=ALL, **numbers):
    made = Experiment.from_mapping(
        {
            "model": {"family": "kde", "bandwidth": bandwidth},
            "truth": {"n_test": 30, **truth},
            "workflow": workflow,
            "run": {"n_generations": N_GENERATIONS, "n_replicates": N_REPLICATES, "seed": 9, "record": record}
            | numbers,
        }
    )
    return made, simulate(made, block=2)


def fits_of(made, results):
    """Yield replicate, generation, the fit in the form of the twin, and the held-out points."""
    truth = load_truth(made.truth)
    schedule = schedule_of(made, None)
    model = Kde(truth, made.model, schedule, made.run.record)
    tests = model.initial(results.n_replicates, made.run.seed).tests
    for t in range(1, results.last + 1):
        weight, real_weight = model._plan.weights(t)
        for r in range(results.n_replicates):
            points = results.sample("points", r, t)
            n_real = int(schedule.n_real[t - 1]) if model._plan.is_beside else 0
            groups = [(points[: len(points) - n_real], weight), (points[len(points) - n_real :], real_weight)]
            h = made.model.bandwidth if isinstance(made.model.bandwidth, str) else model._plan.bandwidths[t - 1]
            yield r, t, ([one for one in groups if len(one[0])], twin.kernel_factor(h, points)), tests[r]


def density(fit, x=X):
    return np.exp(twin.log_density(fit, x[:, None]))


def line_density(x=X):
    parts = zip(LINE["weights"], LINE["means"], LINE["covariances"], strict=True)
    return sum(w * stats.norm.pdf(x, m, np.sqrt(v)) for w, m, v in parts)


def check_line(made, results):
    """Compare all metrics of a run in one dimension with integrals over X."""
    step, mean = X[1] - X[0], np.dot(LINE["weights"], LINE["means"])
    variance = np.dot(LINE["weights"], np.array(LINE["covariances"]) + (np.array(LINE["means"]) - mean) ** 2)
    grid = np.linspace(mean - 6 * np.sqrt(variance), mean + 6 * np.sqrt(variance), GRID_POINTS)
    for r, t, fit, tests in fits_of(made, results):
        got = {name: values[r, t] for name, values in results.metrics.items()}
        gap = density(fit) - line_density()
        assert got["nll"] == pytest.approx(twin.nll(fit, tests), rel=1e-13)
        assert got["ise"] == pytest.approx(np.square(gap).sum() * step, rel=1e-9)
        # The kernel of the discrepancy, as a convolution on the grid.
        window = np.exp(-0.5 * (np.arange(-1400, 1401) * step / 0.5) ** 2)
        smooth = np.convolve(gap, window, mode="same") * step
        assert got["mmd"] == pytest.approx(np.sqrt((gap * smooth).sum() * step), rel=1e-6)
        distances = np.abs(np.interp(grid, X + step / 2, np.cumsum(gap) * step))
        assert got["w1"] == pytest.approx(np.trapezoid(distances, grid), rel=2e-5)
        centre, spread = twin.moments(fit)
        assert got["centre"] == pytest.approx((centre[0] - mean) ** 2, rel=1e-10, abs=1e-14)
        assert got["within_variance"] == pytest.approx(spread[0], rel=1e-11)
        assert got["second_moment"] == pytest.approx(spread[0] + (centre[0] - mean) ** 2, rel=1e-11)
    # Negative control: the error of another bandwidth.
    groups, factor = fit
    assert got["ise"] != pytest.approx(
        np.square(density((groups, 1.01 * factor)) - line_density()).sum() * step, rel=1e-4
    )


@pytest.mark.parametrize("workflow", SERVED["kde"], ids=lambda workflow: ", ".join(map(str, workflow.values())))
def test_metrics__equal_integrals_under_every_workflow(workflow):
    check_line(*run({"normal_mixture": LINE}, 0.4, workflow))


@pytest.mark.parametrize("bandwidth", ["silverman", "scaled", {"start": 0.5, "power": -0.25}])
@pytest.mark.parametrize("keep", [True, False])
def test_metrics__equal_integrals_with_changing_bandwidths(bandwidth, keep):
    workflow = {"name": "accumulate", "n_samples": 12, "keep_real": keep}
    check_line(*run({"normal_mixture": LINE}, bandwidth, workflow))


def test_errors__by_waves_equal_those_by_pairs(monkeypatch):
    workflow = {"name": "accumulate", "n_samples": 40, "keep_real": True, "window": 3}
    for values in (0.3, "scott"):
        for flow in (workflow, {name: value for name, value in workflow.items() if name != "window"}):
            _, by_waves = run({"normal_mixture": LINE}, values, flow, n_generations=9)
            with monkeypatch.context() as patched:
                patched.setattr(waves, "_MAX_NODES", 0)
                _, by_pairs = run({"normal_mixture": LINE}, values, flow, n_generations=9)
            for name in ("ise", "mmd", "w1"):
                np.testing.assert_allclose(by_waves.metrics[name], by_pairs.metrics[name], rtol=1e-10, atol=1e-15)
                assert not np.array_equal(by_waves.metrics[name], by_pairs.metrics[name])


def test_ise__in_two_dimensions_equals_integral():
    side = np.linspace(-9, 12, 300)
    x = np.stack(np.meshgrid(side, side), axis=-1).reshape(-1, 2)
    cell = (side[1] - side[0]) ** 2
    for bandwidth in (0.4, "scaled"):
        made, results = run(
            {"normal_mixture": PLANE},
            bandwidth,
            {"name": "replace", "n_samples": 15},
            ["ise", "trajectory"],
            n_generations=2,
        )
        expected = sum(
            w * stats.multivariate_normal.pdf(x, m, np.eye(2) * v if np.isscalar(v) else v)
            for w, m, v in zip(*(PLANE[key] for key in ("weights", "means", "covariances")), strict=True)
        )
        for r, t, fit, _ in fits_of(made, results):
            square = np.square(np.exp(twin.log_density(fit, x)) - expected).sum() * cell
            assert results.metrics["ise"][r, t] == pytest.approx(square, rel=1e-8)


@pytest.mark.parametrize("shape", ["circles", "moons"])
def test_ise__of_curves_equals_integral(shape):
    side = np.linspace(-3.2, 4.2, 140)
    x = np.stack(np.meshgrid(side, side), axis=-1).reshape(-1, 2)
    workflow = {"name": "replace", "n_samples": 20}
    made, results = run({"shape": shape, "noise": 0.1}, 0.3, workflow, ["ise", "trajectory"], n_generations=1)
    # Simpson's rule over half a turn of each curve: nodes of equal weights form a group.
    angles = np.pi * np.arange(401) / 400
    rule = [(angles[1::2], 2 / 3), (angles[2:-1:2], (1 - 1 / 200) / 3), (angles[[0, -1]], 1 / 600)]
    groups = []
    for nodes, weight in rule:
        upper = np.column_stack([np.cos(nodes), np.sin(nodes)])
        curves = [upper, np.array([1, 0.5]) - upper] if shape == "moons" else [upper, -upper, 0.8 * upper, -0.8 * upper]
        groups += [(curve, weight / len(curves)) for curve in curves]
    expected = np.exp(twin.log_density((groups, 0.1 * np.eye(2)), x))
    for r, t, fit, _ in fits_of(made, results):
        square = np.square(np.exp(twin.log_density(fit, x)) - expected).sum() * (side[1] - side[0]) ** 2
        assert results.metrics["ise"][r, t] == pytest.approx(square, rel=1e-6)


def test_nll__of_truth_is_its_entropy():
    """Generation 0 against -int f ln f, |z| < 4."""
    _, results = run(
        {"normal_mixture": LINE, "n_test": 4000}, 0.3, {"name": "replace", "n_samples": 5}, ["nll"], n_generations=1
    )
    f = line_density()
    logs = np.log(np.maximum(f, 1e-300))
    entropy, square = -(f * logs).sum() * (X[1] - X[0]), (f * logs**2).sum() * (X[1] - X[0])
    z = (results.metrics["nll"][:, 0] - entropy) / np.sqrt((square - entropy**2) / 4000)
    assert (np.abs(z) < 4).all()


FIXED = {"name": "mix", "n_samples": 40, "n_real": 30, "real": "fixed"}


@pytest.mark.parametrize("keys", [{}, {"weight": 0.3}])
def test_nll__of_fixed_real_points_is_computed_once(keys, monkeypatch):
    truth = {"normal_mixture": PLANE, "n_test": 500}
    counts = []

    def counted(points, first, end, *others):
        counts.append(end - first)
        return add_log_sums(points, first, end, *others)

    monkeypatch.setattr(likelihood, "add_log_sums", counted)
    made, got = run(truth, 0.4, FIXED | keys, ["nll", "trajectory"], n_generations=6)
    assert sum(counts) == 30 + 6 * 40
    monkeypatch.setattr(likelihood.Likelihood, "fixed_sums", lambda *_: None)
    _, direct = run(truth, 0.4, FIXED | keys, ["nll"], n_generations=6)
    np.testing.assert_allclose(got.metrics["nll"], direct.metrics["nll"], rtol=3e-15)
    for r, t, fit, tests in fits_of(made, got):
        assert got.metrics["nll"][r, t] == pytest.approx(twin.nll(fit, tests), rel=1e-13)
    # Negative control: fresh real points in place of the fixed ones.
    _, fresh = run(truth, 0.4, FIXED | keys | {"real": "fresh"}, ["nll"], n_generations=6)
    assert not np.allclose(fresh.metrics["nll"][:, 2:], direct.metrics["nll"][:, 2:], rtol=1e-6)


def test_nll__of_fixed_real_points_and_changing_bandwidths():
    for bandwidth in ([0.4, 0.3, 0.4, 0.2], "scaled"):
        made, got = run({"normal_mixture": PLANE}, bandwidth, FIXED, ["nll", "trajectory"])
        for r, t, fit, tests in fits_of(made, got):
            assert got.metrics["nll"][r, t] == pytest.approx(twin.nll(fit, tests), rel=1e-13)


@pytest.mark.parametrize("truth", [{"shape": "blobs"}, {"shape": "swiss_roll"}, {"normal_mixture": LINE}])
@pytest.mark.parametrize("bandwidth", [0.3, "scott", "silverman"])
def test_nll__equals_direct_sums_and_score_of_scikit_learn(truth, bandwidth):
    workflow = {"name": "accumulate", "n_samples": 50, "keep_real": True}
    made, results = run({**truth, "n_test": 500}, bandwidth, workflow, ["nll", "trajectory"])
    cases = list(fits_of(made, results))
    for r, t, fit, tests in cases:
        assert results.metrics["nll"][r, t] == pytest.approx(twin.nll(fit, tests), abs=1e-12)
    neighbors = pytest.importorskip("sklearn.neighbors")
    for r, t, _, tests in cases:
        # In one leaf: with several, the tree of scikit-learn adds an error of 1e-9.
        theirs = neighbors.KernelDensity(bandwidth=bandwidth, leaf_size=10**6)
        score = theirs.fit(results.sample("points", r, t)).score(tests)
        assert results.metrics["nll"][r, t] == pytest.approx(-score / 500, abs=1e-10)


def test_risk__has_a_limit_for_constant_bandwidths():
    nll, ise = ROLES["risk"]
    accumulate = {"name": "accumulate", "n_samples": 10, "keep_real": True}
    cases = [
        ({"name": "replace", "n_samples": 10}, {0.3: True, "scott": True, "scaled": None}),
        (accumulate, {0.3: True, "scott": None, "scaled": None}),
        ({**accumulate, "keep_real": False}, {0.3: None}),
    ]
    for workflow, expected in cases:
        for bandwidth, reached in expected.items():
            _, results = run({"normal_mixture": LINE}, bandwidth, workflow, ["nll"], n_generations=1)
            limit = limit_of(results, nll)
            assert (limit and limit.reached) == reached
            limit = limit_of(results, ise)
            assert (limit and limit.reached) == (None if reached is None else False)


def test_metrics__of_a_truth_without_density_are_missing():
    for truth in ({"shape": "swiss_roll"}, {"shape": "moons", "noise": 0.001}):
        _, results = run(truth, 0.5, {"name": "replace", "n_samples": 10}, ["nll", "ise", "second_moment"])
        assert np.isnan(results.metrics["ise"]).all()
        assert np.isnan(results.metrics["nll"][:, 0]).all()
        assert np.isfinite(results.metrics["nll"][:, 1:]).all()
        assert np.isfinite(results.metrics["second_moment"]).all()


def test_metrics__that_cost_too_much_are_missing_and_said_so(monkeypatch):
    monkeypatch.setattr(squared_gap, "MAX_PAIRED", 50)
    monkeypatch.setattr("fastcollapse.models.kde.errors.MAX_PAIRED", 50)
    workflow = {"name": "accumulate", "n_samples": 20, "keep_real": True}
    with pytest.warns(UserWarning, match="ise is not evaluated at 2 of 4 generations: the fit has more than 50 points"):
        _, results = run({"shape": "blobs"}, 0.5, workflow, ["nll", "ise"])
    assert np.isfinite(results.metrics["ise"]).all(axis=0).tolist() == [True, True, True, False, False]
    with pytest.warns(UserWarning, match="nll is evaluated at 20 of 50 generations: the bandwidth changes while"):
        _, results = run({"shape": "blobs"}, "scott", workflow, ["nll"], n_generations=50)
    evaluated = np.flatnonzero(np.isfinite(results.metrics["nll"]).all(axis=0))
    assert evaluated[[0, 1, -1]].tolist() == [0, 1, 50]
    assert len(evaluated) == 21


@pytest.mark.parametrize("workflow", ["replace", "accumulate"])
def test_metrics__on_request_do_not_depend_on_threads_blocks_and_other_replicates(workflow):
    keys = {"keep_real": True} if workflow == "accumulate" else {}
    flow = {"name": workflow, "n_samples": 70, **keys}
    made, expected = run({"normal_mixture": LINE}, 0.3, flow, ["nll", "ise", "w1", "mmd"], n_replicates=3)
    truth = load_truth(made.truth)
    assert_equal(simulate(made, threads=1, block=1).metrics, expected.metrics)
    for first in range(3):
        part = run_with_truth(made.with_values({"run.n_replicates": 1}), truth, first_replicate=first)
        assert_equal(part.metrics, {name: values[first : first + 1] for name, values in expected.metrics.items()})


def assert_equal(got, expected):
    for name, values in expected.items():
        np.testing.assert_array_equal(got[name], values, err_msg=name)
