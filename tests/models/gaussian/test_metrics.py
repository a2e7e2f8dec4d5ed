"""Metrics of Gaussian laws: definitions, symmetries, and extreme states."""

import decimal
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fastcollapse import simulate
from fastcollapse.models.base import ModelBlock
from fastcollapse.models.gaussian.metrics import METRICS, eigenvalues, metrics_of
from fastcollapse.models.gaussian.parameters import GaussianTruth
from fastcollapse.simulation.experiment import Experiment

FEW = settings(deadline=None, max_examples=40)
SEEDS = st.integers(0, 10**6)
DIMENSIONS = st.integers(1, 7)


def naive(mean, covariance, mean_0, covariance_0):
    """Return the metrics of one law of full rank by their definitions."""
    d = len(mean)
    values = np.linalg.eigvalsh(covariance)
    shares = values / values.sum()
    shift = mean - mean_0
    log_det = np.log(np.linalg.det(covariance))
    inverse = np.linalg.inv(covariance_0)
    kl = np.trace(inverse @ covariance) - d + shift @ inverse @ shift - log_det + np.log(np.linalg.det(covariance_0))
    root = square_root(covariance_0)
    middle = np.trace(square_root(root @ covariance @ root))
    return {
        "log_det": log_det,
        "log_sigma": log_det / (2 * d),
        "trace_ratio": np.trace(covariance) / np.trace(covariance_0),
        "squared_error": shift @ shift,
        "effective_rank": np.exp(-(shares * np.log(shares)).sum()),
        "largest_share": shares.max(),
        "kl_divergence": kl / 2,
        "wasserstein2": shift @ shift + np.trace(covariance) + np.trace(covariance_0) - 2 * middle,
    }


def exact(mean, factor, mean_0, factor_0):
    """Return the divergence and, in two dimensions or one, the squared distance of two laws with 60 digits.

    The laws are means (d) and lower factors (d, d). The trace of the root of a matrix M of two rows is the root of
    tr M + 2 root det M.
    """
    with decimal.localcontext(prec=60):
        shift = exactly(mean) - exactly(mean_0)
        factor, factor_0 = exactly(factor), exactly(factor_0)
        d, inverse = len(shift), solve_lower(factor_0, exactly(np.eye(len(shift))))
        unit, step = inverse @ factor, inverse @ shift
        logs = sum((unit[i, i] ** 2).ln() for i in range(d))
        kl = ((unit * unit).sum() - d - logs + step @ step) / 2
        covariance, covariance_0 = factor @ factor.T, factor_0 @ factor_0.T
        middle = np.trace(covariance_0 @ covariance)
        if d == 2:
            middle += 2 * abs(np.prod(factor.diagonal()) * np.prod(factor_0.diagonal()))
        distance = shift @ shift + np.trace(covariance) + np.trace(covariance_0) - 2 * middle.sqrt()
    return {"kl_divergence": float(kl)} | ({"wasserstein2": float(distance)} if d <= 2 else {})


def exactly(values):
    """Return an array of decimals."""
    return np.array([Decimal(float(value)) for value in np.ravel(values)], dtype=object).reshape(np.shape(values))


def solve_lower(lower, right):
    """Return the solution of a lower-triangular system of decimals."""
    out = right.copy()
    for i in range(len(lower)):
        out[i] = (right[i] - lower[i, :i] @ out[:i]) / lower[i, i] if i else right[0] / lower[0, 0]
    return out


def square_root(matrix):
    values, vectors = np.linalg.eigh(matrix)
    return vectors @ np.diag(np.sqrt(np.maximum(values, 0))) @ vectors.T


def states_of(means, covariances):
    """Return the states (R, B, ...) of laws."""
    if means.shape[-1] == 1:
        return {"mean": means[..., 0], "log_sigma": 0.5 * np.log(covariances[..., 0, 0])}
    factor = np.linalg.cholesky(covariances)
    return {"mean": means, "factor": factor, "log_diagonal": np.log(np.diagonal(factor, axis1=-2, axis2=-1))}


def some_covariances(rng, d, *shape):
    points = rng.normal(size=(*shape, d, d + 3))
    return points @ points.swapaxes(-1, -2) / d


def truth_of(mean, covariance):
    d = len(mean)
    if d == 1:
        return GaussianTruth(mean=float(mean[0]), sigma=float(np.sqrt(covariance[0, 0])))
    return GaussianTruth(dimension=d, mean=tuple(mean), covariance=tuple(map(tuple, (covariance + covariance.T) / 2)))


def some_laws(d, seed):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(2, 3, d)), some_covariances(rng, d, 2, 3), rng.normal(size=d), some_covariances(rng, d)


def values_of(means, covariances, mean_0, covariance_0):
    return metrics_of(ModelBlock(states_of(means, covariances)), truth_of(mean_0, covariance_0))


@given(DIMENSIONS, SEEDS)
@FEW
def test_metrics__equal_their_definitions(d, seed):
    means, covariances, mean_0, covariance_0 = some_laws(d, seed)
    got = values_of(means, covariances, mean_0, covariance_0)
    assert list(got) == list(METRICS)
    for index in np.ndindex(2, 3):
        expected = naive(means[index], covariances[index], mean_0, covariance_0)
        for name in METRICS:
            np.testing.assert_allclose(got[name][index], expected[name], rtol=1e-7, atol=1e-9, err_msg=name)


@given(DIMENSIONS, SEEDS, st.booleans())
@FEW
def test_metrics__equal_their_definitions_for_a_diagonal_truth(d, seed, isotropic):
    means, covariances, mean_0, covariance_0 = some_laws(d, seed)
    diagonal = covariance_0.diagonal() if not isotropic else np.full(d, covariance_0[0, 0])
    sigma = tuple(np.sqrt(diagonal)) if d > 1 else float(np.sqrt(diagonal[0]))
    truth = GaussianTruth(dimension=d, mean=tuple(mean_0) if d > 1 else float(mean_0[0]), sigma=sigma)
    got = metrics_of(ModelBlock(states_of(means, covariances)), truth)
    expected = naive(means[1, 2], covariances[1, 2], mean_0, np.diag(diagonal))
    for name in METRICS:
        np.testing.assert_allclose(got[name][1, 2], expected[name], rtol=1e-7, atol=1e-9, err_msg=name)


@pytest.mark.parametrize("n", [10**3, 10**6, 10**12, 10**15])
@pytest.mark.parametrize("isotropic", [True, False])
@pytest.mark.parametrize("d", [1, 2, 4])
def test_distances__keep_their_digits_near_the_truth(d, isotropic, n):
    rng = np.random.default_rng(6)
    sigma = (3.0,) * d if isotropic else tuple(1.0 + np.arange(d))
    correlated = not isotropic and d > 1
    truth = GaussianTruth(dimension=d, sigma=sigma[0] if d == 1 else sigma)
    if correlated:
        covariance = np.diag(np.square(sigma)) + 0.5
        truth = truth_of(np.zeros(d), covariance)
    factor_0 = truth.factor()
    mean = factor_0 @ rng.normal(size=d) / np.sqrt(n)
    factor = factor_0 @ (np.eye(d) + np.tril(rng.normal(size=(d, d))) / np.sqrt(n))
    states = {"mean": mean[None, None], "factor": factor[None, None]}
    states["log_diagonal"] = np.log(factor.diagonal())[None, None]
    if d == 1:
        # The deviation is the exponential of the state.
        states = {"mean": mean[None], "log_sigma": states["log_diagonal"][0]}
        with decimal.localcontext(prec=60):
            factor = np.array([[Decimal(float(states["log_sigma"][0, 0])).exp()]])
            factor_0 = np.array([[Decimal(float(np.log(factor_0[0, 0]))).exp()]])
            shift = Decimal(float(mean[0])) / factor_0[0, 0]
            ratio = factor[0, 0] / factor_0[0, 0]
            kl = float((shift**2 + ratio**2 - 1 - 2 * ratio.ln()) / 2)
            distance = float(Decimal(float(mean[0])) ** 2 + (factor[0, 0] - factor_0[0, 0]) ** 2)
        expected = {"kl_divergence": kl, "wasserstein2": distance}
    else:
        expected = exact(mean, factor, np.zeros(d), factor_0)
    got = metrics_of(ModelBlock(states), truth, list(expected))
    for name, value in expected.items():
        np.testing.assert_allclose(got[name].item(), value, rtol=1e-8 + 3e-15 * np.sqrt(n), atol=0, err_msg=name)
    if n == 10**15 and d == 2:
        # Negative control: the differences of traces.
        plain = naive(mean, factor @ factor.T, np.zeros(d), factor_0 @ factor_0.T)
        assert all(abs(plain[name] / expected[name] - 1) > 1e-3 for name in expected)


@pytest.mark.parametrize("truth", [{}, {"dimension": 3}, {"dimension": 3, "sigma": [1.0, 1.0, 1.0 + 1e-9]}])
def test_distances__of_large_samples_have_the_mean_of_theory(truth):
    n, d = 10**15, truth.get("dimension", 1)
    mapping = {
        "model": {"family": "gaussian", "estimator": "unbiased"},
        "truth": truth,
        "workflow": {"name": "replace", "n_samples": n},
        "run": {"n_generations": 1, "n_replicates": 4000, "seed": 4},
    }
    metrics = simulate(Experiment.from_mapping(mapping)).metrics
    # 2 n KL is chi-square with d + d (d + 1)/2 degrees of freedom; n W2 is |z|^2 + |Wishart deviation|^2 / 4.
    for name, mean in (("kl_divergence", d / 2 + d * (d + 1) / 4), ("wasserstein2", d + d * (d + 1) / 4)):
        got = n * metrics[name][:, 1]
        assert (got > 0).all()
        assert abs(got.mean() - mean) < 5 * got.std() / np.sqrt(len(got)), name


@given(DIMENSIONS, SEEDS)
@FEW
def test_metrics__are_invariant_to_permuted_coordinates(d, seed):
    means, covariances, mean_0, covariance_0 = some_laws(d, seed)
    order = np.random.default_rng(seed).permutation(d)
    both = np.ix_(order, order)
    expected = values_of(means, covariances, mean_0, covariance_0)
    turned = covariances[..., order, :][..., order]
    got = values_of(means[..., order], turned, mean_0[order], covariance_0[both])
    for name in METRICS:
        np.testing.assert_allclose(got[name], expected[name], rtol=1e-7, atol=1e-9, err_msg=name)


@given(DIMENSIONS, SEEDS, st.floats(-30, 30))
@FEW
def test_metrics__transform_correctly_if_data_are_scaled_and_shifted(d, seed, log_scale):
    means, covariances, mean_0, covariance_0 = some_laws(d, seed)
    scale, move = np.exp(log_scale), np.arange(d) * np.exp(log_scale)
    before = values_of(means, covariances, mean_0, covariance_0)
    got = values_of(
        scale * means + move, scale**2 * covariances, scale * mean_0 + move, scale**2 * covariance_0
    )  # fmt: skip
    added = {"log_det": 2 * d * log_scale, "log_sigma": log_scale}
    factors = {"squared_error": scale**2, "wasserstein2": scale**2}
    for name in METRICS:
        expected = factors.get(name, 1) * before[name] + added.get(name, 0)
        np.testing.assert_allclose(got[name] / factors.get(name, 1), expected / factors.get(name, 1), 1e-6, 1e-8, name)


@given(DIMENSIONS, SEEDS)
@FEW
def test_metrics__are_within_their_ranges(d, seed):
    got = values_of(*some_laws(d, seed))
    assert (got["effective_rank"] >= 1 - 1e-12).all()
    assert (got["effective_rank"] <= d + 1e-9).all()
    assert (1 / got["largest_share"] <= got["effective_rank"] + 1e-9).all()
    assert (got["wasserstein2"] >= got["squared_error"] - 1e-12).all()
    assert (got["kl_divergence"] >= 0).all()


def run(truth, n_samples, n_generations=4, **rest):
    mapping = {
        "model": {"family": "gaussian", "estimator": "unbiased"},
        "truth": truth,
        "workflow": {"name": "replace", "n_samples": n_samples},
        "run": {"n_generations": n_generations, "n_replicates": 3, "seed": 4, "record": ["metrics", "trajectory"]},
    }
    return simulate(Experiment.from_mapping(mapping), **rest)


@pytest.mark.parametrize(
    "truth", [{"sigma": 2.0, "mean": -1.0}, {"dimension": 3, "sigma": [1.0, 2.0, 3.0]}, {"dimension": 5}]
)
def test_metrics__of_a_run_start_at_the_truth_and_equal_those_of_its_states(truth):
    results = run(truth, 50)
    d = truth.get("dimension", 1)
    start = {name: values[:, 0] for name, values in results.metrics.items()}
    for name in ("squared_error", "kl_divergence", "wasserstein2"):
        np.testing.assert_allclose(start[name], 0, atol=1e-14)
    np.testing.assert_allclose(start["trace_ratio"], 1)
    got = metrics_of(ModelBlock(dict(results.states)), results.experiment.truth)
    for name in METRICS:
        np.testing.assert_allclose(got[name], results.metrics[name], rtol=1e-9, atol=1e-12, err_msg=name)
    spectrum = eigenvalues(results.states)
    assert spectrum.shape == (3, 5, d)
    np.testing.assert_allclose(np.log(spectrum).sum(axis=-1), results.metrics["log_det"], atol=1e-9)


def test_metrics__equal_their_definitions_at_low_rank():
    results = run({"dimension": 12, "mean": 3.0, "sigma": 2.0}, 5)
    metrics = results.metrics
    assert eigenvalues(results.states).shape == (3, 5, 4)
    # Generation 0 is the truth of full rank, although its state has only the 4 rows of the later states.
    start = {name: values[0, 0] for name, values in metrics.items()}
    expected = [24 * np.log(2), np.log(2), 1, 0, 12, 1 / 12, 0, 0]
    np.testing.assert_allclose(list(start.values()), expected, atol=1e-12)
    values = eigenvalues(results.states)[:, 1:]
    np.testing.assert_allclose(metrics["log_det"][:, 1:], np.log(values).sum(axis=-1))
    np.testing.assert_allclose(metrics["log_sigma"][:, 1:], np.log(values).mean(axis=-1) / 2)
    np.testing.assert_allclose(metrics["trace_ratio"][:, 1:], values.sum(axis=-1) / 48)
    assert np.isinf(metrics["kl_divergence"][:, 1:]).all()
    distance = ((np.sqrt(values) - 2) ** 2).sum(axis=-1) + 8 * 4 + metrics["squared_error"][:, 1:]
    np.testing.assert_allclose(metrics["wasserstein2"][:, 1:], distance, rtol=1e-9)


@pytest.mark.parametrize("d", [1, 3])
@pytest.mark.parametrize("log_sigma", [-1e7, -1000.0, -350.0, 100.0])
@pytest.mark.filterwarnings("ignore:overflow")
@pytest.mark.parametrize("sigma_0", [1e-150, 1.0, 1e150])
def test_metrics__are_finite_for_extreme_states(d, log_sigma, sigma_0):
    logs = np.full((1, 1, d), log_sigma + np.log(sigma_0))
    mean = np.zeros((1, 1, d))
    states = {"mean": mean, "factor": np.exp(logs)[..., None] * np.eye(d), "log_diagonal": logs}
    if d == 1:
        states = {"mean": mean[..., 0], "log_sigma": logs[..., 0]}
    got = {name: value.item() for name, value in metrics_of(
        ModelBlock(states), GaussianTruth(dimension=d, sigma=sigma_0)
    ).items()}  # fmt: skip
    if log_sigma > 0 and sigma_0 > 1:
        del got["wasserstein2"]  # 1e387 is no float
    assert all(np.isfinite(value) for value in got.values()), got
    np.testing.assert_allclose(got["log_sigma"], logs[0, 0, 0])
    np.testing.assert_allclose(got["trace_ratio"], np.exp(2 * log_sigma), rtol=1e-9)
    expected = d * (np.exp(2 * log_sigma) - 1 - 2 * log_sigma) / 2
    np.testing.assert_allclose(got["kl_divergence"], expected, rtol=1e-9)


def test_metrics__contain_only_the_given_names():
    truth = GaussianTruth(dimension=2)
    states = states_of(np.zeros((1, 1, 2)), np.eye(2)[None, None])
    assert list(metrics_of(ModelBlock(states), truth, ["log_det", "trace_ratio"])) == ["log_det", "trace_ratio"]


def test_metrics__of_a_non_finite_state_are_nan_and_do_not_change_others():
    means, covariances, mean_0, covariance_0 = some_laws(3, 1)
    states = states_of(means, covariances)
    expected = metrics_of(ModelBlock(states), truth_of(mean_0, covariance_0))
    wrong = {name: values.copy() for name, values in states.items()}
    wrong["factor"][1, 1, 2, 2] = wrong["log_diagonal"][1, 1, 2] = np.nan
    got = metrics_of(ModelBlock(wrong), truth_of(mean_0, covariance_0))
    for name in METRICS:
        assert np.isnan(got[name][1, 1]) == (name != "squared_error")
        np.testing.assert_allclose(np.delete(got[name], 4), np.delete(expected[name], 4))
