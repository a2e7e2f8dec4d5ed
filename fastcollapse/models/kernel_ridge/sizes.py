"""Checks of the sizes of inputs, labels and kernels, so that no square or product of them overflows or vanishes."""

import math
from typing import Any

import numpy as np

from fastcollapse.errors import InputError, InputWarning
from fastcollapse.kernels.regression.kernel_matrix import LINEAR, POLYNOMIAL, Kernel
from fastcollapse.models.kernel_ridge.truth import Labelled

# Largest size of inputs, by the precision of their products; the smallest is its inverse.
_LARGEST = {"float64": 1e100, "float32": 1e15}
_LARGEST_LABEL = 1e100
_LARGEST_SCALE = 1e150
_LARGEST_KERNEL = 1e100
# Inputs that differ by less than this part of the largest of them are nearly one point.
_NARROW = 0.01


def check_sizes(truth: Labelled, precision: str) -> None:
    """Check the largest input and the largest label.

    Raises
    ------
    InputError
        It is too large, or so small that its square vanishes.
    """
    _check("truth.images", _LARGEST[precision], truth.rows, truth.test_rows)
    _check("truth.labels", _LARGEST_LABEL, truth.targets, truth.test_targets)


def _check(key: str, limit: float, *parts: np.ndarray) -> None:
    largest = max(float(np.abs(part).max()) for part in parts)
    if largest and not 1 / limit <= largest <= limit:
        raise InputError(f"{key} must have a largest entry of {1 / limit:g} to {limit:g} in size, got {largest:g}")


def row_squares(rows: np.ndarray) -> float:
    """Return the largest |x|^2 of the rows (N, d)."""
    return float(np.einsum("ij,ij->i", rows, rows, dtype=np.float64).max())


def check_kernel(law: Kernel, square: float) -> None:
    """Check the scale of a kernel and its largest value.

    Parameters
    ----------
    law : the kernel.
    square : the largest |x|^2 of a row.

    Raises
    ------
    InputError
        The scale is too large or too small, or the kernel of the longest row with itself is too large.
    """
    if not 1 / _LARGEST_SCALE <= law.scale <= _LARGEST_SCALE:
        limits = f"{1 / _LARGEST_SCALE:g} to {_LARGEST_SCALE:g} in the units of the file"
        raise InputError(f"model.scale must be a length of {limits}, got {law.scale:g}")
    if law.kind not in (LINEAR, POLYNOMIAL):
        return
    # Python floats: their powers and products raise, or are inf, where they overflow.
    product = square / float(law.scale) / float(law.scale)
    degree, offset = (1, 0.0) if law.kind == LINEAR else (int(law.degree), float(law.offset))
    exponent = degree * math.log10(max(product + offset, 1e-300))
    if exponent > math.log10(_LARGEST_KERNEL):
        got = f"the kernel of the longest row with itself is 1e{exponent:.0f}, above {_LARGEST_KERNEL:g}"
        keys = "model.scale" if law.kind == LINEAR else "model.scale, model.degree and model.offset"
        raise InputError(f"{keys} must fit to the inputs: {got}")


def narrow_spread(truth: Labelled, scale: Any) -> list[Warning]:
    """Return a warning where a numeric scale is in units of the largest input and the inputs hardly differ."""
    if scale == "median":
        return []
    spread = float(np.ptp(truth.rows, axis=0).max())
    if truth.unit == 1 or spread >= _NARROW * truth.unit:
        return []
    message = (
        f"model.scale = {scale:g} is in units of the largest input, {truth.unit:g}, but the inputs differ by at most "
        f"{spread:g}: subtract their mean, or use truth.scaling = 'none' or model.scale = 'median'"
    )
    return [InputWarning(message)]
