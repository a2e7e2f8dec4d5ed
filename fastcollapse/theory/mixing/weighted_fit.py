"""The error of a fit that weighs real and synthetic data, and the best weights.

With weight w on a fit to real data and 1 - w on a fit to data of the previous model, the error of a generation is

    e_t = w_t^2 a_t + (1 - w_t)^2 (b_t + c_t e_(t-1)),  e_0 = 0,

for fresh real data. The same real data in every generation adds a product of both parts.

Notation
--------
real : a, the error of the fit to the real data alone, at least 0; infinite without real data.
synthetic : b, the error of the fit to the synthetic data, given its model, at least 0.
carried : c, the part of the error of a model that a fit to its data keeps, 0 to 1.

With n real and m synthetic points, large samples of regular models and means of Gaussians have a = 1/n, b = 1/m and
c = 1, relative to the error of one point. Tokens, and means of Gaussians with variances of maximum likelihood, have
c = 1 - 1/m. Least squares of d inputs has a and b of the form sigma^2 d/(T - d - 1) for T rows, and c = 1.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fastcollapse.theory.arguments import integers, reals, require
from fastcollapse.theory.arguments import real as real_number


def weighted_errors(
    weight: ArrayLike, real: ArrayLike, synthetic: ArrayLike, carried: ArrayLike
) -> NDArray[np.float64]:
    """Return the errors e_1..e_T of fits that weigh fresh real and synthetic data.

    Parameters
    ----------
    weight : w, the weight of the real data, [T] or scalar, 0 to 1.
    real, synthetic, carried : see `Notation` of the module; [T] or scalar each.

    Returns
    -------
    float64 [T], exact if a, b and c are; T is the longest of the arguments.

    References
    ----------
    Setting: He, Xu, Cheng, arXiv:2502.18049. Recursion: derived; checked in tests/verification/test_mixing.py.

    Examples
    --------
    >>> weighted_errors([0.4] * 12, 1 / 10, 1 / 15, 1 - 1 / 15)[-1].round(12)
    np.float64(0.060240839128)
    """
    shares = reals("weight", weight, 0, 1)
    rows = _rows(shares, *_errors(real, synthetic, carried))
    errors, error = np.zeros(len(rows)), 0.0
    for t, (w, a, b, c) in enumerate(rows):
        error = (w * w * a if w else 0.0) + ((1 - w) ** 2 * (b + c * error) if w < 1 else 0.0)
        errors[t] = error
    return errors


def fixed_real_errors(weight: ArrayLike, real: float, synthetic: ArrayLike, carried: ArrayLike) -> NDArray[np.float64]:
    """Return the errors e_1..e_T of fits that weigh synthetic data and the same real data in every generation.

    With constant weight, large samples and a = 1/n, b = c/n they tend to (1/n) (1 + (1-w)^2 c/(w(2-w))), at least 1/n:
    synthetic data never help.

    Parameters
    ----------
    weight : w, the weight of the real data, [T] or scalar, 0 to 1.
    real : a, a number; 0 if the real data is the truth itself.
    synthetic, carried : see `Notation` of the module; [T] or scalar each.

    Returns
    -------
    float64 [T], exact if a, b and c are.

    References
    ----------
    Derived; checked in tests/verification/test_mixing.py.

    Examples
    --------
    >>> fixed_real_errors([0.5] * 60, 1.0, 1.0, 1.0)[-1].round(6)
    np.float64(1.333333)
    """
    shares = reals("weight", weight, 0, 1)
    a = real_number("real", real, 0, 1e300)
    rows = _rows(shares, *_errors(a, synthetic, carried))
    errors, error, across = np.zeros(len(rows)), 0.0, 0.0
    for t, (w, _, b, c) in enumerate(rows):
        # The product of the errors of the model and of the real data.
        error = w * w * a + (1 - w) ** 2 * (b + c * error) + 2 * w * (1 - w) * across
        across = w * a + (1 - w) * across
        errors[t] = error
    return errors


def optimal_weights(real: ArrayLike, synthetic: ArrayLike, carried: ArrayLike) -> NDArray[np.float64]:
    """Return the weights w_1..w_T of fresh real data, each of which has the least error of its generation.

    Parameters
    ----------
    real, synthetic, carried : see `Notation` of the module; [T] or scalar each.

    Returns
    -------
    float64 [T].

    References
    ----------
    Derived; checked in tests/verification/test_mixing.py.

    Examples
    --------
    >>> optimal_weights([0.1] * 40, 0.1, 1)[-1].round(12)
    np.float64(0.61803398875)
    """
    rows = _rows(*_errors(real, synthetic, carried))
    weights, error = np.zeros(len(rows)), 0.0
    for t, (a, b, c) in enumerate(rows):
        other = b + (c * error if c else 0.0)
        w = 0.0 if np.isinf(a) else 1.0 if np.isinf(other) else 0.5 if a + other == 0 else other / (a + other)
        weights[t] = w
        error = (w * w * a if w else 0.0) + ((1 - w) ** 2 * other if w < 1 else 0.0)
    return weights


def best_weight(real: ArrayLike, synthetic: ArrayLike, carried: ArrayLike = 1.0) -> tuple[NDArray[np.float64], ...]:
    """Return the constant weight of fresh real data with the least error after many generations, and this error.

    The error is the weight times that of a fit to the real data alone. For as much synthetic as real data and c = 1 the
    weight is 1/phi = 0.618, phi the golden ratio.

    Parameters
    ----------
    real, synthetic, carried : see `Notation` of the module; finite, above 0, of any shape.

    Returns
    -------
    weight, error : float64, the broadcast shape.

    References
    ----------
    Weight for large samples: He, Xu, Cheng, arXiv:2502.18049. Closed form for any a, b, c: derived; checked in
    tests/verification/test_mixing.py.

    Examples
    --------
    >>> best_weight(1, [1, 4, 0.25, 0.01])[0].round(12)
    array([0.61803399, 0.82842712, 0.3903882 , 0.09512492])
    >>> best_weight(1 / 10, 1 / 15, 1 - 1 / 15)[0].round(12)
    np.float64(0.53914202505)
    """
    a, b, c = _errors(real, synthetic, carried)
    require((a > 0) & (b > 0) & np.isfinite(a) & np.isfinite(b), "real and synthetic", "finite and above 0", [real])
    # c a w^2 + (a + b - c a) w - b = 0, in the form that keeps its digits for small c a.
    middle = a + b - c * a
    weight = 2 * b / (middle + np.sqrt(middle**2 + 4 * c * a * b))
    return weight, weight * a


def contaminated_errors(n: ArrayLike, a: ArrayLike) -> NDArray[np.float64]:
    """Return the errors q_1..q_T of fits to tokens each of which is real with a given probability.

    q_t = 1/n_t + (1 - 1/n_t) (1 - a_t)^2 q_(t-1), q_0 = 0, is E|p_t - p_0|^2 over the heterozygosity of p_0, or the
    squared error of the mean of a Gaussian over its variance, with variances of maximum likelihood.
    For a_t = t^-u and n_t = n t^v it tends to 0 exactly if u <= 1 and v > u.

    Parameters
    ----------
    n : number of tokens, [T] or scalar, at least 1.
    a : probability that a token is real, [T] or scalar, 0 to 1.

    Returns
    -------
    float64 [T], exact.

    References
    ----------
    Setting, and recursion for tokens: arXiv:2602.10531. For Gaussians, and the condition: derived; checked in
    tests/verification/test_mixing.py.

    Examples
    --------
    >>> contaminated_errors(10, [1.0, 0.5, 0.5]).round(6)
    array([0.1     , 0.1225  , 0.127563])
    """
    sizes, shares = integers("n", n, 1), reals("a", a, 0, 1)
    noise = 1.0 / sizes
    return weighted_errors(0.0, 0.0, *np.broadcast_arrays(noise, (1 - noise) * (1 - shares) ** 2))


def _errors(real: ArrayLike, synthetic: ArrayLike, carried: ArrayLike) -> list[NDArray[np.float64]]:
    """Return a, b and c as checked arrays."""
    return [
        reals("real", real, 0, np.inf),
        reals("synthetic", synthetic, 0, np.inf),
        reals("carried", carried, 0, 1),
    ]


def _rows(*arrays: NDArray[np.float64]) -> list[tuple[float, ...]]:
    """Return the entries of each generation."""
    same = np.broadcast_arrays(*arrays)
    require(same[0].ndim <= 1, "the arguments", "numbers or vectors", [array.ndim for array in same])
    return list(zip(*(array.ravel().tolist() for array in same), strict=True))
