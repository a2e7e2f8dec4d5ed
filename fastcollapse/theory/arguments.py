"""Domain checks of arguments: each error names the argument, the requirement and the value."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fastcollapse.errors import InputError

# Largest bound below which float64 represents every integer.
_MAX_INTEGER = 2**53
# Bound of loops over generations: they take one or two seconds, and no run is longer.
MAX_GENERATIONS = 10**7


def require(condition: object, key: str, requirement: str, value: object) -> None:
    """Raise InputError unless `condition` (bool or array of bool) is true everywhere.

    Examples
    --------
    >>> require(1 > 0, "n", "positive", 1)
    """
    if not np.all(np.asarray(condition)):
        # Rows of a matrix are lines of their own in the text of NumPy.
        text = " ".join(np.array2string(np.asarray(value), threshold=6, separator=", ").split())
        raise InputError(f"{key} must be {requirement}, got {text}")


def _numbers(key: str, value: ArrayLike, requirement: str) -> NDArray[Any]:
    """Return `value` as an array of int or float. Other types, such as bool and text, raise InputError."""
    try:
        array = np.asarray(value)
        # Integers beyond 64 bits make an array of objects.
        array = array.astype(np.float64) if array.dtype.kind == "O" else array
    except (TypeError, ValueError, OverflowError):
        raise InputError(f"{key} must be {requirement}, got {value!r}") from None
    require(array.dtype.kind in "iuf", key, requirement, value)
    return array


def integers(key: str, value: ArrayLike, minimum: int, maximum: int = _MAX_INTEGER) -> NDArray[np.int64]:
    """Return `value` as int64; every entry must be a whole number from `minimum` to `maximum`.

    Examples
    --------
    >>> integers("k", [0, 3], 0)
    array([0, 3])
    """
    requirement = f"a whole number of at least {minimum}"
    array = _numbers(key, value, requirement)
    require((array >= minimum) & (array == np.rint(array)), key, requirement, array)
    require(array <= maximum, key, f"at most {maximum}", array)
    return array.astype(np.int64)


def integer(key: str, value: object, minimum: int, maximum: int = _MAX_INTEGER) -> int:
    """Return `value` as int; it must be one whole number from `minimum` to `maximum`.

    Examples
    --------
    >>> integer("n", 10, 1)
    10
    """
    number = integers(key, value, minimum, maximum)  # type: ignore[arg-type]
    require(number.ndim == 0, key, "a single number", value)
    return int(number)


def reals(key: str, value: ArrayLike, low: float, high: float, *, closed: bool = True) -> NDArray[np.float64]:
    """Return `value` as float64; every entry must be in [low, high], or in (low, high) if not `closed`.

    Examples
    --------
    >>> reals("p0", [0.0, 1.0], 0, 1)
    array([0., 1.])
    """
    array = _numbers(key, value, "numeric")
    numbers = array.astype(np.float64)
    if closed:
        require((numbers >= low) & (numbers <= high), key, f"within [{low:g}, {high:g}]", array)
    else:
        require((numbers > low) & (numbers < high), key, f"strictly between {low:g} and {high:g}", array)
    return numbers


def real(key: str, value: ArrayLike, low: float, high: float) -> float:
    """Return `value` as float; it must be one number in [low, high].

    Examples
    --------
    >>> real("h0", 0.5, 0, 1)
    0.5
    """
    number = reals(key, value, low, high)
    require(number.ndim == 0, key, "a single number", value)
    return float(number)


def flag(key: str, value: object) -> bool:
    """Return `value` as bool; it must be True or False.

    Examples
    --------
    >>> flag("replacement", True)
    True
    """
    require(isinstance(value, bool | np.bool_), key, "true or false", value)
    return bool(value)


def probability_vector(key: str, value: ArrayLike) -> NDArray[np.float64]:
    """Return `value` as a float64 vector; its entries must be probabilities that sum to 1 within 1e-6.

    Examples
    --------
    >>> probability_vector("p", [0.5, 0.5])
    array([0.5, 0.5])
    """
    p = reals(key, value, 0, 1)
    require(p.ndim == 1 and p.size > 0, key, "a vector with at least one entry", value)
    require(abs(p.sum() - 1) <= 1e-6, key, "probabilities that sum to 1", p)
    return p


def symbol_classes(p: ArrayLike, copies: ArrayLike | None = None) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the different probabilities above 0, ascending, and the number of symbols of each.

    Parameters
    ----------
    p : [K], the probabilities of all symbols, which sum to 1 within 1e-6; or of classes of them.
    copies : [K], number of symbols of each class, at least 0, not necessarily whole: the weights of a quadrature.

    Examples
    --------
    >>> symbol_classes([0.25, 0.5, 0.25, 0.0])
    (array([0.25, 0.5 ]), array([2., 1.]))
    >>> symbol_classes([0.5, 0.25], [1, 2])
    (array([0.25, 0.5 ]), array([2., 1.]))
    """
    if copies is None:
        vector = probability_vector("p", p)
        different, members = np.unique(vector[vector > 0], return_counts=True)
        return different, members.astype(np.float64)
    values, numbers = reals("p", p, 0, 1), reals("copies", copies, 0, np.inf)
    require(values.ndim == 1 and values.size > 0, "p", "a vector with at least one entry", values)
    require(numbers.shape == values.shape, "copies", f"of the shape of p, {values.shape}", numbers)
    require(abs(values @ numbers - 1) <= 1e-6, "p", "probabilities that sum to 1 with their copies", values)
    order = np.argsort(values, kind="stable")
    order = order[(values > 0)[order] & (numbers > 0)[order]]
    return values[order], numbers[order]


def choice(key: str, value: object, allowed: tuple[str, ...]) -> str:
    """Return `value`; it must be one of at least two names.

    Examples
    --------
    >>> choice("estimator", "mle", ("unbiased", "mle"))
    'mle'
    """
    *first, last = map(repr, allowed)
    require(isinstance(value, str) and value in allowed, key, f"{', '.join(first)} or {last}", value)
    return str(value)


def is_unbiased(estimator: object) -> bool:
    """Return whether a sum of squares is divided by n-1; `estimator` must be "unbiased" or "mle".

    Examples
    --------
    >>> is_unbiased("mle")
    False
    """
    return choice("estimator", estimator, ("unbiased", "mle")) == "unbiased"


def check_sizes(key: str, sizes: NDArray[Any], fits_key: str, fits: NDArray[Any]) -> None:
    """Raise InputError unless `sizes` is one number, or a vector with an entry for each of the fits.

    Examples
    --------
    >>> check_sizes("n", np.array([10, 20]), "k", np.array([0, 2]))
    """
    require(sizes.ndim <= 1, key, "a number or a vector", sizes)
    if sizes.ndim == 1:
        require(fits <= sizes.size, fits_key, f"at most {sizes.size}, the number of sizes", fits)


def sizes_and_fits(
    n: ArrayLike, k: ArrayLike, minimum: int, fits_key: str = "k"
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Return the sizes `n`, one number or entry s-1 for fit s, and the numbers of fits `k`.

    Examples
    --------
    >>> sizes_and_fits([10, 20], [0, 2], 2)
    (array([10., 20.]), array([0, 2]))
    """
    sizes, fits = integers("n", n, minimum), integers(fits_key, k, 0)
    check_sizes("n", sizes, fits_key, fits)
    return sizes.astype(np.float64), fits


def over_fits(each: NDArray[np.float64], k: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the sum of `each` over the first k fits: one number for all fits, or entry s-1 for fit s.

    Examples
    --------
    >>> over_fits(np.array([1.0, 2.0]), np.array([0, 2]))
    array([0., 3.])
    """
    return each * k if each.ndim == 0 else np.append(0.0, np.cumsum(each))[k]


def per_generation(key: str, value: ArrayLike, n_generations: int) -> NDArray[np.int64]:
    """Return one whole number of at least 0 for each generation; `value` is one number or a vector.

    Examples
    --------
    >>> per_generation("keep", 1, 3)
    array([1, 1, 1])
    """
    sizes = integers(key, value, 0)
    require(sizes.shape in ((), (n_generations,)), key, f"a number or {n_generations} numbers", value)
    return np.broadcast_to(sizes, (n_generations,))


def covariance_spectrum(key: str, value: ArrayLike) -> NDArray[np.float64]:
    """Return the eigenvalues of a covariance; they must be a vector with entries from 1e-40 to 1e40.

    Examples
    --------
    >>> covariance_spectrum("spectrum", [1, 0.5])
    array([1. , 0.5])
    """
    spectrum = reals(key, value, 1e-40, 1e40)
    require(spectrum.ndim == 1 and spectrum.size > 0, key, "a vector with at least one entry", value)
    return spectrum


def coordinates(key: str, value: ArrayLike, size: int) -> NDArray[np.float64]:
    """Return `value` as a vector of `size` numbers from -1e30 to 1e30.

    Examples
    --------
    >>> coordinates("w0", [1, -1], 2)
    array([ 1., -1.])
    """
    vector = reals(key, value, -1e30, 1e30)
    require(vector.shape == (size,), key, f"a vector of {size} numbers, one for each eigenvalue", value)
    return vector


def together(**arrays: NDArray[Any]) -> list[NDArray[Any]]:
    """Return the arrays broadcast to one shape; the keywords are the names in the error message.

    Examples
    --------
    >>> together(T=np.array([1, 2]), ridge=np.array(0.1))
    [array([1, 2]), array([0.1, 0.1])]
    """
    shapes = ", ".join(str(array.shape) for array in arrays.values())
    try:
        return list(np.broadcast_arrays(*arrays.values()))
    except ValueError:
        raise InputError(f"{' and '.join(arrays)} must have shapes that broadcast, got {shapes}") from None


def generators(
    T0: ArrayLike, n: ArrayLike, design: str, maximum: int = _MAX_INTEGER
) -> tuple[NDArray[np.int64], NDArray[np.int64], bool]:
    """Return the rows of the generators, the numbers of generators, and whether all have the same rows.

    Parameters
    ----------
    T0 : one number, or entry m-1 for generator m; one number if all have the same rows.
    n : any shape, 0 to `maximum`.
    design : "independent" (new rows for each generator) or "dependent" (the same rows for all).

    Examples
    --------
    >>> generators([10, 20], 2, "independent")
    (array([10, 20]), array(2), False)
    """
    dependent = choice("design", design, ("independent", "dependent")) == "dependent"
    sizes, numbers = integers("T0", T0, 1), integers("n", n, 0, maximum)
    if dependent:
        require(sizes.ndim == 0, "T0", "a single number for dependent generators", T0)
    check_sizes("T0", sizes, "n", numbers)
    return sizes, numbers, dependent


def downstream_fit(T: int | None, sigma: float) -> tuple[int | None, float]:
    """Return the rows of a downstream fit and the noise of its labels; without such a fit they are None and 0.

    Examples
    --------
    >>> downstream_fit(10, 0.5)
    (10, 0.5)
    """
    noise = real("sigma", sigma, 0, 1e30)
    if T is None:
        require(noise == 0, "sigma", "0 without the rows T of a downstream fit", sigma)
        return None, noise
    return integer("T", T, 1), noise
