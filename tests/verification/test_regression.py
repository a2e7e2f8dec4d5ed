"""Verification of the regression theory by raw simulation.

The simulations draw rows and labels and fit by pseudo-inverse or normal equations. Each test states its number of
z-scores and fails at |z| > 5. Each has a negative control: a slightly wrong theory that the same data must reject. The
relative error O(1/d) of deterministic equivalents counts as rounding.
"""

import functools

import numpy as np
import pytest
from scipy import stats

from fastcollapse.theory.regression.chain_asymptotic import chain_means, chain_moments, chain_test_means
from fastcollapse.theory.regression.chain_exact import ols_error_mean, ols_error_variance, ols_norm_moments
from fastcollapse.theory.regression.effective_ridge import degrees_of_freedom, effective_ridge, rows_left
from fastcollapse.theory.regression.error_distribution import ols_error_cdf, ols_error_quantile
from fastcollapse.theory.regression.isotropic import isotropic_chain_means, isotropic_chain_variances
from fastcollapse.theory.regression.optimal_ridge import isotropic_optimal_ridge, optimal_ridge
from fastcollapse.theory.regression.real_data import mix_contraction, mix_error, mix_fixed_error
from fastcollapse.theory.regression.ridge_risk import (
    isotropic_equivalents,
    ridge_equivalents,
    ridge_test_error,
)
from fastcollapse.theory.regression.scaling_laws import (
    best_exponents,
    crossover_samples,
    error_exponent,
    power_law,
    power_law_equivalents,
)
from fastcollapse.theory.regression.schedule import expected_regression
from fastcollapse.theory.regression.shared_design import dependent_ridge_means
from fastcollapse.theory.regression.workflows import (
    accumulate_error,
    accumulate_error_limit,
    accumulate_error_variance,
    min_norm_accumulate_error,
    min_norm_same_rows_error,
    subsample_error,
)
from tests._goodness_of_fit import z_scores

# Threads of BLAS wait for each other where two test processes share two cores.
pytestmark = pytest.mark.usefixtures("one_blas_thread")

# Fewer than 400 z-scores in this file, 5.7e-7 each: 2.3e-4 in all.
Z_LIMIT = 5.0


def reject(z):
    return np.abs(z).max() > Z_LIMIT


def z_variance(samples, expected):
    return z_scores((samples - samples.mean(axis=0)) ** 2 * len(samples) / (len(samples) - 1), expected)


def rows_of(rng, n_replicates, size, spectrum):
    return rng.standard_normal((n_replicates, size, len(spectrum))) * np.sqrt(spectrum)


def fit(x, y, ridge):
    """Return the ridge fit of each replicate; at ridge 0 the least-squares fit of minimum norm."""
    if ridge == 0:
        return (np.linalg.pinv(x) @ y[..., None])[..., 0]
    n_rows, d = x.shape[-2:]
    gram = np.swapaxes(x, -1, -2) @ x / n_rows + ridge * np.eye(d)
    return np.linalg.solve(gram, np.swapaxes(x, -1, -2) @ y[..., None] / n_rows)[..., 0]


def labels(rng, x, w, noise):
    return (x @ w[..., None])[..., 0] + noise * rng.standard_normal(x.shape[:-1])


def generators(rng, n_replicates, spectrum, w0, sizes, noise, *, ridge=0.0, same=False):
    """Return [replicate, generation, dimension]: w_0, w_1, ..., each fitted to rows labelled by the previous one."""
    states = [np.tile(w0, (n_replicates, 1))]
    x = None
    for size in sizes:
        x = x if same and x is not None else rows_of(rng, n_replicates, size, spectrum)
        states.append(fit(x, labels(rng, x, states[-1], noise), ridge))
    return np.stack(states, axis=1)


def downstream(rng, spectrum, states, size, noise, ridge):
    x = rows_of(rng, len(states), size, spectrum)
    return fit(x, labels(rng, x, states, noise), ridge)


def measures(w, spectrum, w0):
    """Return error, overlap and squared norm along the last axis."""
    return ((w - w0) ** 2) @ spectrum, w @ w0, (w**2).sum(axis=-1)


SPECTRA = {
    "isotropic": np.ones(160),
    "power law": np.arange(1.0, 161.0) ** -1.5,
    "two levels": np.repeat([1, 0.05], 80),
}


def parts_of(x, spectrum, w0, ridge):
    """Return tr R, tr R^2 and the three parts of the error given the rows [replicate, row, dimension], R =
    S (S + ridge)^{-1}."""
    size, d = x.shape[-2:]
    s = np.swapaxes(x, -1, -2) @ x / size
    # The ridge 0 of the theory as a limit.
    g = np.linalg.inv(s + max(ridge, 1e-9) * np.eye(d))
    r = g @ s
    bias = ((r @ w0 - w0) ** 2) @ spectrum
    variance = np.einsum("i,...ij,...ji->...", spectrum, r, g) / size
    synthetic = np.einsum("i,...ij,j->...", spectrum, r**2, 1 / spectrum) / d
    trace = np.trace(r, axis1=-2, axis2=-1)
    return np.stack([trace, np.einsum("...ij,...ji->...", r, r), bias, variance, synthetic], axis=-1)


@functools.cache
def resolvents(name, size, ridge, n_replicates=12):
    """Return `parts_of` random rows."""
    spectrum = SPECTRA[name]
    drawn = rows_of(np.random.default_rng(21), n_replicates, size, spectrum)
    return parts_of(drawn, spectrum, truth_of(spectrum), ridge)


def truth_of(spectrum):
    w0 = np.cos(np.arange(len(spectrum)))
    return w0 / np.sqrt(spectrum @ w0**2)


CASES = [
    ("isotropic", 320, 0.1),
    ("isotropic", 80, 0.0),
    ("power law", 240, 1e-3),
    ("power law", 80, 1e-2),
    ("two levels", 120, 0.02),
]


@pytest.mark.parametrize(("name", "size", "ridge"), CASES)
def test_regression__equivalents(name, size, ridge):
    # 5 comparisons for each case; the rounding is 3/d.
    spectrum = SPECTRA[name]
    w0 = truth_of(spectrum)
    sample = resolvents(name, size, ridge)

    def z(kappa, parts):
        df_1, df_2 = degrees_of_freedom(spectrum, kappa)
        # tr R^2 is the derivative of tr R: dkappa/dridge = 1/(1 - df_2/T).
        second = df_1 - max(ridge, 1e-9) * (df_1 - df_2) / kappa * size / rows_left(spectrum, size, kappa)[1]
        expected = np.array([df_1, second, *parts])
        return z_scores(sample, expected, rounding=3 / len(spectrum) * np.abs(expected))

    kappa = effective_ridge(spectrum, size, ridge)
    parts = ridge_equivalents(spectrum, w0, size, ridge)
    assert not reject(z(kappa, parts))
    # Negative control: 10 % more rows, and kappa 20 % larger.
    assert reject(z(kappa, ridge_equivalents(spectrum, w0, size * 11 // 10, ridge)))
    assert reject(z(1.2 * kappa, parts))
    if name == "isotropic":
        got = isotropic_equivalents(len(spectrum), size, ridge)
        for part, expected in zip(got[1:], (parts[0] / (w0 @ w0), *parts[1:]), strict=True):
            np.testing.assert_allclose(part, expected, rtol=1e-10)
        assert reject(z(1.2 * got[0], parts))


@pytest.mark.parametrize(("name", "size", "ridge"), CASES[::2])
def test_regression__test_error_from_raw_labels(name, size, ridge):
    # 3 comparisons for each case: clean, one and three generators; the rounding is 3/d.
    spectrum, fits, sigma, sigma0, size0 = SPECTRA[name], np.array([0, 1, 3]), 0.4, 0.5, 320
    w0 = truth_of(spectrum)
    rng = np.random.default_rng(22)
    states = generators(rng, 30, spectrum, w0, (size0,) * 3, sigma0)
    error = np.stack(
        [measures(downstream(rng, spectrum, states[:, n], size, sigma, ridge), spectrum, w0)[0] for n in fits]
    )

    def z(sizes, n):
        expected = ridge_test_error(spectrum, w0, size, ridge, sizes, n, sigma, sigma0)
        return z_scores(error.T, expected, rounding=3 / len(spectrum) * expected)

    assert not reject(z(size0, fits))
    # Negative control: one generator more; T0 instead of T0-d-1.
    assert reject(z(size0, fits + 1))
    assert reject(z(size0 + len(spectrum) + 1, fits))


D, SIZES, SIGMA0, SIGMA, ROWS = 5, (24, 20, 30), 0.7, 0.5, 26
SMALL = np.array([3.0, 1.0, 0.5, 0.1, 0.02])
W0 = np.array([1.0, -0.5, 0.8, 2.0, 1.0])


@functools.cache
def small_chain(design, n_replicates=16_000):
    rng = np.random.default_rng(23)
    same = design == "dependent"
    states = generators(rng, n_replicates, SMALL, W0, (20,) * 3 if same else SIZES, SIGMA0, same=same)
    return states, downstream(rng, SMALL, states[:, 3], ROWS, SIGMA, 0.0)


@pytest.mark.parametrize("design", ["independent", "dependent"])
def test_regression_exact__error_and_norms(design):
    # 20 comparisons for each case: means and variances of the error of 3 fits and of the one downstream, of
    # overlap and norm of 3 fits.
    states, last = small_chain(design)
    error, overlap, norm = measures(states[:, 1:], SMALL, W0)
    error = np.column_stack([error, measures(last, SMALL, W0)[0]])
    n = np.array([1, 2, 3])
    sizes = np.array(SIZES) if design == "independent" else 20

    def z(d, more=0, design=design):
        change = sizes + more
        mean = [*ols_error_mean(d, change, n, SIGMA0), ols_error_mean(d, change, 3, SIGMA0, ROWS + more, SIGMA)]
        variance = [
            *ols_error_variance(d, change, n, SIGMA0, design=design),
            ols_error_variance(d, change, 3, SIGMA0, ROWS + more, SIGMA, design),
        ]
        return np.append(z_scores(error, np.array(mean)), z_variance(error, np.array(variance)))

    def z_norms(more=0):
        moments = ols_norm_moments(SMALL, W0, sizes + more, n, SIGMA0, design)
        return np.concatenate(
            [
                z_scores(overlap, moments[0]),
                z_variance(overlap, moments[1]),
                z_scores(norm, moments[2]),
                z_variance(norm, moments[3]),
            ]
        )

    assert not reject(z(D))
    assert not reject(z_norms())
    # Negative control: T-d instead of T-d-1.
    assert reject(z(D, more=1)[:4])
    # The norm is mostly that of w0, so the negative control has two rows more.
    assert reject(z_norms(more=2))
    # Only the variances distinguish the designs.
    if design == "dependent":
        assert reject(z(D, design="independent")[4:])


def test_regression_law__probabilities_and_medians():
    # 4 cases of 7 comparisons.
    levels = np.array([0.02, 0.1, 0.3, 0.5, 0.7, 0.9, 0.98])
    rng = np.random.default_rng(24)
    infinite = generators(rng, 4000, SMALL, W0, (5, 6, 5), SIGMA0)
    chain, last = small_chain("independent")
    same, _ = small_chain("dependent")
    cases = [
        (chain[:, 1], (D, SIZES, 1, SIGMA0), {}),
        (last, (D, SIZES, 3, SIGMA0, ROWS, SIGMA), {}),
        (same[:, 3], (D, 20, 3, SIGMA0), {"design": "dependent"}),
        # Numbers of rows at which no mean exists.
        (infinite[:, 3], (D, (5, 6, 5), 3, SIGMA0), {}),
    ]
    for w, (d, sizes, *rest), design in cases:
        error = measures(w, SMALL, W0)[0]

        def z(more, error=error, d=d, sizes=sizes, rest=rest, design=design):
            x = ols_error_quantile(levels, d, np.add(sizes, more), *rest, **design)
            np.testing.assert_allclose(ols_error_cdf(x, d, np.add(sizes, more), *rest, **design), levels, atol=1e-9)
            share = (error[:, None] <= x).mean(axis=0)
            return (share - levels) / np.sqrt(levels * (1 - levels) / len(error))

        assert not reject(z(0))
        # Negative control: one degree of freedom more.
        assert reject(z(1))
    assert np.isinf(ols_error_mean(D, (5, 6, 5), 3, SIGMA0))


CHAINS = {
    "minimum norm": ("power law", 60, 0.0, "independent"),
    "minimum norm, dependent": ("power law", 60, 0.0, "dependent"),
    "two levels": ("two levels", 80, 0.0, "independent"),
    "ridge": ("power law", 200, 0.01, "independent"),
    "least squares": ("two levels", 320, 0.0, "independent"),
    "sizes": ("isotropic", (40, 80, 300), 0.02, "independent"),
}


@pytest.mark.parametrize(
    "case", [pytest.param(case, marks=[pytest.mark.slow] if case == "least squares" else []) for case in CHAINS]
)
def test_regression_chain__moments_before_and_after_a_ridge_fit(case):
    # 16 comparisons for each case: error, overlap and norm of 3 generators, and of fits to two of them; the
    # sum of second moments of half of the coordinates. The rounding is 4/d.
    name, sizes, ridge0, design = CHAINS[case]
    spectrum, sigma, sigma0, fits = SPECTRA[name], 0.3, 0.4, np.array([1, 2, 3])
    w0 = truth_of(spectrum)
    rng = np.random.default_rng(25)
    schedule = sizes if isinstance(sizes, tuple) else (sizes,) * 3
    states = generators(rng, 40, spectrum, w0, schedule, sigma0, ridge=ridge0, same=design == "dependent")[:, 1:]
    tests = {n: downstream(rng, spectrum, states[:, n - 1], 120, sigma, 0.02) for n in (1, 3)}
    half = (states[:, -1, ::2] ** 2).sum(axis=1)

    def z(sigma0=sigma0, fits=fits, design=design, ridge0=ridge0):
        arguments = spectrum, w0, sizes, fits, sigma0, ridge0, design
        found = []
        for value, expected in zip(measures(states, spectrum, w0), chain_means(*arguments), strict=True):
            found.append(z_scores(value, expected, rounding=4 / len(spectrum) * np.abs(expected)))
        for n, w in tests.items():
            least = fits[n - 1]
            got = chain_test_means(spectrum, w0, 120, 0.02, sizes, least, sigma, sigma0, ridge0, design)
            for value, expected in zip(measures(w, spectrum, w0), got, strict=True):
                found.append(np.atleast_1d(z_scores(value, expected, rounding=4 / len(spectrum) * np.abs(expected))))
        _, second = chain_moments(*arguments)
        expected = second[-1, ::2].sum()
        found.append(np.atleast_1d(z_scores(half, expected, rounding=4 / len(spectrum) * expected)))
        return np.concatenate(found)

    assert not reject(z())
    assert reject(z(sigma0=1.15 * sigma0))
    assert reject(z(fits=np.array([0, 1, 2])))
    if design == "dependent":
        assert reject(z(design="independent"))


@pytest.mark.parametrize(("size", "ridge"), [(100, 0.05), (320, 0.2)])
def test_regression_dependent__ridge_on_the_same_rows(size, ridge):
    # 9 comparisons for each case; the rounding is 4/d.
    spectrum, sigma0, fits = SPECTRA["isotropic"], 0.5, np.array([1, 3, 9])
    w0 = truth_of(spectrum)
    states = generators(np.random.default_rng(39), 30, spectrum, w0, (size,) * 9, sigma0, ridge=ridge, same=True)

    def z(means):
        pairs = zip(measures(states[:, fits], spectrum, w0), means, strict=True)
        return np.array([z_scores(got, mean, rounding=4 / len(spectrum) * np.abs(mean)) for got, mean in pairs])

    assert not reject(z(dependent_ridge_means(len(spectrum), size, ridge, fits, sigma0, w0 @ w0)))
    # Negative control: independent rows for each generator; one generator more.
    assert reject(z(chain_means(spectrum, w0, size, fits, sigma0, ridge)))
    assert reject(z(dependent_ridge_means(len(spectrum), size, ridge, fits + 1, sigma0, w0 @ w0)))


ISOTROPIC = {
    "over-parametrised": ((4, 4, 4), False, None),
    "over-parametrised, dependent": ((4, 4, 4), True, None),
    "under, over, under": ((26, 3, 24), False, None),
    "least squares": ((26, 26, 26), False, None),
    "fit with more rows": ((4, 3), False, 26),
    "fit with fewer rows": ((26, 26), True, 5),
}


@pytest.mark.parametrize("case", ISOTROPIC)
def test_regression_isotropic__means_and_variances(case):
    # 6 comparisons of the last fit and 6 of the first for each case.
    sizes, same, rows = ISOTROPIC[case]
    d, sigma0, sigma = 16, 0.5, 0.4 if rows else 0.0
    w0 = np.linspace(-0.5, 0.9, d)
    rng = np.random.default_rng(26)
    states = generators(rng, 5000, np.ones(d), w0, sizes, sigma0, same=same)
    last = downstream(rng, np.ones(d), states[:, -1], rows, sigma, 0.0) if rows else states[:, -1]
    design, n_fits = "dependent" if same else "independent", len(sizes)

    def z(d, sizes=sizes, n=n_fits):
        size = sizes[0] if same else sizes
        found = []
        for w, downstream in ((states[:, 1], (1, None, 0.0)), (last, (n, rows, sigma))):
            arguments = d, size, downstream[0], sigma0, w0 @ w0, design, *downstream[1:]
            moments = zip(
                measures(w, np.ones(len(w0)), w0),
                isotropic_chain_means(*arguments),
                isotropic_chain_variances(*arguments),
                strict=True,
            )
            for value, mean, variance in moments:
                found += [z_scores(value, mean), z_variance(value, variance)]
        return np.array(found)

    assert not reject(z(d))
    assert reject(z(d, sizes=tuple(size + 1 for size in sizes)))
    assert reject(z(d, n=n_fits - 1)[6:])


def pooled(rng, n_replicates, spectrum, w0, schedule, sigma0, sigma):
    """Return the error after each generation of (synthetic rows, real rows, keep the pool)."""
    d = len(spectrum)
    x, y = np.zeros((n_replicates, 0, d)), np.zeros((n_replicates, 0))
    w, errors = np.tile(w0, (n_replicates, 1)), []
    for n_synthetic, n_real, keep in schedule:
        x, y = (x, y) if keep else (x[:, :0], y[:, :0])
        made, true = rows_of(rng, n_replicates, n_synthetic, spectrum), rows_of(rng, n_replicates, n_real, spectrum)
        x = np.concatenate([x, made, true], axis=1)
        y = np.concatenate([y, labels(rng, made, w, sigma0), labels(rng, true, w0, sigma)], axis=1)
        w = fit(x, y, 0)
        errors.append(measures(w, spectrum, w0)[0])
    return np.array(errors).T


SCHEDULES = {
    "replace": [(20, 0, 0), (16, 0, 0), (30, 0, 0)],
    "accumulate": [(16, 0, 1), (3, 0, 1), (20, 0, 1), (1, 0, 1)],
    "fresh real rows": [(11, 7, 0)] * 4,
    "fresh real rows, all kept": [(14, 0, 1), (3, 2, 1), (8, 9, 1), (4, 1, 1)],
    "a pool emptied": [(16, 2, 0), (9, 7, 0), (3, 2, 1), (6, 0, 1), (2, 8, 1)],
    "real rows alone": [(0, 15, 0), (12, 9, 1), (0, 16, 0), (6, 3, 1)],
}


@pytest.mark.parametrize("name", SCHEDULES)
def test_regression_schedule__expected_error(name):
    # 3 to 5 comparisons for each case.
    schedule, sigma0, sigma = SCHEDULES[name], 0.5, 0.8
    rng = np.random.default_rng(27)
    error = pooled(rng, 16_000, SMALL[:4], W0[:4], schedule, sigma0, sigma)
    n_synthetic, n_real, keep = np.array(schedule).T

    def z(d, n_synthetic=n_synthetic, n_real=n_real, keep=keep, sigma0=sigma0):
        return z_scores(error, expected_regression(d, n_synthetic, n_real, keep, sigma0=sigma0, sigma=sigma)[1:])

    assert not reject(z(4))
    # Negative control: T-d instead of T-d-1; labels of truth and state exchanged.
    assert reject(z(4, n_synthetic + (n_synthetic > 0), n_real + (n_synthetic == 0)))
    if n_real.any():
        assert reject(z(4, n_synthetic + n_real, 0 * n_real, sigma0=np.sqrt(sigma0 * sigma)))
    if name == "fresh real rows":
        np.testing.assert_allclose(
            mix_error(4, 11, 7, np.arange(5), sigma0, sigma),
            expected_regression(4, n_synthetic, n_real, keep, sigma0=sigma0, sigma=sigma),
            rtol=1e-12,
        )


def test_regression_mix__contraction():
    # 2 comparisons: |S^{-1} S_0 v|^2, with and without enough real rows to limit the error.
    rng = np.random.default_rng(28)
    for d, synthetic, real in ((3, 9, 5), (6, 18, 1)):
        old, new = rows_of(rng, 20_000, synthetic, np.ones(d)), rows_of(rng, 20_000, real, np.ones(d))
        gram = np.swapaxes(old, 1, 2) @ old
        total = gram + np.swapaxes(new, 1, 2) @ new
        kept = np.linalg.solve(total, gram[:, :, :1])[..., 0]
        share = (kept**2).sum(axis=1)
        assert not reject(z_scores(share, mix_contraction(d, synthetic, real)))
        assert reject(z_scores(share, (synthetic / (synthetic + real)) ** 2))


def test_regression_mix__fixed_real_rows():
    # 4 comparisons; the rounding is 3 d/N.
    d, synthetic, real, last, sigma0, sigma = 2, 60, 40, 4, 0.5, 0.9
    rng = np.random.default_rng(29)
    w0 = np.array([1.0, -1.0])
    fixed = rows_of(rng, 5000, real, np.ones(d))
    their = labels(rng, fixed, np.tile(w0, (5000, 1)), sigma)
    w, errors = np.tile(w0, (5000, 1)), []
    for _ in range(last):
        x = rows_of(rng, 5000, synthetic, np.ones(d))
        y = labels(rng, x, w, sigma0)
        w = fit(np.concatenate([x, fixed], axis=1), np.concatenate([y, their], axis=1), 0)
        errors.append(measures(w, np.ones(d), w0)[0])
    n, error = np.arange(1, last + 1), np.array(errors).T
    expected = mix_fixed_error(d, synthetic, real, n, sigma0, sigma)
    assert not reject(z_scores(error, expected, rounding=3 * d / (synthetic + real) * expected))
    # Fresh real rows give a smaller error.
    wrong = mix_error(d, synthetic, real, n, sigma0, sigma)
    assert reject(z_scores(error, wrong, rounding=3 * d / (synthetic + real) * wrong))


@functools.cache
def same_rows(d, size, last, n_replicates, sigma):
    """Return replace and accumulate errors [replicate, round] with the same rows in every round."""
    rng = np.random.default_rng(30)
    x = rows_of(rng, n_replicates, size, np.ones(d))
    w0 = np.ones(d) / np.sqrt(d)
    inverse = np.linalg.pinv(x)
    found = []
    for accumulate in (False, True):
        w, total, errors = np.tile(w0, (n_replicates, 1)), 0.0, []
        for i in range(1, last + 1):
            y = labels(rng, x, w, sigma)
            total = total + y if accumulate else y
            w = (inverse @ (total / (i if accumulate else 1))[..., None])[..., 0]
            errors.append(measures(w, np.ones(d), w0)[0])
        found.append(np.array(errors).T)
    return found


def test_regression_workflows__accumulate():
    # 3 x 4 comparisons, means with the same and with fresh rows and variances, and 2 of the limits: the remaining
    # distance at round 12 counts as rounding.
    d, size, last, sigma = 4, 16, 12, 0.6
    n = np.arange(1, last + 1)
    at = np.array([1, 2, 4, 12])
    same = same_rows(d, size, last, 16_000, sigma)[1]
    rng = np.random.default_rng(31)
    fresh = pooled(rng, 8000, np.ones(d), np.ones(d) / 2, [(size, 0, 1)] * last, sigma, sigma)

    def z(d, kind, error):
        return z_scores(error[:, at - 1], accumulate_error(d, size, at, sigma, kind))

    assert not reject(z(d, "same", same))
    assert not reject(z(d, "fresh", fresh))
    assert reject(z(d, "fresh", same))
    assert reject(z(d, "same", fresh))
    # Negative control: T-d instead of T-d-1.
    assert reject(z_scores(same, accumulate_error(d, size + 1, n, sigma, "same")))
    assert reject(z_scores(fresh, accumulate_error(d, [size + 1] + [size] * (last - 1), n, sigma, "fresh")))
    assert not reject(z_variance(same[:, at - 1], accumulate_error_variance(d, size, at, sigma)))
    assert reject(z_variance(same[:, at - 1], accumulate_error_variance(d, size, at + 1, sigma)))
    for kind, error in (("same", same), ("fresh", fresh)):
        limit = accumulate_error_limit(d, size, sigma, kind)
        left = sigma**2 * d / (size - d - 1) / last
        assert not reject(z_scores(error[:, -1], limit, rounding=left))
        assert reject(z_scores(error[:, -1], 1.2 * limit, rounding=left))


def test_regression_workflows__minimum_norm_on_the_same_rows():
    # 2 x 4 comparisons.
    d, size, sigma = 16, 7, 0.6
    n = np.arange(1, 5)
    for name, error in zip(("replace", "accumulate"), same_rows(d, size, 4, 6000, sigma), strict=True):
        assert not reject(z_scores(error, min_norm_same_rows_error(d, size, n, sigma, 1.0, name)))
        assert reject(z_scores(error, min_norm_same_rows_error(d, size, n + 1, sigma, 1.0, name)))
        # Negative control: d-T instead of d-T-1.
        wrong = min_norm_same_rows_error(d, size, n, sigma * np.sqrt((d - size - 1) / (d - size)), 1.0, name)
        assert reject(z_scores(error, wrong))


def test_regression_workflows__fewer_rows_than_dimensions_at_first():
    # 5 comparisons: pools of 4, 8, 18, 23 and 32 rows in 12 dimensions.
    sizes, d, sigma = (4, 4, 10, 5, 9), 12, 0.9
    rng = np.random.default_rng(33)
    w0 = np.linspace(0.5, -0.8, d)
    error = pooled(rng, 14_000, np.ones(d), w0, [(size, 0, 1) for size in sizes], sigma, sigma)
    n = np.arange(1, 6)
    assert not reject(z_scores(error, min_norm_accumulate_error(d, sizes, n, sigma, w0 @ w0)))
    # Negative control: d-N instead of d-N-1, above and below.
    assert reject(z_scores(error, min_norm_accumulate_error(d, (4, 5, 10, 5, 9), n, sigma, w0 @ w0))[:2])
    assert reject(z_scores(error, min_norm_accumulate_error(d, (4, 4, 11, 5, 9), n, sigma, w0 @ w0))[2:])


def test_regression_workflows__subsample():
    # 4 comparisons; the rounding is 3 d/T.
    d, size, last, sigma, n_replicates = 2, 60, 4, 0.6, 4000
    rng = np.random.default_rng(32)
    w0 = np.array([1.0, -1.0])
    x, y = np.zeros((n_replicates, 0, d)), np.zeros((n_replicates, 0))
    w, errors = np.tile(w0, (n_replicates, 1)), []
    for _ in range(last):
        new = rows_of(rng, n_replicates, size, np.ones(d))
        x, y = np.concatenate([x, new], axis=1), np.concatenate([y, labels(rng, new, w, sigma)], axis=1)
        chosen = np.argsort(rng.random(y.shape), axis=1)[:, :size]
        w = fit(np.take_along_axis(x, chosen[..., None], axis=1), np.take_along_axis(y, chosen, axis=1), 0)
        errors.append(measures(w, np.ones(d), w0)[0])
    n, error = np.arange(1, last + 1), np.array(errors).T
    expected = subsample_error(d, size, n, sigma)
    assert not reject(z_scores(error, expected, rounding=3 * d / size * expected))
    wrong = accumulate_error(d, size, n, sigma, "same")
    assert reject(z_scores(error, wrong, rounding=3 * d / size * wrong))


@pytest.mark.parametrize("name", ["isotropic", "power law"])
def test_regression_optimum__flat_at_the_best_ridge(name):
    # 2 comparisons for each of 3 cases: the error at the best ridge, and that it is the same a tenth below and
    # above. The rounding is 3/d.
    spectrum, sigma = SPECTRA[name], 0.6
    d, w0 = len(spectrum), truth_of(spectrum)
    drawn = {size: rows_of(np.random.default_rng(34), 24, size, spectrum) for size in (100, 400)}

    def z(size, generator_error, ridge, least):
        around = []
        for factor in (1 / 1.1, 1, 1.1):
            parts = parts_of(drawn[size], spectrum, w0, factor * ridge)[:, 2:]
            around.append(parts @ [1, sigma**2, generator_error])
        below, error, above = around
        slope = (above - below) / error
        rounding = 3 / d * np.array([least, 0.2])
        return z_scores(np.transpose([error, slope]), np.array([least, 0.0]), rounding)

    for size, generator_error in ((100, 0.0), (100, 0.7), (400, 0.7)):
        ridge, least = optimal_ridge(spectrum, w0, size, sigma, generator_error)
        if name == "isotropic":
            closed = isotropic_optimal_ridge(d, size, sigma, w0 @ w0, generator_error)
            np.testing.assert_allclose(closed, ridge, rtol=1e-10)
        assert not reject(z(size, generator_error, ridge, least))
        # Negative control: the best ridge for labels of the truth, and for labels of a generator.
        wrong, worse = optimal_ridge(spectrum, w0, size, sigma, 0.0 if generator_error else 0.7)
        assert reject(z(size, generator_error, wrong, worse))
        assert reject(z(size, generator_error, wrong, least)[1:])


def test_regression_optimum__isotropic_is_exact_for_clean_labels():
    # 3 comparisons: the slope of the error at the best ridge, a few dimensions and rows.
    for d, size, sigma in ((3, 5, 0.8), (4, 3, 1.0), (2, 12, 1.5)):
        w0 = np.arange(1.0, d + 1) / d
        drawn = rows_of(np.random.default_rng(35), 6000, size, np.ones(d))

        def z(ridge, drawn=drawn, w0=w0, d=d, sigma=sigma):
            below, above = (
                parts_of(drawn, np.ones(d), w0, factor * ridge)[:, 2:4] @ [1, sigma**2] for factor in (0.999, 1.001)
            )
            return z_scores(above - below, 0.0, rounding=2e-6 * below.mean())

        ridge = isotropic_optimal_ridge(d, size, sigma, w0 @ w0)
        assert not reject(z(ridge))
        assert reject(z(ridge * (size + 1) / size))


POWERS = [(2.0, 0.4), (2.0, 1.0), (2.2, 1.6)]


@pytest.mark.parametrize(("beta", "r"), POWERS)
def test_regression_scaling__power_laws_with_their_constants(beta, r):
    # 4 comparisons for each case, df_1, df_2 by the derivative, bias and variance; the rounding is 4 %.
    spectrum, w0 = power_law(400, beta, r)
    size, ridge = 600, 0.004
    kappa = effective_ridge(spectrum, size, ridge)
    sample = parts_of(rows_of(np.random.default_rng(36), 12, size, spectrum), spectrum, w0, ridge)[:, :4]

    def z(beta, r, kappa=kappa):
        df_1, df_2, bias = power_law_equivalents(kappa, beta, r)
        spare = 1 - df_2 / size
        expected = np.array([df_1, df_1 - ridge * (df_1 - df_2) / kappa / spare, bias / spare, df_2 / size / spare])
        return z_scores(sample, expected, rounding=0.04 * expected)

    assert not reject(z(beta, r))
    assert reject(z(1.1 * beta, r))
    assert reject(z(beta, 0.8 * r)[2:3])


def slope_of_error(beta, r, ell, a, sigma, synthetic):
    """Return the slope of the mean error from T = 1,000 to 12,000, generators of an error d synthetic T^-a."""
    spectrum, w0 = power_law(150, beta, r)
    rng, errors, sizes = np.random.default_rng(37), [], (1000, 12_000)
    for size in sizes:
        parts = parts_of(rows_of(rng, 3, size, spectrum), spectrum, w0, size**-ell)[:, 2:]
        errors.append((parts @ [1, sigma**2, len(spectrum) * synthetic * size**-a]).mean())
    return -np.diff(np.log(errors))[0] / np.log(sizes[1] / sizes[0])


def test_regression_scaling__exponents():
    # Slopes of 6 curves within 0.06; the nearest wrong theory is rejected.
    beta, r = 2.0, 0.4
    clean, rate = best_exponents(beta, r)
    late, slow = best_exponents(beta, r, 0.5)
    cases = [
        (clean, 1.0, 1.0, 0.0, rate),
        (late, 0.5, 0.3, 1.0, slow),
        # Only bias, only variance, only generators.
        (0.5, 1.0, 0.0, 0.0, error_exponent(beta, r, 0.5)),
        (0.9, 1.0, 30.0, 0.0, error_exponent(beta, r, 0.9)),
        (0.7, 0.5, 0.0, 30.0, error_exponent(beta, r, 0.7, 0.5)),
        (0.7, 0.2, 0.0, 30.0, error_exponent(beta, r, 0.7, 0.2)),
    ]
    for ell, a, sigma, synthetic, expected in cases:
        got = slope_of_error(beta, r, float(ell), a, sigma, synthetic)
        assert abs(got - expected) < 0.06
        # Negative control: the exponent of a ridge that decreases 1.5 times as fast.
        assert abs(got - error_exponent(beta, r, 1.5 * ell, a)) > 0.06


def test_regression_scaling__crossover():
    # 2 comparisons: bias over variance where they meet; the rounding is 8 %.
    for beta, r, ell, noise in ((2.0, 0.6, 1.0, 0.02), (2.0, 1.2, 0.8, 0.005)):
        spectrum, w0 = power_law(300, beta, r)
        size = int(crossover_samples(beta, r, ell, noise))
        assert 100 < size < 5000

        def z(size, spectrum=spectrum, w0=w0, ell=ell, noise=noise):
            rng = np.random.default_rng(38)
            parts = parts_of(rows_of(rng, 8, size, spectrum), spectrum, w0, size**-ell)
            bias, variance = parts[:, 2], parts[:, 3]
            return z_scores(bias / (noise * variance), 1.0, rounding=0.08)

        assert not reject(z(size))
        assert reject(z(2 * size))


def test_verification_regression__limit_rejects_rarely():
    assert 400 * 2 * stats.norm.sf(Z_LIMIT) < 3e-4
