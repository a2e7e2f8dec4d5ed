"""Texts as arrays of characters, which every netCDF reader supports (FORMAT.md)."""

from collections.abc import Mapping, Sequence

import numpy as np

from fastcollapse.storage.content import Content, array_of
from fastcollapse.storage.layout import Array


def text_array(name: str, texts: np.ndarray, dims: Sequence[str], attributes: Mapping[str, str]) -> Array:
    """Return texts as an array of characters; the last dimension is the length."""
    raw = [text.encode() for text in texts.ravel().tolist()]
    width = max(1, *map(len, raw))
    characters = np.array([text.ljust(width, b"\0") for text in raw], f"S{width}").view("S1")
    values = characters.reshape(*texts.shape, width)
    dims = (*dims, f"{name}_letter")
    return Array(name, values.dtype, values.shape, lambda: [values], dims, {**attributes, "_Encoding": "utf-8"})


def texts_of(content: Content, name: str, shape: Sequence[int | None]) -> np.ndarray:
    """Return the texts of such an array, as objects of the shape without its last dimension.

    Raises
    ------
    KeyError, ValueError
        The array is missing, has another shape, or is not text.
    """
    letters = array_of(content, name, "S1", (*shape, None))
    rows = np.ascontiguousarray(letters).reshape(-1, letters.shape[-1])
    texts = [b"".join(row.tolist()).decode() for row in rows]
    return np.array(texts, object).reshape(letters.shape[:-1])
