"""Theory of the generators of a run of regressions, exact or asymptotic."""

from dataclasses import dataclass

import numpy as np

from fastcollapse.analysis.panels.error_shape import inverse_cumulants, shape_of
from fastcollapse.analysis.panels.regression_setting import Setting, setting_of
from fastcollapse.analysis.panels.schedules import cached_by_results
from fastcollapse.analysis.panels.skewed_scores import skewness
from fastcollapse.simulation.recorded_run import RecordedRun
from fastcollapse.theory.mixing.weighted_fit import fixed_real_errors, weighted_errors
from fastcollapse.theory.regression.chain_asymptotic import chain_means
from fastcollapse.theory.regression.chain_exact import ols_error_mean
from fastcollapse.theory.regression.error_distribution import ols_error_quantile
from fastcollapse.theory.regression.fine_tuning import fine_tuned_error, nearest_fit_error
from fastcollapse.theory.regression.isotropic import isotropic_chain_means, isotropic_chain_variances
from fastcollapse.theory.regression.real_data import mix_fixed_error
from fastcollapse.theory.regression.schedule import expected_regression
from fastcollapse.theory.regression.shared_design import dependent_ridge_means
from fastcollapse.theory.regression.workflows import (
    accumulate_error,
    min_norm_accumulate_error,
    min_norm_same_rows_error,
    subsample_error,
)

# The variance of the error is infinite if rows and dimensions differ by at most this number; so is its mean for less.
EDGE = 3
# The most medians of one curve, and the most different numbers of rows whose law is fast enough to evaluate.
_MEDIANS, _FEW_SIZES = 12, 4
# The fewest rows per input for the first order: it is off by an eighth there, and by a factor of five at two rows.
_FIRST_ORDER_ROWS = 10
# The most generations of ridge fits to the same rows with a ridge of 1: about a second.
_MOST_INTEGRALS = 10**6
EQUIVALENT = "theory: deterministic equivalent"
FIRST_ORDER = "theory: first order in $d/n$"


@dataclass(frozen=True, eq=False)
class Chain:
    """Theory of the generators 0..T, float64 [T+1] each, NaN where it is not known.

    Parameters
    ----------
    error, overlap, square : expectations of |w - w0|_Sigma^2, and Euclidean of <w, w0> and |w|^2.
    exact : whether they are exact; otherwise they are deterministic equivalents.
    unbiased : whether E w = w0, and the error is the same in all directions of the norm of Sigma.
    cumulants : float64 (3, T+1), of the factor q of the error q chi2_d of least squares under replace, else NaN.
    spread : second moment of the error over the square of its first moment.
    skew : skewness of the error, or an upper bound of it.
    heavy : bool [T+1], whether the mean or the variance of the error is infinite.
    label : of theory that is not exact.
    """

    error: np.ndarray
    overlap: np.ndarray
    square: np.ndarray
    exact: bool
    unbiased: bool
    cumulants: np.ndarray
    spread: np.ndarray
    skew: np.ndarray
    heavy: np.ndarray
    label: str


@cached_by_results
def chain_of(results: RecordedRun) -> Chain:
    """Return the theory of the generators of a run."""
    setting, fits = setting_of(results), np.arange(results.last + 1)
    error, overlap, square, exact, unbiased = _expectations(setting, fits)
    heavy = _heavy(setting, results.last)
    cumulants = np.full((3, fits.size), np.nan)
    spread, skew = np.full(fits.size, np.nan), np.where(fits > 0, _skewness_of_one(setting), 0.0)
    # Where a fit starts from the one before, the skewness of one fit bounds that of their sum.
    if unbiased and setting.replace_only and not setting.from_previous:
        cumulants = _cumulants(setting, fits)
        spread, skew = shape_of(setting.d, cumulants)
    elif exact and setting.replace_only and not setting.from_previous:
        variance = isotropic_chain_variances(
            setting.d, setting.sizes, fits, setting.sigma0, setting.length, setting.design
        )[0]
        with np.errstate(divide="ignore", invalid="ignore"):
            spread = np.where(error > 0, 1 + variance / error**2, 1.0)
        skew = np.maximum(skew, skewness(spread))
    label = FIRST_ORDER if unbiased and not exact else EQUIVALENT
    exact = exact and setting.gaussian
    return Chain(error, overlap, square, exact, unbiased, cumulants, spread, skew, heavy, label)


# Error, overlap and square of the generators; whether they are exact, and whether E w = w0.
Expectations = tuple[np.ndarray, np.ndarray, np.ndarray, bool, bool]


def _expectations(setting: Setting, fits: np.ndarray) -> Expectations:
    """Return the expectations of the generators, by the theory of their workflow."""
    if setting.from_previous:
        return _from_previous(setting, fits) if setting.replace_only else _unknown(fits)
    if setting.replace_only:
        return _replace(setting, fits)
    schedule, d, sigma0 = setting.schedule, setting.d, setting.sigma0
    if schedule.weight is not None:
        return _weighted(setting, fits)
    if setting.ridge == 0 and setting.dependent and not schedule.n_train.any():
        return _same_rows(setting, fits)
    if setting.ridge > 0 or setting.dependent:
        return _unknown(fits)
    if int(setting.rows.min()) < d:
        return _few_rows(setting, fits)
    if not schedule.n_train.any() and schedule.real != "fixed":
        parts = (part[: fits.size - 1] for part in (schedule.n_synthetic, schedule.n_real, schedule.keep))
        return _unbiased(setting, expected_regression(d, *parts, sigma0=sigma0, sigma=setting.sigma))
    rows = setting.sizes
    if not isinstance(rows, int) or np.ptp(schedule.n_real) or np.ptp(schedule.n_train):
        return _unknown(fits)
    if rows + int(schedule.n_real[0]) < _FIRST_ORDER_ROWS * d:
        return _unknown(fits)
    if schedule.real == "fixed":
        error = mix_fixed_error(d, rows, int(schedule.n_real[0]), fits, sigma0, setting.sigma)
        return _unbiased(setting, error, exact=False)
    if schedule.replacement or schedule.n_train[0] != rows or not schedule.keep[1:].all():
        return _unknown(fits)
    return _unbiased(setting, subsample_error(d, rows, fits, sigma0), exact=False)


def _replace(setting: Setting, fits: np.ndarray) -> Expectations:
    """Return the expectations under workflow replace."""
    d, sizes, sigma0 = setting.d, setting.sizes, setting.sigma0
    if setting.ridge == 0 and int(np.min(sizes)) >= d:
        return _unbiased(setting, ols_error_mean(d, sizes, fits, sigma0))
    if setting.dependent and not isinstance(sizes, int):
        return _unknown(fits)
    if setting.dependent and setting.ridge > 0:
        # Sigma is scaled to I; each generation has an integral.
        ridge = setting.ridge / setting.spectrum[0]
        if not setting.isotropic or not 1e-8 <= ridge <= 1e40 or fits.size > _MOST_INTEGRALS * min(ridge, 1.0) ** 0.5:
            return _unknown(fits)
        error, overlap, square = dependent_ridge_means(d, sizes, ridge, fits, sigma0, setting.length)
        return error, overlap / setting.spectrum[0], square / setting.spectrum[0], False, False
    if setting.ridge == 0 and setting.isotropic:
        error, overlap, square = isotropic_chain_means(d, sizes, fits, sigma0, setting.length, setting.design)
        return error, overlap / setting.spectrum[0], square / setting.spectrum[0], True, False
    means = chain_means(setting.spectrum, setting.w0, sizes, fits, sigma0, setting.ridge, setting.design)
    return *means, False, False


def _from_previous(setting: Setting, fits: np.ndarray) -> Expectations:
    """Return the expectations under workflow replace where each fit starts from the one before: noise adds up."""
    rows = setting.schedule.n_synthetic[: fits.size - 1]
    different, place = np.unique(rows, return_inverse=True)
    isotropic, exact = setting.isotropic, setting.ridge == 0 and setting.isotropic
    if exact:
        each = nearest_fit_error(setting.d, different, 0.0, setting.sigma0)
    else:
        each = fine_tuned_error(setting.spectrum, np.zeros(setting.d), different, setting.ridge, setting.sigma0)
    error = np.append(0.0, np.cumsum(each[place]))
    overlap = np.full(fits.size, float((setting.w0**2).sum()))
    square = overlap + error / setting.spectrum[0] if isotropic else np.full(fits.size, np.nan)
    return error, overlap, square, exact, exact


def _same_rows(setting: Setting, fits: np.ndarray) -> Expectations:
    """Return the expectations where labels of all generations for the same rows accumulate."""
    schedule, d, rows = setting.schedule, setting.d, setting.sizes
    if isinstance(rows, int) and schedule.keep[1:].all() and not schedule.n_real.any():
        if rows >= d:
            return _unbiased(setting, np.append(0.0, accumulate_error(d, rows, fits[1:], setting.sigma0, "same")))
        if rows <= d - 2 and setting.isotropic:
            error = min_norm_same_rows_error(d, rows, fits[1:], setting.sigma0, setting.length, "accumulate")
            return np.append(0.0, error), *_unknown(fits)[1:3], True, False
    return _unknown(fits)


def _few_rows(setting: Setting, fits: np.ndarray) -> Expectations:
    """Return the expectations where new rows accumulate and the first generations have fewer rows than dimensions."""
    schedule = setting.schedule
    mixed = schedule.n_train.any() or schedule.n_real.any()
    if mixed or not schedule.keep[1:].all() or not setting.isotropic:
        return _unknown(fits)
    error = min_norm_accumulate_error(setting.d, setting.sizes, fits[1:], setting.sigma0, setting.length)
    return np.append(0.0, error), *_unknown(fits)[1:3], True, False


def _weighted(setting: Setting, fits: np.ndarray) -> Expectations:
    """Return the expectations of the weighted mean of two fits, to the last synthetic rows and to real rows."""
    schedule, d, n = setting.schedule, setting.d, fits.size - 1
    assert schedule.weight is not None
    parts = np.concatenate([schedule.n_synthetic[schedule.n_synthetic > 0], schedule.n_real[schedule.n_real > 0]])
    if schedule.keep[1:].any() or setting.ridge > 0 or int(parts.min()) < d:
        return _unknown(fits)
    with np.errstate(divide="ignore"):
        # The error is infinite for d or d + 1 rows, and a part without rows has no weight.
        real, synthetic = (
            np.where(rows == 0, np.inf, noise**2 * d / np.maximum(rows - d - 1.0, 0.0) if noise > 0 else 0.0)[:n]
            for rows, noise in ((schedule.n_real, setting.sigma), (schedule.n_synthetic, setting.sigma0))
        )
    weight = np.where(schedule.n_real > 0, schedule.weight, 0.0)[:n]
    if schedule.real != "fixed":
        error = weighted_errors(weight, real, synthetic, 1.0)
    elif np.isfinite([real, synthetic]).all():
        error = fixed_real_errors(weight, float(real[0]) if n else 0.0, synthetic, 1.0)
    else:
        return _unknown(fits)
    return _unbiased(setting, np.append(0.0, error))


def _unknown(fits: np.ndarray) -> Expectations:
    """Return expectations that are not known."""
    unknown = np.full(fits.size, np.nan)
    return unknown, unknown, unknown, False, False


def _unbiased(setting: Setting, error: np.ndarray, exact: bool = True) -> Expectations:
    """Return the moments of generators whose error is the same in all directions of the norm of Sigma."""
    square = float((setting.w0**2).sum())
    noise = error * float((1 / setting.spectrum).sum()) / setting.d
    return error, np.full(error.shape, square), square + noise, exact, True


def _heavy(setting: Setting, last: int) -> np.ndarray:
    """Return whether the mean or the variance of the error is infinite, bool [T+1]; later generations inherit it."""
    schedule, d = setting.schedule, setting.d
    least, most = (bound[:last] for bound in setting.distinct_rows)
    # Labels of two sources do not agree if a generation has fewer rows than dimensions.
    mixed = bool(schedule.n_real.any() or schedule.n_train.any()) and int(least.min(initial=d)) < d
    noisy = setting.sigma0 > 0 or (setting.sigma > 0 and bool(schedule.n_real.any())) or mixed
    near = np.abs(np.clip(d, least, most) - d) <= EDGE
    return np.append(False, np.logical_or.accumulate(near & (noisy and setting.ridge == 0)))


def _cumulants(setting: Setting, fits: np.ndarray) -> np.ndarray:
    """Return the cumulants of q, where q chi2_d is the error of least squares under replace, float64 (3, n)."""
    freedom = setting.schedule.n_synthetic[: fits.size - 1] - setting.d + 1
    each = inverse_cumulants(freedom, setting.sigma0**2)
    if setting.dependent:
        return np.hstack([np.zeros((3, 1)), each[:, :1] * fits[1:].astype(float) ** np.array([[1], [2], [3]])])
    return np.hstack([np.zeros((3, 1)), np.cumsum(each, axis=1)])


def _skewness_of_one(setting: Setting) -> float:
    """Return the skewness of the noise in the fit closest to singular; that of an average is not larger."""
    if setting.ridge > 0:
        return 0.0
    rows = int(setting.rows[np.abs(setting.rows - setting.d).argmin()])
    rank = min(rows, setting.d)
    return float(shape_of(rank, inverse_cumulants(np.array([abs(rows - setting.d) + 1.0]), 1.0))[1][0])


def medians_of(results: RecordedRun, generations: np.ndarray) -> np.ndarray:
    """Return exact medians of the error of the generators, float64 [n], NaN where the law is not known.

    A median takes a tenth of a second: of more than 12 generations, 12 that are evenly spread have one.
    """
    setting, chain, medians = setting_of(results), chain_of(results), np.full(len(generations), np.nan)
    if not (chain.unbiased and chain.exact) or setting.from_previous:
        return medians
    medians[generations == 0] = 0.0
    later = np.flatnonzero(generations > 0)
    if setting.replace_only and np.unique(setting.sizes).size <= _FEW_SIZES and later.size:
        for i in later[np.unique(np.linspace(0, later.size - 1, min(later.size, _MEDIANS)).astype(int))]:
            law = setting.d, setting.sizes, int(generations[i]), setting.sigma0
            medians[i] = float(ols_error_quantile(0.5, *law, design=setting.design))
    elif setting.dependent and not setting.replace_only and setting.schedule.weight is None:
        # With the same rows it is one fit, whose noise is a weighted mean of the noise of all labels.
        one = float(ols_error_quantile(0.5, setting.d, setting.sizes, 1, setting.sigma0))
        medians[later] = one * np.cumsum(1.0 / np.arange(1, results.last + 1) ** 2)[generations[later] - 1]
    return medians
