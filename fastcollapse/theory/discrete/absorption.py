"""Mean times until symbols are lost, or until one symbol is left, for a refitted discrete distribution (replace).

Times are numbers of refits. A symbol is lost, or extinct, when its probability is 0.

Notation
--------
p0 : true probability of the symbol, any shape, strictly between 0 and 1; q = 1-p0.
p : [m], the true probabilities, which sum to 1; at least two of them are positive.
n : samples per generation, at least 2.
"""

import itertools
import math
import warnings
from collections.abc import Callable
from typing import Literal

import numpy as np
import scipy  # scipy.integrate is loaded at its first use, because it takes half a second
from numpy.typing import ArrayLike, NDArray
from scipy.special import xlogy

from fastcollapse.theory.arguments import choice, integer, integers, probability_vector, reals, require
from fastcollapse.theory.discrete.collapse_constants import C_G, g

# Lattice correction of the mean times of the diffusion, -0.7217.
A0 = 0.5 - 2 * C_G - (np.euler_gamma + math.log(2)) / 3
# Number of generations that are summed one by one; the tail is integrated.
_LATTICE_TERMS = 4000


def mean_absorption(p0: ArrayLike, n: int, order: Literal[1, 2] = 2) -> NDArray[np.float64]:
    """Return the mean number of refits until one of two symbols is lost.

    Parameters
    ----------
    order : 1 for Kimura's -2n[p ln p + q ln q]; 2 adds the correction (1/3)[p ln p + q ln q - ln(n p q)] + A0.
    p0, n : see `Notation` of the module.

    Returns
    -------
    float64, shape of `p0`, asymptotic in n. The error of order 2 is below 0.08 refits if the rarer symbol has
        count 1, 0.018 from count 2 on and 0.003 from count 10 on.

    Warns
    -----
    UserWarning
        The rarer symbol has a mean count n p below 1, which no first fit has. At n = 10 and p = 0.02 order 2 gives 1.75
        and the exact mean is 2.106; `exact_chain` gives the exact law.

    References
    ----------
    Kimura's diffusion for order 1; order 2 derived; checked against the exact solution in
    tests/theory/discrete/test_absorption.py.

    Examples
    --------
    >>> mean_absorption([0.5], 100, order=1).round(3), mean_absorption([0.5], 100).round(3)
    (array([138.629]), array([136.604]))
    """
    p, size = reals("p0", p0, 0, 1, closed=False), integer("n", n, 2)
    level = integer("order", order, 1)
    require(level <= 2, "order", "1 or 2", order)
    rarest = float((size * np.minimum(p, 1 - p)).min(initial=1.0))
    # A count of 1 has been rounded.
    if rarest < 1 - 1e-9:
        message = f"mean_absorption is asymptotic and not accurate for a mean count below 1 of a symbol, got {rarest:g}"
        warnings.warn(message, stacklevel=2)
    negative_entropy = xlogy(p, p) + xlogy(1 - p, 1 - p)
    kimura = -2 * size * negative_entropy
    if level == 1:
        return kimura
    return kimura + (negative_entropy - np.log(size * p * (1 - p))) / 3 + A0


def mean_absorption_given_extinction(p0: ArrayLike, n: int) -> NDArray[np.float64]:
    """Return the mean number of refits until a symbol is lost, given that it is lost.

    The diffusion limit is -2n p ln p/(1-p).

    Parameters
    ----------
    p0, n : see `Notation` of the module.

    Returns
    -------
    float64, shape of `p0`, asymptotic in n; the error is 1.4 % at n = 400, n p0 = 20.

    References
    ----------
    Derived (diffusion); checked against the exact solution in tests/theory/discrete/test_absorption.py.

    Examples
    --------
    >>> float(mean_absorption_given_extinction(0.05, 400).round(1))
    126.1
    """
    p, size = reals("p0", p0, 0, 1, closed=False), integer("n", n, 2)
    return -2 * size * xlogy(p, p) / (1 - p)


def mean_absorption_given_fixation(p0: ArrayLike, n: int) -> NDArray[np.float64]:
    """Return the mean number of refits until a symbol is the only one, given that this happens.

    The diffusion limit is -2n q ln q/p.

    Parameters
    ----------
    p0, n : see `Notation` of the module.

    Returns
    -------
    float64, shape of `p0`, asymptotic in n.

    References
    ----------
    Derived (diffusion); checked against the exact solution in tests/theory/discrete/test_absorption.py.

    Examples
    --------
    >>> float(mean_absorption_given_fixation(0.05, 400).round(1))
    779.7
    """
    p = reals("p0", p0, 0, 1, closed=False)
    return mean_absorption_given_extinction(1 - p, n)


def mean_total_collapse(p: ArrayLike, n: int) -> float:
    """Return the mean number of refits until a single symbol is left.

    Parameters
    ----------
    p, n : see `Notation` of the module.

    Returns
    -------
    float, second order in 1/n: -2n sum (1-p_i) ln(1-p_i) - (1/3) sum p_i ln(1-p_i) - (1/3) ln n + A0.

    References
    ----------
    Derived; checked by simulation in tests/theory/discrete/test_absorption.py.

    Examples
    --------
    >>> round(mean_total_collapse([0.5, 0.3, 0.2], 100), 2)
    152.86
    """
    truth, size = probability_vector("p", p), integer("n", n, 2)
    require(truth < 1, "p", "at least two positive probabilities", p)
    log_rest = np.log1p(-truth)
    return float(-2 * size * (1 - truth) @ log_rest - truth @ log_rest / 3 - math.log(size) / 3 + A0)


def mean_total_collapse_uniform(m: ArrayLike, n: ArrayLike) -> NDArray[np.float64]:
    """Return `mean_total_collapse` of m equally probable symbols.

    It is 2n(m-1) ln(m/(m-1)) - ln(1-1/m)/3 - ln(n)/3 + A0, which tends to 2n for many symbols. The first fit
    counts as 1.

    Parameters
    ----------
    m : number of symbols, at least 2; broadcast against `n`.
    n : samples per generation, at least 2.

    Returns
    -------
    float64, broadcast shape, second order in 1/n.

    References
    ----------
    Derived; checked by simulation in tests/theory/discrete/test_absorption.py.

    Examples
    --------
    >>> mean_total_collapse_uniform(10, [10, 100, 1000]).round(1)
    array([  17.5,  187.4, 1893.5])
    """
    support, size = integers("m", m, 2).astype(np.float64), integers("n", n, 2)
    log_rest = np.log1p(-1 / support)
    return -2 * size * (support - 1) * log_rest - log_rest / 3 - np.log(size) / 3 + A0


def sd_total_collapse(n: ArrayLike) -> NDArray[np.float64]:
    """Return the standard deviation of the number of refits until a single symbol is left.

    It is n sqrt(4 pi^2/3 - 12) = 1.077 n.

    Parameters
    ----------
    n : samples per generation, any shape, at least 2.

    Returns
    -------
    float64, shape of `n`, asymptotic for large n and many symbols without a large one.

    References
    ----------
    Derived (Kingman's coalescent); checked by simulation in tests/theory/discrete/test_absorption.py.

    Examples
    --------
    >>> float(sd_total_collapse(1000).round(1))
    1076.8
    """
    return integers("n", n, 2) * np.sqrt(4 * np.pi**2 / 3 - 12)


def mean_first_loss(p: ArrayLike, n: int, form: Literal["lattice", "continuum"] = "lattice") -> float:
    """Return the mean number of refits until the first symbol is lost.

    Symbols of probability 0 are ignored.

    Parameters
    ----------
    form : "lattice" sums prod_i (1-e^{-n p_i g_t}) over t >= 0; "continuum" integrates it with g_t = 2/t.
    p, n : see `Notation` of the module.

    Returns
    -------
    float, asymptotic in n; the lattice form is within 0.4 % if the loss takes many generations.

    References
    ----------
    Derived; the continuum form is the statement in the abstract of arXiv:2509.20101; checked in
    tests/theory/discrete/test_absorption.py.

    Examples
    --------
    >>> round(mean_first_loss([0.5, 0.3, 0.2], 100, "continuum"), 2)
    50.98
    """
    truth, size = probability_vector("p", p), integer("n", n, 2)
    counts, copies = np.unique(size * truth[truth > 0], return_counts=True)
    require(copies.sum() >= 2, "p", "at least two positive probabilities", p)
    kind = choice("form", form, ("lattice", "continuum"))

    def alive(constant: float) -> float:
        return math.exp(copies @ np.log(-np.expm1(-counts * constant)))

    if kind == "continuum":
        return _integral(lambda t: alive(2 / t), 0.0, 2.0 * size)
    constants = g(_LATTICE_TERMS)
    direct = sum(alive(constant) for constant in constants[1:])
    # In the tail 1/g_t = t/2 + ln(t)/6 + C_G, and the error of the midpoint rule is below 1e-9.
    tail = _integral(lambda t: alive(1 / (t / 2 + math.log(t) / 6 + C_G)), _LATTICE_TERMS + 0.5, 2.0 * size)
    return float(1 + direct + tail)


def _integral(survival: Callable[[float], float], low: float, scale: float) -> float:
    """Return the integral of a survival function of t from `low` to infinity, computed in ln t."""
    start = math.log(low) if low > 0 else math.log(scale) - 40
    # For two symbols the survival function decays like t^-2, so 40 units of ln t beyond the scale leave 1e-17.
    edges = np.arange(start, max(start, math.log(scale)) + 41, 1.0)
    parts = [
        scipy.integrate.quad(lambda y: survival(math.exp(y)) * math.exp(y), a, b, epsabs=0, epsrel=1e-10)[0]
        for a, b in itertools.pairwise(edges)
    ]
    return float(math.fsum(parts))
