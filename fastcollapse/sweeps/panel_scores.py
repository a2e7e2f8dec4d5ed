"""Scores of the points of a sweep against theory, panel by panel, as arrays of a collected sweep (FORMAT.md)."""

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from fastcollapse.storage.content import Content, array_of
from fastcollapse.storage.layout import Array
from fastcollapse.sweeps.text_arrays import text_array, texts_of


class PanelScore(NamedTuple):
    """Comparison of one panel of a point with theory, in numbers.

    Parameters
    ----------
    panel : name of the panel.
    n_scored : number of places that are compared with an exact value.
    n_disagreeing : number of places, of these or of those compared with bounds, whose |z| is above the limit.
    largest_z : the largest |z| from exact values, NaN without any.
    place : where it is, in words.
    n_bounded, n_within : number of places that are compared with bounds alone, and number of these within them.
    n_unscored : number of places that are compared neither with exact values nor with bounds.
    reason : why no place, or not every place, has a score; "" if all have one.
    """

    panel: str
    n_scored: int
    n_disagreeing: int
    largest_z: float
    place: str
    n_bounded: int
    n_within: int
    n_unscored: int
    reason: str


# Field -> long name, of the fields that are whole numbers, and of those that are texts.
_NUMBERS = {
    "n_scored": "number of places that are compared with exact theory; -1 if the point does not have the panel",
    "n_disagreeing": "number of places that disagree with theory",
    "n_bounded": "number of places that are compared with bounds alone",
    "n_within": "number of these that are within the bounds",
    "n_unscored": "number of places that are compared with nothing",
}
_TEXTS = {"place": "place of the largest |z|", "reason": "why not every place has a score"}
NAMES = ("panel", "largest_z", *_NUMBERS, *_TEXTS)


def score_arrays(scores: Mapping[int, Sequence[PanelScore]], shape: Sequence[int], dims: Sequence[str]) -> list[Array]:
    """Return the data sets of the scores; none without panels.

    Parameters
    ----------
    scores : number of the point -> its panels.
    shape, dims : lengths and names of the swept dimensions.
    """
    panels = list(dict.fromkeys(score.panel for of_point in scores.values() for score in of_point))
    if not panels:
        return []
    found: list[list[PanelScore | None]] = [[None] * len(panels) for _ in range(math.prod(shape))]
    for point, of_point in scores.items():
        for score in of_point:
            found[point][panels.index(score.panel)] = score
    cells = [score for row in found for score in row]
    full, dims = (*shape, len(panels)), (*dims, "panel")

    def column(field: str, absent: object, dtype: object) -> np.ndarray:
        values = [absent if score is None else getattr(score, field) for score in cells]
        return np.array(values, dtype).reshape(full)  # type: ignore[call-overload]

    largest = column("largest_z", math.nan, np.float64)
    attributes = {"long_name": "largest |z| of the panel against exact theory", "units": "1"}
    arrays = [
        text_array("panel", np.array(panels, object), ("panel",), {"long_name": "panel that is compared with theory"}),
        Array("largest_z", largest.dtype, full, lambda: [largest], dims, attributes),
    ]
    for name, long_name in _NUMBERS.items():
        values = column(name, -1, np.int32)

        def chunks(values: np.ndarray = values) -> list[np.ndarray]:
            return [values]

        arrays.append(Array(name, values.dtype, full, chunks, dims, {"long_name": long_name, "units": "1"}))
    return arrays + [text_array(name, column(name, "", object), dims, {"long_name": _TEXTS[name]}) for name in _TEXTS]


def stored_scores(content: Content, shape: Sequence[int]) -> dict[int, list[PanelScore]]:
    """Return the scores of a collected sweep by point; empty for a file without scores.

    Raises
    ------
    KeyError, ValueError
        Data sets are missing or malformed.
    """
    if "panel" not in content.arrays:
        return {}
    panels = texts_of(content, "panel", (None,)).tolist()
    full = (*shape, len(panels))
    columns = {"largest_z": array_of(content, "largest_z", "f8", full)}
    columns |= {name: array_of(content, name, "i4", full) for name in _NUMBERS}
    columns |= {name: texts_of(content, name, full) for name in _TEXTS}
    rows = {name: values.reshape(-1, len(panels)).tolist() for name, values in columns.items()}
    return {
        point: [
            PanelScore(panel, **{name: rows[name][point][k] for name in rows})
            for k, panel in enumerate(panels)
            if rows["n_scored"][point][k] >= 0
        ]
        for point in range(math.prod(shape))
    }
