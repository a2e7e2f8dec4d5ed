"""Scores of points as arrays of a collected sweep, and their texts."""

import math

import numpy as np
import pytest

from fastcollapse.storage.content import Content
from fastcollapse.sweeps.panel_scores import NAMES, PanelScore, score_arrays, stored_scores
from fastcollapse.sweeps.text_arrays import text_array, texts_of

SCORES = {
    0: [
        PanelScore("entropy", 3, 1, 6.5, "generation 3", 2, 1, 4, "a rule, σ"),
        PanelScore("H", 1, 0, 0.5, "x", 0, 0, 0, ""),
    ],
    3: [PanelScore("late", 0, 0, math.nan, "", 0, 0, 0, "no theory")],
}


def content_of(arrays):
    content = Content()
    for array in arrays:
        values = np.concatenate([np.asarray(chunk).ravel() for chunk in array.chunks()]).reshape(array.shape)
        content.arrays[array.name] = values
        content.attributes[array.name] = dict(array.attributes)
    return content


def test_score_arrays__are_read_as_they_were_written():
    arrays = score_arrays(SCORES, (2, 2), ("a", "b"))
    assert {array.name for array in arrays} == set(NAMES)
    assert all(array.dims[:3] == ("a", "b", "panel") for array in arrays if array.name != "panel")
    got = stored_scores(content_of(arrays), (2, 2))
    assert repr({point: panels for point, panels in got.items() if panels}) == repr(SCORES)
    assert list(got) == [0, 1, 2, 3]


def test_score_arrays__without_panels_are_none():
    assert score_arrays({0: []}, (1,), ("a",)) == []
    assert stored_scores(Content(), (1,)) == {}


def test_stored_scores__refuse_another_shape():
    content = content_of(score_arrays(SCORES, (2, 2), ("a", "b")))
    content.arrays["n_scored"] = content.arrays["n_scored"][:, :1]
    with pytest.raises(ValueError, match="n_scored"):
        stored_scores(content, (2, 2))


def test_text_array__keeps_texts_of_any_length():
    texts = np.array([["", "replace"], ["ü", "a b"]], object)
    array = text_array("name", texts, ("x", "y"), {})
    assert (array.dims, array.shape) == (("x", "y", "name_letter"), (2, 2, 7))
    assert texts_of(content_of([array]), "name", (2, 2)).tolist() == texts.tolist()
