"""Verification of the Gaussian family with weights, shares, windows, discounts and maps, against exact theory.

Each test compares means over replicates with an exact expectation and fails at |z| > 5; there are about 60 z-scores.
Each has a negative control: a slightly wrong theory that the same data must reject.
"""

import math

import numpy as np
import pytest

from fastcollapse import simulate
from fastcollapse.simulation.experiment import Experiment
from fastcollapse.theory.gaussian.sampling_bias import bias_accumulate_moments, bias_fresh_moments
from fastcollapse.theory.gaussian.verifier import truncated_variance_factor, verifier_path
from fastcollapse.theory.mixing.gaussian_parts import weighted_covariance_moments, weighted_variance_spread
from fastcollapse.theory.mixing.pathways import pathway_factors
from fastcollapse.theory.mixing.weighted_fit import best_weight, contaminated_errors, weighted_errors

Z_LIMIT = 5
N, M, WEIGHT = 10, 15, 0.4
MIX = {"name": "mix", "n_samples": M, "n_real": N, "real": "fresh", "weight": WEIGHT}


def run(estimator, workflow, n_generations, n_replicates, sampling=None, **truth):
    """Return mean and covariance of all generations, float64 (R, T+1, d), (R, T+1, d, d), from 0 and identity on."""
    sections = {
        "model": {"family": "gaussian", "estimator": estimator},
        "truth": truth,
        "workflow": workflow,
        "run": {
            "n_generations": n_generations,
            "n_replicates": n_replicates,
            "seed": 20250218,
            "record": ["log_sigma", "trajectory"],
        },
        **({"sampling": sampling} if sampling else {}),
    }
    states = simulate(Experiment.from_mapping(sections)).states
    if "log_sigma" in states:
        return states["mean"][..., None], np.exp(2 * states["log_sigma"])[..., None, None]
    return states["mean"], states["factor"] @ states["factor"].swapaxes(-1, -2)


def z_score(values, expected):
    """Return the z-score of the mean of independent values."""
    return (values.mean() - expected) / (values.std(ddof=1) / len(values) ** 0.5)


def assert_holds(values, expected, wrong):
    """Check an expectation, and that the values reject another one."""
    assert abs(z_score(values, expected)) < Z_LIMIT
    assert abs(z_score(values, wrong)) > Z_LIMIT


def weighted_q(n, m, w, n_generations, carried=None):
    """Return q_t of maximum likelihood: E |mean|^2 = q tr Sigma_0, E tr Sigma = (1 - q) tr Sigma_0, float64 [T+1]."""
    weights = np.broadcast_to(w, (n_generations,))
    return np.append(0.0, weighted_errors(weights, 1 / n, 1 / m, 1 - 1 / m if carried is None else carried))


def test_weighted_mle__one_dimension():
    mean, covariance = run("mle", MIX, 12, 200_000)
    q, wrong = weighted_q(N, M, WEIGHT, 12), weighted_q(N, M, WEIGHT, 12, carried=1.0)
    assert_holds(mean[:, 12, 0] ** 2, q[12], wrong[12])
    for t in (2, 12):
        assert abs(z_score(mean[:, t, 0] ** 2, q[t])) < Z_LIMIT
        assert abs(z_score(covariance[:, t, 0, 0], 1 - q[t])) < Z_LIMIT
    assert abs(z_score(covariance[:, 12, 0, 0], 1.0)) > Z_LIMIT


def test_weighted_mle__space_of_three_dimensions():
    """The traces of the error and of the covariance, for another covariance in each direction."""
    mean, covariance = run("mle", MIX, 6, 40_000, dimension=3, covariance=[[2.0, 0.5, 0], [0.5, 1.0, 0], [0, 0, 0.1]])
    q, wrong = weighted_q(N, M, WEIGHT, 6)[6], weighted_q(N, M, 0.3, 6)[6]
    assert_holds((mean[:, 6] ** 2).sum(axis=1) / 3.1, q, wrong)
    assert_holds(np.trace(covariance[:, 6], axis1=1, axis2=2) / 3.1, 1 - q, 1.0)


def test_weighted_mle__weights_and_sizes_of_each_generation():
    weights, sizes, real = [0.3, 0.0, 1.0, 0.8, 0.5], [4, 9, 5, 30, 3], [6, 4, 12, 2, 5]
    workflow = {"name": "mix", "n_samples": sizes, "n_real": real, "real": "fresh", "weight": weights}
    mean, covariance = run("mle", workflow, 5, 100_000)
    q = weighted_q(np.array(real), np.array(sizes), np.array(weights), 5)
    wrong = weighted_q(np.array(real), np.array(sizes), np.array(weights) * 0.9, 5)
    for t in range(1, 6):
        assert abs(z_score(mean[:, t, 0] ** 2, q[t])) < Z_LIMIT
        assert abs(z_score(covariance[:, t, 0, 0], 1 - q[t])) < Z_LIMIT
    assert abs(z_score(mean[:, 5, 0] ** 2, wrong[5])) > Z_LIMIT


def test_optimal_weight__has_the_least_error():
    workflow = {**MIX, "weight": "optimal"}
    _, least = best_weight(1 / N, 1 / M, 1 - 1 / M)
    mean, covariance = run("mle", workflow, 30, 200_000)
    assert_holds(mean[:, 30, 0] ** 2, least, weighted_q(N, M, 0.3, 30)[30])
    assert abs(z_score(covariance[:, 30, 0, 0], 1 - least)) < Z_LIMIT


@pytest.mark.parametrize("dimension", [1, 2])
def test_shares__contaminated_training(dimension):
    """Shares a_t = 0.6 t^-0.5 of growing sizes n_t; wrong is a pooled fit, which loses 1 - a_t of the error."""
    workflow = {
        "name": "mix",
        "n_samples": {"start": 5, "power": 0.5},
        "real": "fresh",
        "real_share": {"start": 0.6, "power": -0.5},
    }
    mean, covariance = run("mle", workflow, 8, 60_000, dimension=dimension)
    t = np.arange(1.0, 9)
    sizes, shares = np.rint(5 * t**0.5).astype(int), 0.6 * t**-0.5
    q = contaminated_errors(sizes, shares)[-1]
    pooled = contaminated_errors(sizes, 1 - np.sqrt(1 - shares))[-1]
    assert_holds((mean[:, 8] ** 2).sum(axis=1) / dimension, q, pooled)
    assert_holds(np.trace(covariance[:, 8], axis1=1, axis2=2) / dimension, 1 - q, 1 - pooled)


def test_weighted_unbiased__one_dimension():
    mean, covariance = run("unbiased", MIX, 12, 200_000)
    error = weighted_q(N, M, WEIGHT, 12, carried=1.0)[12]
    assert abs(error - 0.062499703851) < 1e-12
    spread, wrong = (weighted_variance_spread([WEIGHT] * 12, N + more, M + more)[-1] for more in (0, 1))
    assert_holds(mean[:, 12, 0] ** 2, error, weighted_q(N, M, WEIGHT, 12)[12])
    assert_holds((covariance[:, 12, 0, 0] - 1) ** 2, spread, wrong)
    assert abs(z_score(covariance[:, 12, 0, 0], 1.0)) < Z_LIMIT


def test_weighted_unbiased__space_of_three_dimensions():
    _, covariance = run("unbiased", MIX, 6, 60_000, dimension=3)
    expected = weighted_covariance_moments([1, 1, 1], [WEIGHT] * 6, N, M)[0][-1] - 3
    squares = ((covariance[:, 6] - np.eye(3)) ** 2).sum(axis=(1, 2))
    assert_holds(squares, expected, 0.96 * expected)


def pathway_factor(n_generations, weights_of):
    """Return the factor of generations 0..T for the weights of generation t on batches 1..t."""
    weights = np.zeros((n_generations, n_generations))
    for t in range(1, n_generations + 1):
        weights[t - 1, :t] = weights_of(t)
    return np.append(0.0, pathway_factors(weights))


def last(window):
    return lambda t: [0.0] * max(0, t - window) + [1 / min(t, window)] * min(t, window)


def discounted(beta):
    return lambda t: np.array([beta**age for age in range(t - 1, -1, -1)]) / sum(beta**age for age in range(t))


def beside_first(weight):
    """Return the weights with the first batch kept with a weight, and all others alike."""
    return lambda t: [1.0] if t == 1 else [weight, *[(1 - weight) / (t - 1)] * (t - 1)]


ACCUMULATE = {"name": "accumulate", "n_samples": 10**6}
PATHWAYS = [
    ({"keep_real": False, "window": 2}, last(2), last(3), 44.8888888889),
    ({"keep_real": False, "window": 5}, last(5), last(6), 12.1225),
    ({"keep_real": False, "window": 10}, last(10), last(9), 4.6027121103),
    ({"keep_real": False, "discount": 0.7}, discounted(0.7), discounted(0.75), None),
    ({"keep_real": True, "weight": 0.5}, beside_first(0.5), last(8), 1.0141434435),
]


@pytest.mark.parametrize(("keys", "weights_of", "wrong", "golden"), PATHWAYS)
def test_pathways__large_samples(keys, weights_of, wrong, golden):
    """n E mean_t^2 for n = 10^6, of which the finite n is 1e-4."""
    mean, _ = run("mle", ACCUMULATE | keys, 100, 20_000)
    expected = pathway_factor(100, weights_of)
    if golden is not None:
        assert abs(expected[100] - golden) < 1e-9
    assert_holds(10**6 * mean[:, 100, 0] ** 2, expected[100], pathway_factor(100, wrong)[100])
    assert abs(z_score(10**6 * mean[:, 10, 0] ** 2, expected[10])) < Z_LIMIT


@pytest.mark.parametrize(("weight", "limit"), [(0.1, 5.263157894737), (0.5, 4 / 3)])
def test_pathways__fixed_real_batch_and_the_last_batch(weight, limit):
    workflow = {"name": "mix", "n_samples": 10**6, "n_real": 10**6, "real": "fixed", "weight": weight}
    mean, _ = run("unbiased", workflow, 100, 40_000)
    assert_holds(10**6 * mean[:, 100, 0] ** 2, limit, 0.92 * limit)


@pytest.mark.parametrize(("bias", "wrong"), [(0.8, 0.82), (1.1, 1.08)])
def test_bias__accumulation_collapses_or_explodes(bias, wrong):
    """The first batch, beside the pool or in it, is real and has no bias; under replacement of the data it has one."""
    expected, of_wrong = (bias_accumulate_moments(one, 10, 40)[0] for one in (bias, wrong))
    kept = {"name": "accumulate", "n_samples": 10, "keep_real": True}
    for workflow in (kept | {"discount": 1.0}, kept):
        _, covariance = run("mle", workflow, 40, 60_000, {"bias": bias})
        values = covariance[:, 40, 0, 0]
        assert_holds(values, expected, of_wrong)


def test_bias__replacement():
    """E ln sigma_t = t (ln lambda + (psi(nu/2) - ln(nu/2))/2), and lambda^2 (1 - 1/n) a generation."""
    from scipy.special import digamma

    replace, bias = {"name": "replace", "n_samples": 8}, 0.9
    _, covariance = run("unbiased", replace, 5, 100_000, {"bias": bias})
    step = math.log(bias) + (digamma(3.5) - math.log(3.5)) / 2
    assert_holds(np.log(covariance[:, 5, 0, 0]) / 2, 5 * step, 5 * (math.log(bias) - 1 / 14))
    _, covariance = run("mle", {**replace, "n_samples": 9}, 3, 100_000, {"bias": bias}, dimension=2)
    trace = np.trace(covariance[:, 3], axis1=1, axis2=2) / 2
    assert_holds(trace, (bias**2 * (1 - 1 / 9)) ** 3, bias**6)


def test_bias__fresh_real_data():
    n_real, n, bias = 5, 15, 0.7
    variance, error = bias_fresh_moments(bias, n_real, n, 15)
    workflow = {"name": "mix", "n_samples": n, "n_real": n_real, "real": "fresh"}
    mean, covariance = run("mle", workflow, 15, 100_000, {"bias": bias})
    assert_holds(covariance[:, 15, 0, 0], variance, 1.02 * variance)
    assert_holds(mean[:, 15, 0] ** 2, error, 1.04 * error)


@pytest.mark.parametrize("dimension", [1, 2])
def test_verifier__population_path(dimension):
    """From N(0, 1), for 10^7 points."""
    tau, centre = 1.5, 2.0
    replace = {"name": "replace", "n_samples": 10**7}
    mean, covariance = run("mle", replace, 12, 400, {"verifier": {"centre": centre, "tau": tau}}, dimension=dimension)
    means, variances = verifier_path(centre, tau, np.arange(13), 0.0, 1.0)
    for i in range(dimension):
        np.testing.assert_allclose(covariance[:, :, i, i].mean(axis=0), variances, rtol=2e-4)
        np.testing.assert_allclose(mean[:, :, i].mean(axis=0), means, atol=2e-4)
    assert abs(covariance[:, 12, 0, 0].mean() - variances[11]) > 2e-3


def test_tilt__moves_the_mean_by_the_variance():
    """E mean_t = b Sigma_0 t for unbiased covariances, whose expectation stays."""
    tilt, root = [0.3, -0.1], [[2.0, 0.5], [0.5, 1.0]]
    replace = {"name": "replace", "n_samples": 12}
    mean, covariance = run("unbiased", replace, 4, 100_000, {"tilt": tilt}, dimension=2, covariance=root)
    expected = 4 * np.array(root) @ tilt
    for i in range(2):
        assert_holds(mean[:, 4, i], expected[i], 1.1 * expected[i])
        assert abs(z_score(covariance[:, 4, i, i], root[i][i])) < Z_LIMIT
    mean, _ = run("unbiased", replace, 4, 100_000, {"tilt": 0.3}, sigma=2.0)
    assert_holds(mean[:, 4, 0], 4.8, 4.7)


@pytest.mark.parametrize("cut", [1, 2, 3])
def test_truncate__variance_factor(cut):
    """The unbiased variance of the kept points is a constant times that of the law."""
    factor = truncated_variance_factor(cut)
    _, covariance = run("unbiased", {"name": "replace", "n_samples": 9}, 3, 100_000, {"truncate": cut})
    assert_holds(covariance[:, 3, 0, 0], factor**3, factor**3 * 1.03)
