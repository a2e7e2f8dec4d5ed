"""Fine-tuning: regressions whose ridge is towards earlier weights instead of 0.

The fit to labels y of rows X is w_prev + (S + ridge)^{-1} X'(y - X w_prev)/T, S = X'X/T. At ridge 0 it is the
least-squares fit nearest to w_prev, the limit of gradient descent from there. All errors of ridge regression hold with
the truth w0 replaced by delta = w0 - w_prev. So the best ridge for Sigma = I is that of `isotropic_optimal_ridge` with
|delta|^2 in place of |w0|^2, sigma^2 d/(T |delta|^2): the worse the start, the smaller the ridge towards it.

Notation
--------
d : number of inputs, 1 to 10**9.
T : number of rows of a fit, at least 1.
sigma : standard deviation of the noise on the labels of the truth, 0 to 1e30.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fastcollapse.theory.arguments import integer, integers, real, reals, together
from fastcollapse.theory.regression.ridge_risk import ridge_equivalents

MAX_DIMENSIONS = 10**9
MAX_GENERATIONS = 10**6


def fine_tuned_error(
    spectrum: ArrayLike, delta: ArrayLike, T: ArrayLike, ridge: ArrayLike, sigma: float
) -> NDArray[np.float64]:
    """Return the expected error of a fit with a ridge towards weights that are `delta` away from the truth.

    Parameters
    ----------
    spectrum : [d], eigenvalues of the covariance Sigma of the inputs, 1e-40 to 1e40.
    delta : [d], truth less start in the eigenbasis of Sigma; of a random start the roots of the expected squares.
    ridge : ridge of the fit, 0 to 1e40; broadcast against `T`.
    T, sigma : see `Notation` of the module.

    Returns
    -------
    float64, broadcast shape of `T` and `ridge`, in the norm of Sigma; asymptotic in d, and the same for all inputs of
    independent components. At ridge 0 exact for T >= d, inf for d-1 to d+1 rows with noise.

    References
    ----------
    Setting and universality: Ghane, Akhtiamov, Hassibi, arXiv:2410.02164. Formula: derived; checked in
    tests/verification/test_fine_tuning.py.

    Examples
    --------
    >>> fine_tuned_error([1.0] * 100, [0.1] * 100, 60, [0.0, 0.5, 5.0], 0.5).round(4)
    array([0.775 , 0.5818, 0.7803])
    """
    noise = real("sigma", sigma, 0, 1e30)
    bias, variance, _ = ridge_equivalents(spectrum, delta, T, ridge)
    return bias + (noise**2 * variance if noise > 0 else 0.0)


def nearest_fit_error(d: int, T: ArrayLike, delta_square: ArrayLike, sigma: float) -> NDArray[np.float64]:
    """Return the expected error of the least-squares fit nearest to the start, for Sigma = I.

    It is (1 - T/d) |delta|^2 + sigma^2 T/(d-T-1) for T <= d-2. For T >= d+2 it is sigma^2 d/(T-d-1): the start is
    forgotten.

    Parameters
    ----------
    delta_square : |delta|^2, squared distance of the start from the truth, 0 to 1e60; broadcast against `T`.
    d, T, sigma : see `Notation` of the module.

    Returns
    -------
    float64, broadcast shape of `T` and `delta_square`, exact; inf for d-1 to d+1 rows with noise.

    References
    ----------
    Derived; checked in tests/verification/test_fine_tuning.py.

    Examples
    --------
    >>> nearest_fit_error(30, [18, 60], 1.0, 0.3).round(6)
    array([0.547273, 0.093103])
    """
    dimensions, noise = integer("d", d, 1, MAX_DIMENSIONS), real("sigma", sigma, 0, 1e30)
    rows, square = together(T=integers("T", T, 1), delta_square=reals("delta_square", delta_square, 0, 1e60))
    return np.maximum(0.0, 1 - rows / dimensions) * square + noise**2 * _noise_factor(dimensions, rows, noise)


def fine_tuning_threshold(d: int, T: ArrayLike, sigma: float) -> NDArray[np.float64]:
    """Return the error |delta|^2 of a start above which the nearest fit is better than the start, for Sigma = I.

    It is sigma^2 d/(|T-d|-1). A start below it is better left alone, or needs a ridge.

    Parameters
    ----------
    d, T, sigma : see `Notation` of the module; `T` of any shape.

    Returns
    -------
    float64, shape of `T`, exact; inf for d-1 to d+1 rows with noise.

    References
    ----------
    Existence of the condition: Ghane, Akhtiamov, Hassibi, arXiv:2410.02164. Value: derived; checked in
    tests/verification/test_fine_tuning.py.

    Examples
    --------
    >>> fine_tuning_threshold(30, [18, 60], 0.3).round(6)
    array([0.245455, 0.093103])
    """
    dimensions, noise = integer("d", d, 1, MAX_DIMENSIONS), real("sigma", sigma, 0, 1e30)
    rows = integers("T", T, 1)
    return noise**2 * _noise_factor(dimensions, rows, noise) * np.maximum(1.0, dimensions / rows)


def nearest_chain_error(
    d: int,
    T: int,
    n: ArrayLike,
    sigma: float,
    sigma0: float,
    weight: float = 0.0,
    start_error: float = 0.0,
) -> NDArray[np.float64]:
    """Return the error of a chain in which each generation is the least-squares fit nearest to the one before.

    The labels of new rows in each generation are w times real ones plus 1 - w times those of the generation before,
    for Sigma = I. With T <= d-2 rows the error follows e' = (1 - w(2-w) T/d) e + (w^2 sigma^2 + (1-w)^2 sigma0^2)
    T/(d-T-1), and with T >= d+2 rows e' = (1-w)^2 e + (w^2 sigma^2 + (1-w)^2 sigma0^2) d/(T-d-1). For w = 0 the signal
    is never forgotten and the noise grows linearly; for w = 1, real labels, it tends to sigma^2 d/(d-T-1).

    Parameters
    ----------
    n : number of generations, any shape, 0 to 10**6.
    sigma0 : standard deviation of the noise on synthetic labels, 0 to 1e30.
    weight : w, the weight of the real labels, 0 to 1.
    start_error : error of generation 0, 0 to 1e60.
    d, T, sigma : see `Notation` of the module.

    Returns
    -------
    float64, shape of `n`, exact; inf for d-1 to d+1 rows with noise.

    References
    ----------
    Derived; checked in tests/verification/test_fine_tuning.py.

    Examples
    --------
    >>> nearest_chain_error(30, 18, [1, 2, 3], 0.3, 0.3, weight=1.0, start_error=4.0).round(6)
    array([1.747273, 0.846182, 0.485745])
    >>> nearest_chain_error(30, 18, 5, 0.3, 0.3).round(12)
    np.float64(0.736363636364)
    """
    dimensions, rows = integer("d", d, 1, MAX_DIMENSIONS), integer("T", T, 1)
    fits, w = integers("n", n, 0, MAX_GENERATIONS), real("weight", weight, 0, 1)
    noises = real("sigma", sigma, 0, 1e30), real("sigma0", sigma0, 0, 1e30)
    first = real("start_error", start_error, 0, 1e60)
    variance = w**2 * noises[0] ** 2 + (1 - w) ** 2 * noises[1] ** 2
    added = variance * float(_noise_factor(dimensions, np.array(rows), variance))
    lost = w * (2 - w) * min(1.0, rows / dimensions)
    with np.errstate(divide="ignore", invalid="ignore"):
        # (1 - (1 - lost)^n)/lost without cancellation.
        gathered = -np.expm1(fits * np.log1p(-lost)) / lost if lost > 0 else fits.astype(np.float64)
    gathered = np.where(fits == 0, 0.0, gathered)
    kept = np.where(fits == 0, 1.0, (1 - lost) ** fits)
    return kept * first + np.where(fits > 0, added * np.maximum(gathered, 1.0), 0.0)


def _noise_factor(d: int, rows: NDArray[np.int64], noise: float) -> NDArray[np.float64]:
    """Return min(T, d)/(|T-d|-1), inf where it does not exist; 0 without noise."""
    spare = np.abs(rows - d) - 1.0
    factor = np.where(spare > 0, np.minimum(rows, d) / np.where(spare > 0, spare, 1.0), np.inf)
    return factor if noise > 0 else np.zeros(factor.shape)
