"""Saved arrays of a state: copies into a new state, and their checks."""

from collections.abc import Mapping
from typing import Any

import numpy as np


def restore_arrays(arrays: Mapping[str, np.ndarray], state: Any, pool: str = "") -> None:
    """Copy saved arrays into a state.

    Parameters
    ----------
    arrays : name -> saved array.
    state : the state to fill.
    pool : name of an array whose second axis sets `state.n_kept` before the copy; "" without a pool.

    Raises
    ------
    ValueError
        An array is missing or has another shape.
    """
    if pool in arrays:
        state.n_kept = arrays[pool].shape[1]
    for name, target in state.arrays().items():
        restore_array(arrays, name, target)


def restore_array(arrays: Mapping[str, np.ndarray], name: str, target: np.ndarray) -> None:
    """Copy one saved array into a state.

    Raises
    ------
    ValueError
        The array is missing, has another shape or type, or is not finite.
    """
    got = arrays[name].shape if name in arrays else "none"
    if got != target.shape:
        raise ValueError(f"{name} of a state must have shape {target.shape}, got {got}")
    if arrays[name].dtype.kind != target.dtype.kind or not np.isfinite(arrays[name]).all():
        raise ValueError(f"{name} of a state must be finite numbers of type {target.dtype}")
    target[...] = arrays[name]


def require(name: str, holds: Any, allowed: str) -> None:
    """Refuse a saved array whose values no run has.

    Parameters
    ----------
    name : name of the array.
    holds : whether the values are allowed.
    allowed : what is allowed, for the message.

    Raises
    ------
    ValueError
        `holds` is false.
    """
    if not holds:
        raise ValueError(f"{name} of a state must be {allowed}")
