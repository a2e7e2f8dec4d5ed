"""Domain checks of the formulas: each names the argument, what it must be and what was given."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fastcollapse.errors import InputError


def require(ok: object, key: str, requirement: str, given: object) -> None:
    """Raise InputError unless `ok` (bool or array of bool) holds everywhere.

    Examples
    --------
    >>> require(1 > 0, "n", "positive", 1)
    """
    if not np.all(np.asarray(ok)):
        shown = np.array2string(np.asarray(given), threshold=6, separator=", ")
        raise InputError(f"{key} must be {requirement}, got {shown}")


def integers(key: str, value: ArrayLike, minimum: int) -> NDArray[np.int64]:
    """Return `value` as int64, refused unless every entry is a whole number of at least `minimum`.

    Examples
    --------
    >>> integers("k", [0, 3], 0)
    array([0, 3])
    """
    given = np.asarray(value)
    try:
        whole = given.astype(np.int64)
    except (TypeError, ValueError, OverflowError):
        raise InputError(f"{key} must be a whole number of at least {minimum}, got {value!r}") from None
    require((whole == given) & (whole >= minimum), key, f"a whole number of at least {minimum}", given)
    return whole


def integer(key: str, value: object, minimum: int) -> int:
    """Return the single whole number `value` as int, refused below `minimum`.

    Examples
    --------
    >>> integer("n", 10, 1)
    10
    """
    whole = integers(key, np.asarray(value), minimum)
    require(whole.ndim == 0, key, "a single number", value)
    return int(whole)


def reals(key: str, value: ArrayLike, low: float, high: float, *, closed: bool = True) -> NDArray[np.float64]:
    """Return `value` as float64, refused outside [low, high], or outside (low, high) if not `closed`.

    Examples
    --------
    >>> reals("p0", [0.0, 1.0], 0, 1)
    array([0., 1.])
    """
    given = np.asarray(value)
    try:
        number = given.astype(np.float64)
    except (TypeError, ValueError):
        raise InputError(f"{key} must be numeric, got {value!r}") from None
    if closed:
        require((number >= low) & (number <= high), key, f"within [{low:g}, {high:g}]", given)
    else:
        require((number > low) & (number < high), key, f"strictly between {low:g} and {high:g}", given)
    return number


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
