"""Scaling laws for the spectrum lambda_j = j^-beta, the signal lambda_j w0_j^2 = j^-(1+2 beta r) and the ridge T^-ell.

In the limit of many dimensions the bias falls like T^(-2 min(r,1) ell) and the variance like T^-(1-ell/beta).
The contribution of a generator with T0 ~ T^a rows falls like T^-(min(a,1)-ell/beta). These laws hold while
T^(ell/beta) is much less than d.

Notation
--------
beta : capacity exponent, above 1, at most 5.
r : source exponent, 0 to 5.
ell : exponent of the ridge, 0 to beta.
a : exponent of the rows of a generator, 0 to 10; 1 and more give the exponent of labels of the truth.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import brentq
from scipy.special import gamma, zetac

from fastcollapse.theory.arguments import integer, real, reals, require, together

_MAX_DIMENSIONS = 10**7


def power_law(d: int, beta: float, r: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the spectrum and the truth of a power law.

    Parameters
    ----------
    d : number of dimensions, 1 to 10**7.
    beta, r : see `Notation` of the module.

    Returns
    -------
    spectrum, w0 : float64 [d], j^-beta and j^-((1+2 beta r-beta)/2).

    References
    ----------
    arXiv:2402.07712, arXiv:2105.15004; checked in tests/verification/test_regression.py.

    Examples
    --------
    >>> spectrum, w0 = power_law(3, 1.5, 0.375)
    >>> spectrum.round(5), w0.round(5)
    (array([1.     , 0.35355, 0.19245]), array([1.     , 0.80525, 0.70941]))
    """
    index = np.arange(1.0, integer("d", d, 1, _MAX_DIMENSIONS) + 1)
    capacity, source = _exponents(beta, r)
    return index**-capacity, index ** (-(1 + 2 * capacity * source - capacity) / 2)


def power_law_equivalents(
    kappa: ArrayLike, beta: float, r: float
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Return the degrees of freedom and the bias of `power_law` with infinitely many dimensions.

    df_1 = C kappa^(-1/beta) - 1/2 with C = (pi/beta)/sin(pi/beta), and df_2 = (1-1/beta) C kappa^(-1/beta) -
    1/2. The bias sum_j kappa^2 lambda_j w0_j^2/(lambda_j+kappa)^2 is Gamma(2-2r) Gamma(2r)/beta
    kappa^(2r) + zeta(1+2 beta (r-1)) kappa^2 for r < 5/4, at r = 1 its limit kappa^2
    [(ln(1/kappa)-1)/beta + gamma], and only the second term for larger r. A ridge fit has this bias times
    T/(T-df_2).

    Parameters
    ----------
    kappa : effective ridge, any shape, 1e-40 to 0.1.
    r : source exponent, above 0, at most 5.
    beta : see `Notation` of the module.

    Returns
    -------
    df_1, df_2, bias : float64, shape of `kappa`, asymptotic with a relative error O(kappa), for the bias with
        r > 5/4 O(kappa^min(1, 2r-2)).

    References
    ----------
    Derived (residues of the Mellin transform); checked in tests/verification/test_regression.py.

    Examples
    --------
    >>> df_1, df_2, bias = power_law_equivalents([1e-2, 1e-4], 1.5, 0.375)
    >>> df_1.round(3), df_2.round(3), bias.round(6)
    (array([  51.603, 1122.021]), array([ 16.868, 373.674]), array([0.023405, 0.00074 ]))
    """
    at, (capacity, source) = reals("kappa", kappa, 1e-40, 0.1), _exponents(beta, r)
    require(source > 0, "r", "positive", r)
    full = np.pi / capacity / np.sin(np.pi / capacity) * at ** (-1 / capacity)
    if abs(source - 1) < 1e-6:
        bias = at**2 * ((-np.log(at) - 1) / capacity + np.euler_gamma)
    else:
        bias = at**2 * (1 + zetac(1 + 2 * capacity * (source - 1)))
        if source < 1.25:
            bias = bias + gamma(2 - 2 * source) * gamma(2 * source) / capacity * at ** (2 * source)
    return full - 0.5, (1 - 1 / capacity) * full - 0.5, bias


def error_exponent(beta: float, r: float, ell: ArrayLike, a: ArrayLike = 1.0) -> NDArray[np.float64]:
    """Return the exponent e with which the error falls like T^-e.

    It is min(2 min(r,1) ell, min(a,1) - ell/beta).

    Parameters
    ----------
    beta, r, ell, a : see `Notation` of the module.

    Returns
    -------
    float64, broadcast shape of `ell` and `a`, asymptotic; negative where the error grows, while kappa is above
        the eigenvalues.

    References
    ----------
    arXiv:2105.15004 for labels of the truth; derived for generators; checked in
    tests/verification/test_regression.py.

    Examples
    --------
    >>> error_exponent(1.5, 0.375, [0.3, 0.7, 1.0], [[1.0], [0.5]]).round(4)
    array([[ 0.225 ,  0.525 ,  0.3333],
           [ 0.225 ,  0.0333, -0.1667]])
    """
    capacity, source = _exponents(beta, r)
    decay, growth = together(ell=reals("ell", ell, 0, capacity), a=reals("a", a, 0, 10))
    return np.minimum(2 * min(source, 1.0) * decay, np.minimum(growth, 1.0) - decay / capacity)


def best_exponents(beta: float, r: float, a: ArrayLike = 1.0) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the exponent of the ridge for which the error falls fastest, and the exponent of the error there.

    ell_crit = min(a,1) beta/(2 beta min(r,1) + 1), and the error has the exponent 2 min(r,1) ell_crit.

    Parameters
    ----------
    beta, r, a : see `Notation` of the module.

    Returns
    -------
    ell, exponent : float64, shape of `a`, asymptotic.

    References
    ----------
    arXiv:2105.15004 for labels of the truth, arXiv:2402.07712 for generators; checked in
    tests/verification/test_regression.py.

    Examples
    --------
    >>> ell, exponent = best_exponents(1.5, 0.375, [1.0, 0.5, 0.0])
    >>> ell.round(4), exponent.round(4)
    (array([0.7059, 0.3529, 0.    ]), array([0.5294, 0.2647, 0.    ]))
    """
    capacity, source = _exponents(beta, r)
    saturated = min(source, 1.0)
    ell = np.minimum(reals("a", a, 0, 10), 1.0) * (capacity / (2 * capacity * saturated + 1))
    return ell, 2 * saturated * ell


def crossover_samples(beta: float, r: float, ell: float, noise: ArrayLike) -> NDArray[np.float64]:
    """Return the number T of rows at which the noise overtakes the bias, where the slope of the error changes.

    T = noise df_2/bias of `power_law_equivalents` at the kappa of T and ridge T^-ell. There the exponent
    changes from 2 min(r,1) ell to 1-ell/beta. The leading order for small noise and r < 1 is [Gamma(2-2r)
    Gamma(2r)/(beta noise (1-1/beta) C)]^(1/(2 r ell+ell/beta-1)).

    Parameters
    ----------
    r : source exponent, above 0, at most 5.
    ell : exponent of the ridge, above that of `best_exponents` for labels of the truth, below beta.
    noise : any shape, 1e-30 to 1e30: sigma^2, or sigma^2 + n sigma0^2 T/(T0-d-1) if T/T0 is constant.
    beta : see `Notation` of the module.

    Returns
    -------
    float64, shape of `noise`, asymptotic in d; the T of kappa = 0.1 if the change is before it, inf if it is
        after kappa = 1e-39.

    References
    ----------
    arXiv:2105.15004; constants derived; checked in tests/verification/test_regression.py.

    Examples
    --------
    >>> crossover_samples(1.5, 0.375, 1.2, [0.01, 0.0001]).round(1)
    array([  1741.8, 637208.7])
    """
    levels, (capacity, source) = reals("noise", noise, 1e-30, 1e30), _exponents(beta, r)
    require(source > 0, "r", "positive", r)
    decay, least = real("ell", ell, 0, capacity), float(best_exponents(beta, r)[0])
    require(least + 1e-3 < decay < capacity, "ell", f"from {least + 1e-3:.4g} to less than beta", ell)

    def crossing(log_kappa: float, level: float) -> tuple[float, float]:
        """Return T at which bias and noise are equal, and ln(ridge T^ell) there."""
        kappa = min(np.exp(log_kappa), 0.1)
        df_1, df_2, bias = power_law_equivalents(kappa, capacity, source)
        rows = float(level * df_2 / bias)
        left = 1 - float(df_1) / rows
        return rows, np.log(kappa * left) + decay * np.log(rows) if left > 0 else -np.inf

    first, last = np.log(0.1), np.log(1e-39)
    samples = np.full(levels.shape, np.inf)
    for at, level in np.ndenumerate(levels):
        if crossing(last, level)[1] > 0:
            later = crossing(first, level)[1] < 0
            root = brentq(lambda x, level=level: crossing(x, level)[1], last, first, xtol=1e-13) if later else first
            samples[at] = crossing(root, level)[0]
    return samples


def _exponents(beta: float, r: float) -> tuple[float, float]:
    capacity = real("beta", beta, 1, 5)
    require(capacity > 1, "beta", "more than 1", beta)
    return capacity, real("r", r, 0, 5)
