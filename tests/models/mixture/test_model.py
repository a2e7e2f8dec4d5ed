"""Mixture runs: estimators against simple ones, law of raw refits, published probabilities, bits, long runs,
refusals.
"""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from scipy import stats

from fastcollapse.config.section_base import build
from fastcollapse.config.workflows import AccumulateSubsample, Replace
from fastcollapse.errors import InputError
from fastcollapse.models.mixture.kernels import SATURATED, fit_approximate, fit_joint
from fastcollapse.models.mixture.model import MODEL, MixtureParameters, MixtureTruth
from tests.models import _block_runs
from tests.models._block_runs import IDS, assert_bits_are_reproducible, run

# About 70 goodness-of-fit tests in this file, 1e-6 each: 1e-4 in all.
P_LIMIT = 1e-6
WORKFLOWS = [Replace(n_samples=10), *_block_runs.WORKFLOWS[1:]]
POINTS = arrays.arrays(np.float64, st.integers(2, 30), elements=st.floats(1e-3, 10), unique=True)


def model(workflow, n_generations, estimator="approximate", mu=1.2, sigma=0.8):
    schedule = workflow.schedule(n_generations, None)
    return MODEL(MixtureTruth(mu=mu, sigma=sigma), MixtureParameters(estimator=estimator), schedule, ())


def approximate(x):
    """Return (mu, s^2) by Algorithm 1 of Suresh et al., arXiv:2412.17646, line by line."""
    n, m1, m2, eta = len(x), np.abs(x).mean(), (x * x).mean(), 2
    kappa = math.exp((eta - 1) * ((n - 1) / 2 + 4 * eta) / (eta * (n - 1) * (n + 4 * eta - 1))) - 1
    a = 50 if m2 <= (1 + kappa) * m1**2 else 2 * (1 + kappa) * m2 / (m2 - (1 + kappa) * m1**2)
    variance = a * m2 * (m2 - m1**2) / (a * m1**2 + 2 * m2) if m2 <= 2 * a / (a - 2) * m1**2 else m2
    return math.sqrt(max(0, m2 - variance)), variance


def expectation_maximisation(x, n_steps=3000):
    """Return t, s^2 and whether the EM iteration has converged."""
    x = np.abs(x)
    m1, m2 = x.mean(), (x * x).mean()
    t = m1
    for _ in range(n_steps):
        following = (x * np.tanh(t * x / (m2 - t * t))).mean()
        if abs(following - t) < 1e-13 * m1:
            return t, m2 - t * t, True
        t = following
    return t, m2 - t * t, False


def test_fit_approximate__equals_the_algorithm():
    rng = np.random.default_rng(1)
    for _ in range(300):
        x = rng.normal(rng.choice([0, 0.5, 1, 5]), 1, rng.choice([2, 3, 10, 100]))
        np.testing.assert_allclose(fit_approximate(np.abs(x), 0.0), approximate(x), rtol=1e-9, atol=1e-7)


def test_fit_joint__is_the_limit_of_the_em_iteration():
    rng, n_rest = np.random.default_rng(2), 0
    for _ in range(600):
        n, centre = rng.choice([2, 3, 5, 10, 30]), rng.choice([0, 0.4, 0.8, 1, 2, 4])
        x = rng.normal(centre, 1, n) if rng.random() < 0.7 else rng.standard_t(2, n)
        got, variance = fit_joint(np.abs(x), 0.0)
        expected, expected_variance, at_rest = expectation_maximisation(x)
        kurtosis = (x**4).mean() / (x * x).mean() ** 2
        if at_rest:
            n_rest += 1
            np.testing.assert_allclose([got, variance], [expected, expected_variance], rtol=1e-6, atol=1e-9)
        else:
            # For a high kurtosis the iteration converges to the root 0 too slowly.
            assert got <= expected
            assert got > 0 or kurtosis > 2.99
        np.testing.assert_allclose(variance + got * got, (x * x).mean(), rtol=1e-12)
    assert n_rest > 350


@given(POINTS, st.randoms(use_true_random=False), st.floats(1e-6, 1e6), st.booleans())
def test_fits__ignore_the_order_and_scale_with_the_points(x, random, scale, joint):
    fit = fit_joint if joint else fit_approximate
    mu, variance = fit(x, 0.0)
    assert variance > 0
    mixed = x.copy()
    random.shuffle(mixed)
    got = np.array([fit(mixed, 0.0), np.array(fit(scale * x, 0.0)) / [scale, scale**2]])
    # Near a double root (mu^2 about 1 % of the mean square) only half of the digits are correct.
    limit = 1e-5 if mu * mu < 0.01 * variance else 1e-6
    np.testing.assert_allclose(got[:, 1], variance, rtol=limit)
    np.testing.assert_allclose(got[:, 0] ** 2, mu * mu, atol=limit * variance, rtol=limit)


@pytest.mark.parametrize("fit", [fit_joint, fit_approximate])
def test_fits__with_an_offset_equal_fits_of_the_sums(fit):
    points = np.random.default_rng(3).normal(size=20)
    move, variance = fit(points, 2 * SATURATED)
    mu, expected = fit(2 * SATURATED + points, 0.0)
    np.testing.assert_allclose([2 * SATURATED + move, variance], [mu, expected], rtol=1e-7)
    # For any offset.
    far_move, far = fit(points, 1e300)
    np.testing.assert_allclose([far_move, far], [move, variance], rtol=1e-3)


def raw(schedule, fit, rng, mu=1.2, sigma=0.8):
    def draw(mu, sigma, n):
        return rng.choice([-1, 1], n) * mu + sigma * rng.standard_normal(n)

    state, pool = (mu, sigma), np.empty(0)
    fixed = draw(mu, sigma, schedule.n_real[0])
    for t in range(len(schedule.n_synthetic)):
        real = fixed if schedule.real == "fixed" else draw(mu, sigma, schedule.n_real[t])
        pool = np.concatenate([pool if schedule.keep[t] else pool[:0], draw(*state, schedule.n_synthetic[t]), real])
        fitted = rng.choice(pool, schedule.n_train[t], replace=schedule.replacement) if schedule.n_train[t] else pool
        state = (lambda fit: (fit[0], math.sqrt(fit[1])))(fit(fitted))
    return state[0], math.log(state[1])


@pytest.mark.parametrize("estimator", ["approximate", "joint_ml"])
@pytest.mark.parametrize("workflow", WORKFLOWS, ids=IDS)
def test_law__equals_raw_refits(workflow, estimator):
    fit = approximate if estimator == "approximate" else lambda x: expectation_maximisation(x, 300)[:2]
    schedule, rng = workflow.schedule(2, None), np.random.default_rng(6)
    expected = np.array([raw(schedule, fit, rng) for _ in range(700)])
    states = run(model(workflow, 2, estimator), 5000, 2)
    # If one rule gives mu = 0 and the other converges to 0 slowly, both values are small.
    mu = np.maximum(states["mu"][:, -1], 0.2)
    assert stats.ks_2samp(mu, np.maximum(expected[:, 0], 0.2)).pvalue > P_LIMIT
    assert stats.ks_2samp(states["log_sigma"][:, -1], expected[:, 1]).pvalue > P_LIMIT
    wrong = run(model(workflow, 2, estimator, mu=1.7, sigma=1.1), 5000, 2)
    assert stats.ks_2samp(wrong["mu"][:, -1], expected[:, 0]).pvalue < P_LIMIT


# Pr(Sigma_k > 0.1), k = 5, 10, 20, 40, 60, from 4e4 and 2e4 runs of a simple program.
REFERENCE = {
    "approximate": [0.9936, 0.866, 0.392, 0.041, 0.0038],
    "joint_ml": [0.9936, 0.882, 0.440, 0.057, 0.0058],
}


@pytest.mark.parametrize("estimator", REFERENCE)
def test_replace__collapses_as_fast_as_a_simple_program(estimator):
    n_replicates = 20_000
    states = run(model(Replace(n_samples=10), 60, estimator, 1.0, 1.0), n_replicates, 60)
    got = (states["log_sigma"][:, [4, 9, 19, 39, 59]] > math.log(0.1)).mean(axis=0)
    expected = np.array(REFERENCE[estimator])
    error = np.sqrt(expected * (1 - expected) * 2 / n_replicates) + 5e-4
    assert (np.abs(got - expected) < 4.5 * error).all()
    other = np.array(REFERENCE["joint_ml" if estimator == "approximate" else "approximate"])
    assert not (np.abs(got - other) < 4.5 * error).all()


@pytest.mark.parametrize("estimator", ["approximate", "joint_ml"])
@pytest.mark.parametrize("workflow", WORKFLOWS, ids=IDS)
def test_bits__do_not_depend_on_blocks_or_threads(workflow, estimator):
    assert_bits_are_reproducible(lambda: model(workflow, 9, estimator))


@given(st.floats(0, 5), st.floats(1e-100, 1e100), st.integers(0, 2**64 - 1))
def test_replace__scales_with_the_truth(mu, scale, seed):
    standard = run(model(Replace(n_samples=6), 4, mu=mu, sigma=1.0), 2, 4, seed)
    moved = run(model(Replace(n_samples=6), 4, mu=mu * scale, sigma=scale), 2, 4, seed)
    np.testing.assert_allclose(moved["mu"], scale * standard["mu"], rtol=1e-9, atol=1e-12 * scale)
    np.testing.assert_allclose(moved["log_sigma"], math.log(scale) + standard["log_sigma"], rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("estimator", ["approximate", "joint_ml"])
def test_replace__stays_finite_for_a_million_generations(estimator):
    states = run(model(Replace(n_samples=5), 10**6, estimator), 1, 10**6)
    assert all(np.isfinite(values).all() for values in states.values())
    assert states["log_sigma"][0, -1] < -10_000


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"mu": -1.0, "sigma": 1.0}, "truth.mu must be at least 0, got -1.0"),
        ({"mu": 1.0, "sigma": 0.0}, "truth.sigma must be above 0, got 0.0"),
        ({"mu": 1.0, "sigma": -2.0}, "truth.sigma must be above 0, got -2.0"),
        ({"mu": math.nan, "sigma": 1.0}, "truth.mu must be a finite number, got nan"),
        ({"mu": 1.0}, "truth.sigma is required"),
    ],
)
def test_truth__invalid_values_give_a_one_line_error(values, message):
    with pytest.raises(InputError, match=f"^{message}"):
        build(MixtureTruth, values)


def test_estimator_and_sizes__invalid_values_give_a_one_line_error():
    with pytest.raises(InputError, match=r"^model.estimator is required: approximate \| joint_ml$"):
        build(MixtureParameters, {})
    with pytest.raises(InputError, match=r"^workflow.n_samples must give at least 2 points .* got 1 at generation 1$"):
        model(Replace(n_samples=1), 2)
    with pytest.raises(InputError, match=r"^workflow\.n_train must give at least 2 points"):
        model(AccumulateSubsample(n_samples=3, keep_real=True, replacement=False, n_train=1), 2)
