"""Verification of the Gaussian, mixture and Poisson theory by raw simulation with the naive twins.

Each test states its number of z-scores and fails at |z| > 5. Each has a negative control: a slightly wrong theory that
the same data must reject.
"""

import functools

import numpy as np
import pytest
from scipy import stats

from fastcollapse.config.workflows import Accumulate, AccumulateSubsample, Mix, Replace
from fastcollapse.theory.discrete.poisson_rate import poisson_count_law, poisson_mean_if_alive, poisson_rate_variance
from fastcollapse.theory.discrete.survival import poisson_survival
from fastcollapse.theory.gaussian.collapse_time import median_collapse_time, tail_exact
from fastcollapse.theory.gaussian.log_chi import log_chi_mean, log_chi_moment, log_chi_variance
from fastcollapse.theory.gaussian.mixture import (
    approximate_joint_ml,
    approximate_ml_kappa,
    mixture_kurtosis,
    ml_root_exists,
    tail_theorem4,
)
from fastcollapse.theory.gaussian.multivariate import (
    elementary_symmetric_factor,
    log_det_mean,
    log_det_variance,
    log_pseudo_det_mean,
    log_pseudo_det_variance,
    lyapunov_exponents,
    trace_moments,
)
from fastcollapse.theory.gaussian.real_data import (
    fresh_risk_factor,
    gaussian_fixed_limits,
    gaussian_fixed_moments,
    gaussian_fresh_limits,
    gaussian_fresh_moments,
)
from fastcollapse.theory.gaussian.schedule import expected_gaussian
from fastcollapse.theory.gaussian.tail_bounds import (
    chernoff_power,
    tail_bertrand,
    tail_chernoff,
    tail_power,
    tail_theorem3,
)
from fastcollapse.theory.gaussian.univariate import (
    log_sigma_mean,
    log_sigma_moment,
    log_sigma_variance,
    mean_squared_error_of_mean,
    shumailov_wasserstein2,
    sigma_moment,
    variance_mean,
    wasserstein2_mean,
)
from fastcollapse.theory.gaussian.workflows import (
    conserved_mean_error,
    gaussian_accumulate_factor,
    gaussian_accumulate_limit,
    gaussian_replace_factor,
    gaussian_subsample_factor,
    gaussian_subsample_limit,
)
from fastcollapse.theory.workflow_factors import risk_factor
from tests._goodness_of_fit import chi_square_p, z_scores
from tests.naive import gaussian, mixture, poisson

# Fewer than 700 z-scores in this file, 5.7e-7 each: 4e-4 in all.
Z_LIMIT = 5.0
ESTIMATORS = ("unbiased", "mle")


def reject(z):
    return np.abs(z).max() > Z_LIMIT


def replicates(chain, n_replicates, seed, *arguments, **options):
    """Return the arrays of `n_replicates` runs of a naive chain, with replicates along axis 0."""
    rng = np.random.default_rng(seed)
    runs = [chain(*arguments, rng, **options) for _ in range(n_replicates)]
    if isinstance(runs[0], tuple):
        return tuple(np.array(values) for values in zip(*runs, strict=True))
    return np.array(runs)


@functools.cache
def gaussian_runs(workflow, last, n_replicates, estimator, seed=11):
    schedule = workflow.schedule(last, None)
    return replicates(gaussian.chain, n_replicates, seed, 0.0, 1.0, schedule, last, estimator=estimator)


@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_chi__one_fit(estimator):
    # 4 comparisons for each case: the moments of a step are those of ln chi.
    n = 6
    _, sigmas = gaussian_runs(Replace(n_samples=n), 1, 8000, estimator)
    step = np.log(sigmas[:, 1]) + (np.log(n / (n - 1)) / 2 if estimator == "mle" else 0.0)

    def z(nu):
        powers = [z_scores(np.exp(s * step), np.exp(log_chi_moment(s, nu))) for s in (0.7, 2.0)]
        return np.append(powers, [z_scores(step, log_chi_mean(nu)), z_variance(step, log_chi_variance(nu))])

    assert not reject(z(n - 1))
    # Negative control: one degree of freedom more, or less.
    assert reject(z(n))
    assert reject(z(n - 2))


def z_variance(samples, expected):
    """Return z-scores of variances over axis 0."""
    return z_scores((samples - samples.mean(axis=0)) ** 2 * len(samples) / (len(samples) - 1), expected)


@pytest.mark.parametrize("estimator", ESTIMATORS)
@pytest.mark.parametrize("sizes", [(8,) * 8, (5, 8, 12, 18, 27, 40, 60, 90)], ids=["constant", "growing"])
def test_gaussian__moments_of_the_chain(estimator, sizes):
    # 7 x 8 comparisons for each case.
    k = np.arange(1, 9)
    means, sigmas = (a[:, 1:] for a in gaussian_runs(Replace(n_samples=sizes), 8, 4000, estimator))

    def z(n):
        return np.concatenate(
            [
                z_scores(np.log(sigmas), log_sigma_mean(n, k, estimator)),
                z_variance(np.log(sigmas), log_sigma_variance(n, k)),
                z_scores(sigmas, sigma_moment(1, 1, n, k, estimator)),
                z_scores(sigmas**0.7, np.exp(log_sigma_moment(0.7, n, k, estimator))),
                z_scores(sigmas**2, variance_mean(1, n, k, estimator)),
                z_scores(means**2, mean_squared_error_of_mean(1, n, k, estimator)),
                z_scores(means**2 + (sigmas - 1) ** 2, wasserstein2_mean(1, n, k, estimator)),
            ]
        )

    sizes = np.array(sizes)
    assert not reject(z(sizes))
    assert reject(z(sizes + 1))
    # The other estimator.
    other = ESTIMATORS[1 - ESTIMATORS.index(estimator)]
    assert reject(z_scores(np.log(sigmas), log_sigma_mean(sizes, k, other)))


def test_gaussian__first_order_of_the_distance():
    # 3 comparisons; relative terms of order k/n are neglected.
    n, k = 200, np.arange(1, 4)
    means, sigmas = (a[:, 1:] for a in gaussian_runs(Replace(n_samples=n), 3, 4000, "unbiased"))
    distance = means**2 + (sigmas - 1) ** 2
    expected = shumailov_wasserstein2(1, n, k)
    assert not reject(z_scores(distance, expected, rounding=expected * k / n))
    # Negative control: without the part of sigma, sum 1/n.
    assert reject(z_scores(distance, expected / 1.5, rounding=expected * k / n))


@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_gaussian_tail__exact_law_and_bounds(estimator):
    # 4 x 4 comparisons for each case.
    n, last, n_replicates = 4, 24, 1500
    _, sigmas = gaussian_runs(Replace(n_samples=n), last, n_replicates, estimator)
    eps, k = np.array([0.03, 0.1, 0.3, 1.0])[:, None], np.array([2, 6, 12, 24])
    share = (sigmas[:, None, k] > eps).mean(axis=0)

    def z(n):
        expected = tail_exact(1, eps, n, k, estimator)
        enough = n_replicates * np.minimum(expected, 1 - expected) >= 10
        error = np.sqrt(expected * (1 - expected) / n_replicates)
        return np.where(enough, (share - expected) / np.where(enough, error, 1), 0)

    assert not reject(z(n))
    assert reject(z(n + 1))
    bounds = {
        "chernoff": tail_chernoff(1, eps, n, k, estimator),
        "0.7": tail_power(0.7, 1, eps, n, k, estimator),
        "bertrand": tail_bertrand(1, eps, n, k, estimator),
        "theorem 3": tail_theorem3(1, eps, n, k, "4n-1"),
    }
    for bound in bounds.values():
        assert (share <= bound + 3 * np.sqrt(bound / n_replicates)).all()
    # Negative control: the bound of a sample of two fewer is violated by the exact law.
    assert (tail_exact(1, 0.1, n, 200, "unbiased") > tail_chernoff(1, 0.1, n - 2, 200, "unbiased")).all()
    # At the best power the derivative of the bound is zero.
    s = chernoff_power(1, 0.1, n, 24, estimator)
    around = [tail_power(float(s + d), 1, 0.1, n, 24, estimator) for d in (-0.05, 0, 0.05)]
    assert around[1] < min(around[0], around[2])
    k = int(median_collapse_time(1, 0.1, n, estimator))
    error = 0.5 / np.sqrt(n_replicates)
    assert (sigmas[:, k] > 0.1).mean() < 0.5 + Z_LIMIT * error
    assert (sigmas[:, k - 1] > 0.1).mean() > 0.5 - Z_LIMIT * error
    assert (sigmas[:, k + 4] > 0.1).mean() < 0.5 - Z_LIMIT * error


COVARIANCE = np.array([[2.0, 0.5, 0.0], [0.5, 1.0, -0.3], [0.0, -0.3, 0.5]])


@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_multivariate_gaussian__determinant_and_traces(estimator):
    # 7 x 4 comparisons for each case.
    d, n, last = 3, 8, 4
    k = np.arange(1, last + 1)
    schedule = Replace(n_samples=n).schedule(last, None)
    means, covariances = replicates(
        gaussian.multivariate_chain, 1800, 3, np.zeros(d), COVARIANCE, schedule, last, estimator=estimator
    )
    means, s = means[:, 1:], covariances[:, 1:]
    log_det = np.linalg.slogdet(s)[1] - np.linalg.slogdet(COVARIANCE)[1]
    trace, of_square = np.trace(s, axis1=2, axis2=3), (s**2).sum(axis=(2, 3))
    start = np.trace(COVARIANCE), (COVARIANCE**2).sum()

    def z(n):
        second = trace_moments(start[1], start[0] ** 2, n, k, estimator)
        e2 = (start[0] ** 2 - start[1]) / 2
        return np.concatenate(
            [
                z_scores(log_det, log_det_mean(d, n, k, estimator)),
                z_variance(log_det, log_det_variance(d, n, k)),
                z_scores(trace / start[0], elementary_symmetric_factor(1, n, k, estimator)),
                z_scores((trace**2 - of_square) / 2 / e2, elementary_symmetric_factor(2, n, k, estimator)),
                z_scores(np.exp(log_det), elementary_symmetric_factor(3, n, k, estimator)),
                z_scores(of_square, second[0]),
                z_scores(trace**2, second[1]),
                z_scores((means**2).sum(axis=2), start[0] * mean_squared_error_of_mean(1, n, k, estimator)),
            ]
        )

    assert not reject(z(n))
    assert reject(z(n + 1))
    # Negative control: the factors have nu, nu-1, nu-2 degrees of freedom, not nu each.
    assert reject(z_scores(log_det, d * log_det_mean(1, n, k, estimator)))


def test_multivariate_gaussian__lyapunov_exponents():
    # 1 comparison: the slope of the log of the largest of two eigenvalues, from fit 25 on, where they have
    # parted; the other one, too small to be read from a matrix of floats, is the rest of the log determinant.
    n, last, first = 4, 50, 25
    schedule = Replace(n_samples=n).schedule(last, None)
    _, covariances = replicates(
        gaussian.multivariate_chain, 200, 4, np.zeros(2), np.eye(2), schedule, last, estimator="mle"
    )
    top = np.log(np.linalg.eigvalsh(covariances)[:, :, 1])
    slope = (top[:, last] - top[:, first]) / (last - first)
    exponents = lyapunov_exponents(2, n, "mle")
    assert not reject(z_scores(slope, exponents[0]))
    assert reject(z_scores(slope, exponents[1]))
    assert reject(z_scores(slope, lyapunov_exponents(2, n + 1, "mle")[0]))
    np.testing.assert_allclose(exponents.sum(), log_det_mean(2, n, 1, "mle"), rtol=1e-12)


@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_multivariate_gaussian__fewer_points_than_dimensions(estimator):
    # 4 x 4 comparisons for each case.
    d, n, last = 6, 4, 4
    k = np.arange(1, last + 1)
    schedule = Replace(n_samples=n).schedule(last, None)
    _, covariances = replicates(
        gaussian.multivariate_chain, 1200, 5, np.zeros(d), np.eye(d), schedule, last, estimator=estimator
    )
    eigenvalues = np.linalg.eigvalsh(covariances[:, 1:])
    log_pseudo_det = np.log(eigenvalues[:, :, d - n + 1 :]).sum(axis=2)
    trace, of_square = eigenvalues.sum(axis=2), (eigenvalues**2).sum(axis=2)

    def z(d, n):
        second = trace_moments(d, d**2, n, k, estimator)
        return np.concatenate(
            [
                z_scores(log_pseudo_det, log_pseudo_det_mean(d, n, k, estimator)),
                z_variance(log_pseudo_det, log_pseudo_det_variance(d, n, k)),
                z_scores(trace, d * elementary_symmetric_factor(1, n, k, estimator)),
                z_scores(of_square, second[0]),
            ]
        )

    assert np.abs(eigenvalues[:, :, : d - n + 1]).max() < 1e-10
    assert not reject(z(d, n))
    assert reject(z(d - 1, n))
    assert reject(z(d, n + 1))


N, LAST = 6, 6
WORKFLOWS = {
    "replace": Replace(n_samples=N),
    "replace growing": Replace(n_samples=(4, 5, 7, 10, 14, 20)),
    "accumulate": Accumulate(n_samples=N, keep_real=True),
    "accumulate without real": Accumulate(n_samples=N, keep_real=False),
    "subsample": AccumulateSubsample(n_samples=N, keep_real=True, replacement=False),
    "subsample with replacement": AccumulateSubsample(n_samples=N, keep_real=True, replacement=True),
    "fresh": Mix(n_samples=4, n_real=2, real="fresh"),
    "fixed": Mix(n_samples=4, n_real=2, real="fixed"),
}
FACTORS = {
    "replace": gaussian_replace_factor,
    "accumulate": gaussian_accumulate_factor,
    "subsample": gaussian_subsample_factor,
    "fresh": lambda n, t, estimator: gaussian_fresh_moments(n, 4, t, estimator)[0],
    "fixed": lambda n, t, estimator: gaussian_fixed_moments(2, n - 2, t, estimator, 0.5, 1, 0.5)[0],
}


def expectations(workflow, estimator, change=0):
    schedule = workflow.schedule(LAST, None)
    return expected_gaussian(
        schedule.n_synthetic + change,
        schedule.n_real,
        schedule.keep,
        np.where(schedule.n_train > 0, schedule.n_train + change, 0),
        estimator=estimator,
        replacement=schedule.replacement,
        real=schedule.real,
    )


@pytest.mark.parametrize("estimator", ESTIMATORS)
@pytest.mark.parametrize("name", WORKFLOWS)
def test_workflows__variance_and_error_of_the_mean(name, estimator):
    # 2 x 6 comparisons for each case.
    means, sigmas = (a[:, 1:] for a in gaussian_runs(WORKFLOWS[name], LAST, 1800, estimator))

    def z(variance, mean_error):
        return np.append(z_scores(sigmas**2, variance[1:]), z_scores(means**2, mean_error[1:]))

    variance, mean_error = expectations(WORKFLOWS[name], estimator)
    assert not reject(z(variance, mean_error))
    assert reject(z(*expectations(WORKFLOWS[name], estimator, change=2)))
    # The divisor of the other estimator, and one generation late.
    other = ESTIMATORS[1 - ESTIMATORS.index(estimator)]
    assert reject(z(*expectations(WORKFLOWS[name], other)))
    if name in FACTORS:
        np.testing.assert_allclose(FACTORS[name](N, np.arange(LAST + 1), estimator), variance, rtol=1e-12)
    if estimator == "mle":
        assert not reject(z_scores(sigmas**2 + means**2, 1))
        np.testing.assert_allclose(conserved_mean_error(variance), mean_error, atol=1e-12)
    else:
        # Negative control: the law is the MLE's own.
        assert reject(z_scores(sigmas**2 + means**2, 1))


def test_workflows__fixed_real_data_given():
    # 2 x 6 comparisons: one real set for all replicates.
    data = np.array([-1.2, 0.3, 0.5, 1.4])
    schedule = Mix(n_samples=5, n_real=4, real="fixed").schedule(LAST, None)
    start = data.mean(), data.std()
    means, sigmas = replicates(gaussian.chain, 2500, 6, *start, schedule, LAST, estimator="unbiased", data=data)
    t = np.arange(1, LAST + 1)

    def z(m_s, estimator="unbiased"):
        variance, mean_error = gaussian_fixed_moments(4, m_s, t, estimator, data.var(), data.var(), 0.0)
        return np.append(z_scores(sigmas[:, 1:] ** 2, variance), z_scores((means[:, 1:] - start[0]) ** 2, mean_error))

    assert not reject(z(5))
    assert reject(z(5, "mle"))
    assert reject(z(15))


def test_workflows__limits():
    # 5 comparisons at generation 30; the remaining distance to the limit counts as rounding.
    last, n = 30, 5
    cases = [
        (Accumulate(n_samples=n, keep_real=True), "mle", gaussian_accumulate_limit(n, "mle")),
        (Accumulate(n_samples=n, keep_real=True), "unbiased", gaussian_accumulate_limit(n, "unbiased")),
        (
            AccumulateSubsample(n_samples=n, keep_real=True, replacement=False),
            "mle",
            gaussian_subsample_limit(n, "mle"),
        ),
        (Mix(n_samples=3, n_real=2, real="fresh"), "mle", gaussian_fresh_limits(n, 3, "mle")[0]),
        (Mix(n_samples=3, n_real=2, real="fixed"), "mle", gaussian_fixed_limits(2, 3, "mle", 0.5)[0]),
    ]
    found = []
    for workflow, estimator, limit in cases:
        _, sigmas = gaussian_runs(workflow, last, 350, estimator)
        left = limit * 3 / (n * last) if workflow.name.startswith("accumulate") else 1e-6
        found.append(z_scores(sigmas[:, last] ** 2, limit, rounding=left))
        assert reject(z_scores(sigmas[:, last] ** 2, 1.8 * limit, rounding=left))
    assert not reject(np.array(found))


def test_workflows__universal_risk_factors():
    # 4 x 4 comparisons; relative terms of order t/n are neglected. Gaussian means at n = 200.
    n, last = 200, 4
    t = np.arange(1, last + 1)
    cases = [
        (Replace(n_samples=n), risk_factor("replace", t)),
        (Accumulate(n_samples=n, keep_real=True), risk_factor("accumulate", t)),
        (
            AccumulateSubsample(n_samples=n, keep_real=True, replacement=False),
            risk_factor("accumulate_subsample", t),
        ),
        (Mix(n_samples=n // 2, n_real=n // 2, real="fresh"), fresh_risk_factor(0.5, t)),
    ]
    for i, (workflow, expected) in enumerate(cases):
        means, _ = gaussian_runs(workflow, last, 1500, "mle")
        error = n * means[:, 1:] ** 2
        assert not reject(z_scores(error, expected, rounding=expected * t / n))
        wrong = cases[i - 1][1]
        assert reject(z_scores(error, wrong, rounding=wrong * t / n))


# Pr(Sigma_k > 0.1) at k = 5, 10, 20, from other runs, 40,000 and 20,000.
MIXTURE = {"approximate": (40_000, [0.9936, 0.866, 0.392]), "joint_ml": (20_000, [0.9936, 0.882, 0.440])}


@pytest.mark.parametrize("estimator", MIXTURE)
def test_mixture__collapse(estimator):
    # 3 comparisons for each case.
    n, last, n_replicates = 10, 20, 300
    schedule = Replace(n_samples=n).schedule(last, None)
    mus, sigmas = replicates(mixture.chain, n_replicates, 8, 1.0, 1.0, schedule, last, estimator=estimator)
    share = (sigmas > 0.1).mean(axis=0)

    def z(k):
        n_runs, expected = MIXTURE[estimator]
        p = np.array(expected)
        return (share[k] - p) / np.sqrt(p * (1 - p) * (1 / n_replicates + 1 / n_runs))

    assert not reject(z([5, 10, 20]))
    assert reject(z([3, 6, 14]))
    bound = tail_theorem4(1, 0.1, n, np.arange(last + 1))
    assert (share <= bound + 3 * np.sqrt(bound / n_replicates)).all()
    # 1 comparison: the first fit's second moment is that of the truth, for every estimator.
    assert not reject(z_scores(mus[:, 1] ** 2 + sigmas[:, 1] ** 2, 2.0))
    # A fit is a mixture, so that its kurtosis is at most 3; it is below that of the truth on one side only.
    kurtosis = mixture_kurtosis(mus[:, 1], sigmas[:, 1])
    assert kurtosis.max() <= 3
    assert kurtosis.min() < mixture_kurtosis(1, 1) < kurtosis.max()


def test_mixture__first_fits():
    # 300 samples: each fit against the closed form and the condition of its root.
    rng = np.random.default_rng(9)
    n_zero = n_without = 0
    for _ in range(300):
        points = rng.choice([-1, 1], 10) + rng.standard_normal(10)
        m1, m2, m4 = np.abs(points).mean(), (points**2).mean(), (points**4).mean()
        np.testing.assert_allclose(
            approximate_joint_ml(m1, m2, 10), mixture.fit_approximate(points), rtol=1e-9, atol=1e-9
        )
        mu, _ = mixture.fit_joint_ml(points)
        assert mu > 0 or not ml_root_exists(m2, m4)
        n_zero += mu == 0
        # Negative control: the condition with 2 instead of 3 reports no root for samples that have one.
        n_without += mu > 0 and not ml_root_exists(m2, 1.5 * max(m4, m2**2))
        # Algorithm 1 treats a sample as two points if m2 <= (1 + kappa) m1^2; then sigma is small.
        if m2 <= (1 + approximate_ml_kappa(10)) * m1**2:
            assert approximate_joint_ml(m1, m2, 10)[1] ** 2 < 0.05 * m2
    assert 3 < n_zero < 60
    assert n_without > 60


def test_poisson__survival_law_and_moments():
    # 12 + 12 + 12 comparisons and one chi-square test.
    lam0, n, last, n_replicates = 1.0, 5, 12, 6000
    k = np.arange(1, last + 1)
    schedule = Replace(n_samples=n).schedule(last, None)
    rates = replicates(poisson.chain, n_replicates, 10, lam0, schedule, last)[:, 1:]

    def z(n):
        alive = poisson_survival(n * lam0, k)
        return (rates > 0).mean(axis=0) - alive, np.sqrt(alive * (1 - alive) / n_replicates)

    difference, error = z(n)
    assert not reject(difference / error)
    difference, error = z(n - 0.5)
    assert reject(difference / error)
    variance = poisson_rate_variance(lam0, n, k)
    assert not reject(z_scores((rates - lam0) ** 2, variance))
    assert reject(z_scores((rates - lam0) ** 2, poisson_rate_variance(lam0, n + 1, k)))
    for j in (0, 3, last - 1):
        living = rates[rates[:, j] > 0, j]
        assert not reject(z_scores(living, poisson_mean_if_alive(lam0, n, j + 1)))
        assert j == 0 or reject(z_scores(living, lam0))
    counts = np.bincount(np.rint(rates[:, -1] * n).astype(int), minlength=200)
    # One chi-square test at 1e-6.
    assert chi_square_p(counts, poisson_count_law(lam0, n, last, counts.size - 1)) > 1e-6
    assert chi_square_p(counts, poisson_count_law(lam0, n, last - 2, counts.size - 1)) < 1e-6


def test_poisson__accumulate():
    # 6 comparisons: the factor sum 1/s^2 is exact for any n.
    lam0, n, last = 0.7, 3, 6
    schedule = Accumulate(n_samples=n, keep_real=True).schedule(last, None)
    rates = replicates(poisson.chain, 3000, 12, lam0, schedule, last)[:, 1:]
    error = (rates - lam0) ** 2
    k = np.arange(1, last + 1)
    assert not reject(z_scores(error, poisson_rate_variance(lam0, n, k, "accumulate")))
    np.testing.assert_allclose(
        poisson_rate_variance(lam0, n, k, "accumulate"), lam0 / n * risk_factor("accumulate", k), rtol=1e-12
    )
    assert reject(z_scores(error, poisson_rate_variance(lam0, n, k)))
    assert reject(z_scores(error, lam0 / n * risk_factor("accumulate", k + 1)))


def test_verification__limit_rejects_rarely():
    assert 700 * 2 * stats.norm.sf(Z_LIMIT) < 5e-4
