"""Domain checks of the formulas: each names the argument, what it must be and what was given."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fastcollapse.errors import InputError

# Beyond this a float64 does not tell whole numbers apart.
_LARGEST = 2**53
# Loops over generations end here: a second or two, and the longest run there is.
MAX_GENERATIONS = 10**7


def require(ok: object, key: str, requirement: str, given: object) -> None:
    """Raise InputError unless `ok` (bool or array of bool) holds everywhere.

    Examples
    --------
    >>> require(1 > 0, "n", "positive", 1)
    """
    if not np.all(np.asarray(ok)):
        shown = np.array2string(np.asarray(given), threshold=6, separator=", ")
        raise InputError(f"{key} must be {requirement}, got {shown}")


def _numbers(key: str, value: ArrayLike, wanted: str) -> NDArray:
    """Return `value` as an array of int or float, refused if it is anything else, such as bool or text."""
    try:
        given = np.asarray(value)
        # Whole numbers beyond 64 bits make an array of objects.
        given = given.astype(np.float64) if given.dtype.kind == "O" else given
    except (TypeError, ValueError, OverflowError):
        raise InputError(f"{key} must be {wanted}, got {value!r}") from None
    require(given.dtype.kind in "iuf", key, wanted, value)
    return given


def integers(key: str, value: ArrayLike, minimum: int, maximum: int = _LARGEST) -> NDArray[np.int64]:
    """Return `value` as int64, refused unless every entry is a whole number from `minimum` to `maximum`.

    Examples
    --------
    >>> integers("k", [0, 3], 0)
    array([0, 3])
    """
    wanted = f"a whole number of at least {minimum}"
    given = _numbers(key, value, wanted)
    require((given >= minimum) & (given == np.rint(given)), key, wanted, given)
    require(given <= maximum, key, f"at most {maximum}", given)
    return given.astype(np.int64)


def integer(key: str, value: object, minimum: int, maximum: int = _LARGEST) -> int:
    """Return the single whole number `value` as int, refused below `minimum` or above `maximum`.

    Examples
    --------
    >>> integer("n", 10, 1)
    10
    """
    whole = integers(key, value, minimum, maximum)  # type: ignore[arg-type]
    require(whole.ndim == 0, key, "a single number", value)
    return int(whole)


def reals(key: str, value: ArrayLike, low: float, high: float, *, closed: bool = True) -> NDArray[np.float64]:
    """Return `value` as float64, refused outside [low, high], or outside (low, high) if not `closed`.

    Examples
    --------
    >>> reals("p0", [0.0, 1.0], 0, 1)
    array([0., 1.])
    """
    given = _numbers(key, value, "numeric")
    number = given.astype(np.float64)
    if closed:
        require((number >= low) & (number <= high), key, f"within [{low:g}, {high:g}]", given)
    else:
        require((number > low) & (number < high), key, f"strictly between {low:g} and {high:g}", given)
    return number


def real(key: str, value: ArrayLike, low: float, high: float) -> float:
    """Return the single number `value` as float, refused outside [low, high].

    Examples
    --------
    >>> real("h0", 0.5, 0, 1)
    0.5
    """
    number = reals(key, value, low, high)
    require(number.ndim == 0, key, "a single number", value)
    return float(number)


def flag(key: str, value: object) -> bool:
    """Return `value`, refused unless it is True or False.

    Examples
    --------
    >>> flag("replacement", True)
    True
    """
    require(isinstance(value, bool | np.bool_), key, "true or false", value)
    return bool(value)


def probability_vector(key: str, value: ArrayLike) -> NDArray[np.float64]:
    """Return `value` as a float64 vector of probabilities, refused unless it sums to 1 within 1e-6.

    Examples
    --------
    >>> probability_vector("p", [0.5, 0.5])
    array([0.5, 0.5])
    """
    p = reals(key, value, 0, 1)
    require(p.ndim == 1 and p.size > 0, key, "a vector with at least one entry", value)
    require(abs(p.sum() - 1) <= 1e-6, key, "probabilities that sum to 1", p)
    return p


def choice(key: str, value: object, allowed: tuple[str, ...]) -> str:
    """Return the word `value`, refused unless it is one of `allowed`.

    Examples
    --------
    >>> choice("estimator", "mle", ("unbiased", "mle"))
    'mle'
    """
    wanted = " or ".join(repr(word) for word in allowed)
    require(isinstance(value, str) and value in allowed, key, wanted, value)
    return str(value)


def is_unbiased(estimator: object) -> bool:
    """Return whether a variance is divided by n - 1, refused unless `estimator` is 'unbiased' or 'mle'.

    Examples
    --------
    >>> is_unbiased("mle")
    False
    """
    return choice("estimator", estimator, ("unbiased", "mle")) == "unbiased"


def sizes_and_fits(n: ArrayLike, k: ArrayLike, minimum: int) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Return sizes `n`, one number or entry s-1 for fit s, and numbers of fits `k` (no more than entries).

    Examples
    --------
    >>> sizes_and_fits([10, 20], [0, 2], 2)
    (array([10., 20.]), array([0, 2]))
    """
    sizes, index = integers("n", n, minimum), integers("k", k, 0)
    require(sizes.ndim <= 1, "n", "a number or a vector", n)
    if sizes.ndim == 1:
        require(index <= sizes.size, "k", f"at most {sizes.size}, the number of sizes", k)
    return sizes.astype(np.float64), index


def over_fits(each: NDArray[np.float64], k: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the sum over the first k fits of `each`, the same number for all or entry s-1 for fit s.

    Examples
    --------
    >>> over_fits(np.array([1.0, 2.0]), np.array([0, 2]))
    array([0., 3.])
    """
    return each * k if each.ndim == 0 else np.append(0.0, np.cumsum(each))[k]


def per_generation(key: str, value: ArrayLike, n_generations: int) -> NDArray[np.int64]:
    """Return whole numbers of at least 0, one a generation, from one number or from a vector of them.

    Examples
    --------
    >>> per_generation("keep", 1, 3)
    array([1, 1, 1])
    """
    sizes = integers(key, value, 0)
    require(sizes.shape in ((), (n_generations,)), key, f"a number or {n_generations} numbers", value)
    return np.broadcast_to(sizes, (n_generations,))


def covariance_spectrum(key: str, value: ArrayLike) -> NDArray[np.float64]:
    """Return eigenvalues of a covariance, refused unless a vector with entries from 1e-40 to 1e40.

    Examples
    --------
    >>> covariance_spectrum("spectrum", [1, 0.5])
    array([1. , 0.5])
    """
    spectrum = reals(key, value, 1e-40, 1e40)
    require(spectrum.ndim == 1 and spectrum.size > 0, key, "a vector with at least one entry", value)
    return spectrum


def coordinates(key: str, value: ArrayLike, size: int) -> NDArray[np.float64]:
    """Return a vector of `size` real numbers, none beyond 1e30.

    Examples
    --------
    >>> coordinates("w0", [1, -1], 2)
    array([ 1., -1.])
    """
    vector = reals(key, value, -1e30, 1e30)
    require(vector.shape == (size,), key, f"a vector of {size} numbers, one for each eigenvalue", value)
    return vector


def together(**arrays: NDArray) -> list[NDArray]:
    """Return the arrays, given by the names of their arguments, broadcast to one shape.

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
    T0: ArrayLike, n: ArrayLike, design: str, maximum: int = _LARGEST
) -> tuple[NDArray[np.int64], NDArray[np.int64], bool]:
    """Return rows of the generators, one number or entry m-1 for generator m, their numbers, are rows the same.

    Examples
    --------
    >>> generators([10, 20], 2, "independent")
    (array([10, 20]), array(2), False)
    """
    dependent = choice("design", design, ("independent", "dependent")) == "dependent"
    sizes, index = integers("T0", T0, 1), integers("n", n, 0, maximum)
    if dependent:
        require(sizes.ndim == 0, "T0", "a single number for dependent generators", T0)
    require(sizes.ndim <= 1, "T0", "a number or a vector", T0)
    if sizes.ndim == 1:
        require(index <= sizes.size, "n", f"at most {sizes.size}, the number of sizes", n)
    return sizes, index, dependent
