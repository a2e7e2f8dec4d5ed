"""Regressions on mixed labels: w times real labels and 1 - w times labels of the generation before, on the same rows.

Given the rows X = U diag(s) V', the coordinates of the weights along V are independent chains. With q =
s^2/(s^2 + ridge T), weights b of the truth along V and r = (1-w) q, generation n has, for fresh real labels,

    mean w q b (1-r^n)/(1-r) + r^n b,   variance (w^2 sigma^2 + (1-w)^2 sigma0^2) (q/s)^2 (1-r^(2n))/(1-r^2).

Real labels that are the same in all generations have w^2 sigma^2 (q/s)^2 ((1-r^n)/(1-r))^2 in place of their part of
the variance. The weights have no part outside the rows from generation 1 on.

If each fit starts from the weights before, with a ridge towards them, r = 1 - w q, the mean is b, and the weights do
not change outside the rows.

Notation
--------
T : number of rows, at least 1.
weight : w, the weight of the real labels, 0 to 1.
n : number of generations, at least 0, or inf for the stationary law.
sigma, sigma0 : standard deviations of the noise of real and of synthetic labels, 0 to 1e30.
real_labels : "fresh" (new noise in each generation) or "fixed" (the same labels in all generations).
start : "zero", or "previous" where each fit starts from the weights before.

`weight`, `ridge` and `n` have shapes that broadcast.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import minimize_scalar

from fastcollapse.theory.arguments import choice, coordinates, integer, real, reals, require
from fastcollapse.theory.quadrature import marchenko_pastur

MAX_DIMENSIONS = 10**9
# Places of a first search for the minimum, which `minimize_scalar` refines.
_SEARCHED = np.linspace(0.0, 1.0, 21)


def mixed_label_moments(
    s: ArrayLike,
    b: ArrayLike,
    T: int,
    weight: ArrayLike,
    ridge: ArrayLike = 0.0,
    n: ArrayLike = np.inf,
    sigma: float = 1.0,
    sigma0: float = 1.0,
    real_labels: str = "fresh",
    start: str = "zero",
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return mean and variance of the weights along the right singular vectors of given rows.

    Parameters
    ----------
    s : [k], singular values of the rows, at least 0.
    b : [k], the true weights along the right singular vectors.
    ridge : at least 0; 0 is least squares of minimum norm.
    T, weight, n, sigma, sigma0, real_labels, start : see `Notation` of the module.

    Returns
    -------
    mean, variance : float64 [..., k], exact; a chain that never settles has an infinite variance at n = inf.

    References
    ----------
    Setting: Garg, Bhattacharya, Sur, arXiv:2509.22341. Derived; checked in tests/verification/test_mixed_labels.py.

    Examples
    --------
    >>> mean, variance = mixed_label_moments([2.0], [1.0], 4, [0.5, 1.0], ridge=1.0)
    >>> mean.round(6).tolist(), variance.round(6).tolist()
    ([[0.333333], [0.5]], [[0.033333], [0.0625]])
    """
    values = reals("s", s, 0, 1e60)
    require(values.ndim == 1, "s", "a vector", values)
    along = coordinates("b", b, values.size)
    rows, penalty = integer("T", T, 1), reals("ridge", ridge, 0, 1e40)
    shares, fits = reals("weight", weight, 0, 1), _fits(n)
    law = _law(sigma, sigma0, real_labels, start)
    w, p, m = (values[..., None] for values in np.broadcast_arrays(shares, rows * penalty, fits))
    with np.errstate(divide="ignore", invalid="ignore"):
        kept = np.where(values > 0, values**2 / (values**2 + p), 0.0)
        gain = np.where(values > 0, values / (values**2 + p), 0.0)
    signal, variance = _chain(kept, w, m, law)
    return signal * along, gain**2 * np.where(gain > 0, variance, 0.0)


def mixed_label_error(
    X: ArrayLike,
    w0: ArrayLike,
    spectrum: ArrayLike,
    weight: ArrayLike,
    ridge: ArrayLike = 0.0,
    n: ArrayLike = np.inf,
    sigma: float = 1.0,
    sigma0: float = 1.0,
    real_labels: str = "fresh",
    start: str = "zero",
) -> NDArray[np.float64]:
    """Return the expected error |w_n - w0|^2 in the norm of Sigma, given the rows.

    With fresh real labels whose noise is that of synthetic ones, the stationary error is least at w = 1/phi = 0.618 for
    all rows if there is no ridge, phi the golden ratio, and at a weight of at least 1/2 with one.

    Parameters
    ----------
    X : [T, d], the rows.
    w0 : [d], the true weights.
    spectrum : [d], eigenvalues of Sigma, which is diagonal in the coordinates of X.
    ridge : at least 0; 0 is least squares of minimum norm.
    weight, n, sigma, sigma0, real_labels, start : see `Notation` of the module.

    Returns
    -------
    float64, the broadcast shape of `weight`, `ridge` and `n`; exact.

    References
    ----------
    Weight 1/phi, bound 1/2: Garg, Bhattacharya, Sur, arXiv:2509.22341. Formula: derived; checked in
    tests/verification/test_mixed_labels.py.

    Examples
    --------
    >>> X = [[1.0, 0.5], [0.0, 2.0], [1.0, 1.0]]
    >>> mixed_label_error(X, [1.0, 1.0], [1.0, 1.0], [0.5, 0.618, 1.0], sigma=0.5, sigma0=0.5).round(4)
    array([0.1465, 0.1358, 0.2197])
    """
    rows = reals("X", X, -1e30, 1e30)
    require(rows.ndim == 2 and rows.size > 0, "X", "a matrix", rows)
    truth = coordinates("w0", w0, rows.shape[1])
    variances = reals("spectrum", spectrum, 1e-40, 1e40)
    require(variances.shape == truth.shape, "spectrum", f"a vector of {truth.size} numbers", variances)
    _, s, right = np.linalg.svd(rows, full_matrices=False)
    s = np.where(s > s[0] * np.finfo(np.float64).eps * max(rows.shape), s, 0.0)
    law = len(rows), weight, ridge, n, sigma, sigma0, real_labels, start
    mean, variance = mixed_label_moments(s, right @ truth, *law)
    gap = np.zeros(truth.size) if start == "previous" else mean @ right - truth
    spread = right**2 @ variances
    # A direction without noise has no part, also where its chain never settles.
    each = np.where(spread > 0, variance, 0.0) * spread
    error = gap**2 @ variances + each.sum(axis=-1)
    return np.where(np.broadcast_to(_fits(n), error.shape) == 0, 0.0, error)


def mixed_label_means(
    d: int,
    T: int,
    weight: ArrayLike,
    ridge: ArrayLike = 0.0,
    n: ArrayLike = np.inf,
    sigma: float = 1.0,
    sigma0: float = 1.0,
    w0_square: float = 1.0,
    real_labels: str = "fresh",
    start: str = "zero",
) -> NDArray[np.float64]:
    """Return the expected error |w_n - w0|^2 for rows of N(0, I) that are the same in all generations.

    Without a ridge it is (1 - T/d)+ |w0|^2 + v min(T, d)/(|T - d| - 1), where v is the variance of the noise that a
    chain has gathered. For T >= d it holds for every covariance Sigma, in its norm.

    Parameters
    ----------
    d : number of inputs, 1 to 10**9.
    ridge : 0, or 1e-8 to 1e40.
    w0_square : |w0|^2, 0 to 1e60.
    T, weight, n, sigma, sigma0, real_labels, start : see `Notation` of the module.

    Returns
    -------
    float64, the broadcast shape of `weight`, `ridge` and `n`. Exact without a ridge, inf there for d-1 to d+1 rows with
    noise; else a deterministic equivalent, with a relative error O(1/d).

    References
    ----------
    Setting: Garg, Bhattacharya, Sur, arXiv:2509.22341. Derived; checked in tests/verification/test_mixed_labels.py.

    Examples
    --------
    >>> mixed_label_means(300, 600, [0.5, 0.618, 1.0], sigma=0.3, sigma0=0.3).round(6)
    array([0.060201, 0.055809, 0.090301])
    >>> mixed_label_means(300, 600, [0.5, 0.618, 1.0], 0.1, sigma=0.3, sigma0=0.3).round(6)
    array([0.113585, 0.094434, 0.085737])
    """
    dimensions, rows = integer("d", d, 1, MAX_DIMENSIONS), integer("T", T, 1)
    penalty, shares, fits = reals("ridge", ridge, 0, 1e40), reals("weight", weight, 0, 1), _fits(n)
    require((penalty == 0) | (penalty >= 1e-8), "ridge", "0 or at least 1e-8", penalty)
    law, length = _law(sigma, sigma0, real_labels, start), real("w0_square", w0_square, 0, 1e60)
    # Weights that start from the ones before lose nothing.
    length = 0.0 if law.from_previous else length
    w, p, m = np.broadcast_arrays(shares, penalty, fits)
    error = np.empty(w.shape)
    for one in np.unique(p):
        at = p == one
        if one == 0:
            error[at] = _without_ridge(dimensions, rows, _chain(np.ones(1), w[at], m[at], law)[1], length)
        else:
            error[at] = _with_ridge(dimensions, rows, float(one), w[at], m[at], law, length)
    return np.where(m == 0, 0.0, error)


def best_label_weight(
    d: int,
    T: int,
    ridge: ArrayLike = 0.0,
    sigma: float = 1.0,
    sigma0: float = 1.0,
    w0_square: float = 1.0,
    real_labels: str = "fresh",
    start: str = "zero",
) -> NDArray[np.float64]:
    """Return the weight of the least stationary error of `mixed_label_means`.

    Parameters
    ----------
    d, T, ridge, sigma, sigma0, w0_square, real_labels, start : as there; `ridge` of any shape, and
        `sigma` and `sigma0` above 0.

    Returns
    -------
    float64, the shape of `ridge`; exact without a ridge. It is 1/phi = 0.618 there for fresh real labels of the noise
    of synthetic ones, and 1 for fixed ones. With a ridge, the mean of a chain on fixed labels is that of a ridge fit
    with ridge/w, so that its best weight is below 1 where the ridge is too small.

    References
    ----------
    Weight 1/phi, bound 1/2: Garg, Bhattacharya, Sur, arXiv:2509.22341. Values: derived; checked in
    tests/verification/test_mixed_labels.py.

    Examples
    --------
    >>> best_label_weight(300, 600, [0.0, 0.001, 0.1]).round(3)
    array([0.618, 0.617, 0.622])
    """
    penalty = reals("ridge", ridge, 0, 1e40)
    noise = [real(key, value, 1e-30, 1e30) for key, value in (("sigma", sigma), ("sigma0", sigma0))]
    fixed = _law(sigma, sigma0, real_labels, start).is_fixed
    places = np.empty(penalty.shape)
    for i, one in enumerate(penalty.flat):
        if one == 0:
            places.flat[i] = 1.0 if fixed else 2 / (1 + np.sqrt(1 + 4 * (noise[0] / noise[1]) ** 2))
            continue

        def error(w: ArrayLike, one: float = one) -> NDArray[np.float64]:
            return mixed_label_means(d, T, w, one, np.inf, sigma, sigma0, w0_square, real_labels, start)

        low = int(np.clip(error(_SEARCHED).argmin(), 1, _SEARCHED.size - 2))
        bounds = float(_SEARCHED[low - 1]), float(_SEARCHED[low + 1])
        places.flat[i] = minimize_scalar(error, bounds=bounds, method="bounded", options={"xatol": 1e-10}).x
    return places


def _fits(n: ArrayLike) -> NDArray[np.float64]:
    """Return numbers of generations, which may be infinite."""
    fits = reals("n", n, 0, np.inf)
    require(np.isinf(fits) | (fits == np.rint(fits)), "n", "whole numbers or inf", fits)
    return fits


class _Law(NamedTuple):
    """Noise of real and synthetic labels; whether real labels are fixed, and fits start from the weights before."""

    real: float
    synthetic: float
    is_fixed: bool
    from_previous: bool


def _law(sigma: float, sigma0: float, real_labels: str, start: str) -> _Law:
    """Return the checked law of the labels and the fits."""
    noise = real("sigma", sigma, 0, 1e30), real("sigma0", sigma0, 0, 1e30)
    is_fixed = choice("real_labels", real_labels, ("fresh", "fixed")) == "fixed"
    return _Law(*noise, is_fixed, choice("start", start, ("zero", "previous")) == "previous")


def _chain(
    kept: NDArray[np.float64], w: NDArray[np.float64], n: NDArray[np.float64], law: _Law
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the part of the truth in the mean after n generations, and the variance over (q/s)^2, for kept = q."""
    r = 1 - w * kept if law.from_previous else (1 - w) * kept
    settles = r < 1
    with np.errstate(invalid="ignore"):
        last = np.where(settles, r**n, 1.0)
        once = np.where(settles, (1 - last) / np.where(settles, 1 - r, 1.0), n)
        twice = np.where(settles, (1 - last**2) / np.where(settles, 1 - r**2, 1.0), n)
        # Without noise or without a weight nothing is gathered, even in a chain that never settles.
        real_part = w**2 * law.real**2 * np.where(w > 0, once**2 if law.is_fixed else twice, 0.0)
        synthetic = (1 - w) ** 2 * law.synthetic**2
        variance = real_part + np.where(synthetic > 0, synthetic * twice, 0.0)
        mean = np.where(w > 0, w * kept * once, 0.0) + last
    return np.ones_like(mean) if law.from_previous else mean, variance


def _without_ridge(d: int, T: int, variance: NDArray[np.float64], length: float) -> NDArray[np.float64]:
    """Return the error without a ridge, given the variance of the gathered noise; the mean along the rows is w0."""
    spare = abs(T - d) - 1
    lost = max(0.0, 1 - T / d) * length
    if spare > 0:
        return lost + variance * min(T, d) / spare
    return np.where(variance > 0, np.inf, lost)


def _with_ridge(
    d: int,
    T: int,
    ridge: float,
    w: NDArray[np.float64],
    n: NDArray[np.float64],
    law: _Law,
    length: float,
) -> NDArray[np.float64]:
    """Return the error with a ridge, an integral over the Marchenko-Pastur law: ``(B),(B)->(B)``."""
    s, share = marchenko_pastur(d / T, ridge)
    mean, variance = _chain(s / (s + ridge), w[:, None], n[:, None], law)
    # Directions outside the span of the rows, or below the resolution of the nodes, are lost.
    unseen = max(0.0, 1 - float(share.sum()))
    gain = d / T * s / (s + ridge) ** 2
    return length * ((1 - mean) ** 2 @ share + unseen) + (gain * variance) @ share
