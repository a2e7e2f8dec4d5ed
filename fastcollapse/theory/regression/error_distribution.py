"""Distribution of the error of a chain of least-squares fits: probabilities and quantiles.

The error is q chi2_d with q = sum_m sigma_m^2/g_m and independent g_m ~ chi2_{T_m-d+1}, so that
Pr(error <= x) = Pr(q - x/c <= 0) with c ~ chi2_d, a sum of independent terms. The characteristic function of
1/chi2_nu at t is 2 (z/2)^v K_v(z)/Gamma(v), with v = nu/2 and z = sqrt(-2it). The inversion formula of
Gil-Pelaez is an integral over ln t of a function with exponential tails, for which the trapezoidal rule has an
error of 1e-12. The median exists also where the mean is infinite.

Notation
--------
d : number of dimensions, 1 to 10**9.
T0 : rows of a generator, at least d: one number, or for independent generators a vector with entry m-1 for
    generator m.
n : number of generators, 0 to 10**6.
sigma0 : standard deviation of the noise on the labels of the generators, 0 to 1e30.
T, sigma : rows of the downstream fit, at least d, and the standard deviation of the noise on its labels; None and 0
    for the error of the generator itself.
design : "independent" (new rows for each generator) or "dependent" (the same rows for all generators).
"""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import brentq
from scipy.special import gammaln, kve, logsumexp
from scipy.stats import f as f_law

from fastcollapse.errors import InputError
from fastcollapse.theory.arguments import downstream_fit, generators, integer, real, reals, require

MAX_DIMENSIONS = 10**9
MAX_GENERATORS = 10**6
# Order from which on the uniform expansion of K_v has a relative error below 1e-12.
_DEBYE_ORDER = 100.0
# Polynomials U_k(p) of the expansion: a denominator, and the coefficients of p^k, p^{k+2}, ...
_DEBYE = (
    (24, (3, -5)),
    (1152, (81, -462, 385)),
    (414720, (30375, -369603, 765765, -425425)),
    (39813120, (4465125, -94121676, 349922430, -446185740, 185910725)),
    (6688604160, (1519035525, -49286948607, 284499769554, -614135872350, 566098157625, -188699385875)),
)
# The step in ln t is halved until the result changes by less than the tolerance.
_TOLERANCE = 1e-11
_MAX_HALVINGS = 9
# Maximum dimension for which the series in powers of x is tried first.
_SERIES_DIMENSIONS = 200


def ols_error_cdf(
    x: ArrayLike,
    d: int,
    T0: ArrayLike,
    n: int,
    sigma0: float,
    T: int | None = None,
    sigma: float = 0.0,
    design: str = "independent",
) -> NDArray[np.float64]:
    """Return Pr(error <= x) of generator n, or of a least-squares fit to T rows of its labels.

    For one fit it is the F distribution: error (T0-d+1)/(sigma0^2 d) ~ F_{d, T0-d+1}. Without noise the error
    is 0.

    Parameters
    ----------
    x : excess error, any shape, 0 to 1e100.
    d, T0, n, sigma0, T, sigma, design : see `Notation` of the module.

    Returns
    -------
    float64, shape of `x`; the absolute error is 1e-10, and 1e-8 for n or d of 10**7.

    Raises
    ------
    InputError
        if an argument is outside its range, or if x is too far from the median for the integral.

    References
    ----------
    Derived; checked in tests/verification/test_regression.py and tests/theory/regression/test_chain_exact.py.

    Examples
    --------
    >>> ols_error_cdf([0.1, 1.0, 10.0], 20, 20, 1, 0.5).round(5)
    array([0.     , 0.0369 , 0.48766])
    >>> ols_error_cdf([0.1, 1.0, 10.0], 20, 20, 3, 0.5).round(5)
    array([0.     , 0.     , 0.04658])
    """
    terms = _terms(d, T0, n, sigma0, T, sigma, design)
    errors = reals("x", x, 0, 1e100)
    return np.array([_cdf(float(value), int(d), terms) for value in errors.flat]).reshape(errors.shape)


def ols_error_quantile(
    p: ArrayLike,
    d: int,
    T0: ArrayLike,
    n: int,
    sigma0: float,
    T: int | None = None,
    sigma: float = 0.0,
    design: str = "independent",
) -> NDArray[np.float64]:
    """Return the p-quantile of the error whose distribution is `ols_error_cdf`.

    Parameters
    ----------
    p : probability of the quantile, any shape, 1e-8 to 1 - 1e-8; 1/2 gives the median.
    d, T0, n, sigma0, T, sigma, design : see `Notation` of the module.

    Returns
    -------
    float64, shape of `p`; 0 without noise.

    References
    ----------
    Derived; checked in tests/verification/test_regression.py.

    Examples
    --------
    >>> ols_error_quantile([0.25, 0.5, 0.75], 20, 20, 1, 0.5).round(4)
    array([ 3.5621, 10.5953, 47.9063])
    """
    terms = _terms(d, T0, n, sigma0, T, sigma, design)
    levels = reals("p", p, 1e-8, 1 - 1e-8)
    return np.array([_quantile(float(level), int(d), terms) for level in levels.flat]).reshape(levels.shape)


def _terms(
    d: int, T0: ArrayLike, n: int, sigma0: float, T: int | None, sigma: float, design: str
) -> dict[tuple[float, float], int]:
    """Return the number of terms weight/chi2_nu of q for each (nu, weight)."""
    dimensions, fits = integer("d", d, 1, MAX_DIMENSIONS), integer("n", n, 0, MAX_GENERATORS)
    noise, (rows, test_noise) = real("sigma0", sigma0, 0, 1e30), downstream_fit(T, sigma)
    sizes, _, dependent = generators(T0, fits, design)
    require(sizes >= dimensions, "T0", f"at least d = {dimensions}", T0)
    terms: dict[tuple[float, float], int] = {}
    if sizes.ndim:
        sizes = sizes[:fits]
    if noise > 0 and fits > 0:
        distinct_sizes, counts = np.unique(np.broadcast_to(sizes, (fits,)), return_counts=True)
        for size, count in zip(distinct_sizes, counts, strict=True):
            terms[float(size) - dimensions + 1, noise**2] = int(count)
        if dependent:
            terms = {(nu, noise**2 * fits): 1 for nu, _ in terms}
    if rows is not None:
        require(rows >= dimensions, "T", f"at least d = {dimensions}", T)
        if test_noise > 0:
            key = float(rows) - dimensions + 1, test_noise**2
            terms[key] = terms.get(key, 0) + 1
    return terms


def _cdf(x: float, d: int, terms: dict[tuple[float, float], int]) -> float:
    if not terms or x == 0:
        return float(not terms)
    if sum(terms.values()) == 1:
        ((nu, weight),) = terms
        return float(f_law.cdf(x / weight * nu / d, d, nu))
    # Below `low` the integrand is less than 1e-16. For nu = 1 and d = 1 it decays only like sqrt(t).
    scale = sum(weight / nu * count ** max(1.0, 2 / nu) for (nu, weight), count in terms.items())
    slowest = min(1.0, d / 2, *(nu / 2 for nu, _ in terms))
    low = -np.log(max(scale, x / d)) - 40 / slowest
    # Above `high` one factor is negligible, and so is the product.
    high = min(2 * np.log(60 + nu) - np.log(weight) for nu, weight in ((float(d), x), *terms))
    if d <= _SERIES_DIMENSIONS and (small := _series(x, d, terms)) is not None:
        return small
    step = 1 / 16
    total = _integrand(np.arange(low, high, step), x, d, terms)
    value = total * step
    for _ in range(_MAX_HALVINGS):
        total += _integrand(np.arange(low + step / 2, high, step), x, d, terms)
        step, previous, value = step / 2, value, total * step / 2
        if abs(value - previous) < _TOLERANCE:
            return float(np.clip(0.5 - value / np.pi, 0.0, 1.0))
    raise InputError(f"x must be closer to the median, because the integral does not converge, got {x:g}")


def _series(x: float, d: int, terms: dict[tuple[float, float], int]) -> float | None:
    """Return E Pr(chi2_d <= x/q) as a series in powers of x, or None where the terms decay too slowly.

    Close to x = 0 the integrand of `_cdf` oscillates too fast, but the series of negative moments of q converges.
    """
    k = np.arange(30.0)
    order = d / 2 + k
    scale = sum(count * weight / nu for (nu, weight), count in terms.items())
    # E q^-s = int t^(s-1) E e^(-tq) dt/Gamma(s), in logarithms. Above `high` one factor is negligible.
    high = min(2 * np.log(120 + d + nu) - np.log(weight) for nu, weight in terms) + np.log(scale)
    log_t = np.arange(-80.0, high, 1 / 32)
    log_laplace = np.zeros(log_t.size)
    for (nu, weight), count in terms.items():
        log_laplace += count * _log_laplace(weight / scale * np.exp(log_t), nu).real
    log_moment = logsumexp(order[:, None] * log_t + log_laplace, axis=1) - np.log(32) - gammaln(order)
    log_size = log_moment + order * (np.log(x) - np.log(2 * scale)) - gammaln(k + 1) - np.log(order) - gammaln(d / 2)
    if log_size[-1] > log_size[0] - 30 or log_size.max() > min(log_size[0] + 5, 0.0):
        return None
    return float(np.exp(log_size) @ (-1.0) ** k)


def _integrand(log_t: NDArray[np.float64], x: float, d: int, terms: dict[tuple[float, float], int]) -> float:
    """Return the sum over t of the imaginary part of the characteristic function of q - x/c."""
    t = np.exp(log_t)
    log_phi = np.conj(_log_laplace(-1j * x * t, float(d)))
    for (nu, weight), count in terms.items():
        log_phi += count * _log_laplace(-1j * weight * t, nu)
    return float(np.exp(log_phi).imag.sum())


def _log_laplace(s: NDArray[Any], nu: float) -> NDArray[Any]:
    """Return a logarithm of E exp(-s/g), g ~ chi2_nu, for s above 0 or imaginary."""
    order = nu / 2
    # An underflow to 0 would have no logarithm.
    root = np.sqrt(2 * np.where(np.abs(s) < 1e-280, 1e-280, s))
    if order >= _DEBYE_ORDER:
        square = (root / order) ** 2
        length = np.sqrt(1 + square)
        above = square / (1 + length)
        p = 1 / length
        series = np.ones_like(p)
        for k, (denominator, coefficients) in enumerate(_DEBYE, 1):
            polynomial = p**k * np.polyval(coefficients[::-1], p**2) / denominator
            series += polynomial / (-order) ** k
        stirling = 1 / (12 * order) - 1 / (360 * order**3)
        return order * (np.log1p(above / 2) - above) - np.log(length) / 2 + np.log(series) - stirling
    # Close to 0, where K_v overflows, two cumulants are accurate.
    near = np.abs(root) < (1e-4 if order < 20 else 0.1)
    if nu <= 4:
        near[:] = False
    safe = np.where(near, 1.0, root)
    value = np.log(2 * kve(order, safe)) - safe + order * np.log(safe / 2) - gammaln(order)
    if near.any():
        variance = 2 / ((nu - 2) ** 2 * (nu - 4))
        value = np.where(near, -s / (nu - 2) + s**2 * variance / 2, value)
    return value


def _quantile(p: float, d: int, terms: dict[tuple[float, float], int]) -> float:
    if not terms:
        return 0.0
    if sum(terms.values()) == 1:
        ((nu, weight),) = terms
        return float(f_law.ppf(p, d, nu)) * weight * d / nu

    def excess(log_x: float) -> float:
        return _cdf(float(np.exp(log_x)), d, terms) - p

    middle = np.log(sum(weight / nu * count * d for (nu, weight), count in terms.items()))
    low = high = float(middle)
    while excess(low) > 0:
        low -= 1.0
    while excess(high) < 0:
        high += 1.0
    return float(np.exp(brentq(excess, low, high, xtol=1e-12))) if low < high else float(np.exp(low))
