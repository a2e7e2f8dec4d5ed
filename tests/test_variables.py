"""Derived arrays: values, slices and types of metrics that are computed when they are read."""

import numpy as np
import pytest

from fastcollapse import variables
from fastcollapse.variables import DerivedArray, run_tasks


@pytest.fixture
def states():
    rng = np.random.default_rng(1)
    return {"mean": rng.normal(size=(7, 30)), "factor": rng.normal(size=(7, 30, 2))}


def product(states):
    return states["mean"] * states["factor"].sum(axis=-1)


def test_derived_array__has_the_values_and_the_size_of_its_function(states):
    derived = DerivedArray(product, states)
    assert (derived.shape, derived.ndim, derived.nbytes) == ((7, 30), 2, 7 * 30 * 8)
    np.testing.assert_array_equal(np.asarray(derived), product(states))
    assert np.asarray(derived, np.float32).dtype == np.float32


@pytest.mark.parametrize("where", [slice(2, 5), (slice(None), slice(4)), (slice(1, 3), slice(5, 6))])
def test_derived_array__of_a_slice_is_the_slice_of_its_values(states, where):
    got = DerivedArray(product, states)[where]
    assert isinstance(got, DerivedArray)
    np.testing.assert_array_equal(np.asarray(got), product(states)[where])


@pytest.mark.parametrize("n_threads", [1, 3])
def test_derived_array__is_written_a_few_replicates_at_a_time(states, monkeypatch, n_threads):
    monkeypatch.setattr(variables, "_CHUNK_VALUES", 60)
    sizes = []

    def recorded(states):
        sizes.append(states["mean"].shape)
        return product(states)

    out = np.full((7, 32), -1.0)
    run_tasks(DerivedArray(recorded, states).tasks(out[:, 1:-1]), n_threads)
    np.testing.assert_array_equal(out[:, 1:-1], product(states))
    assert (out[:, [0, -1]] == -1).all()
    assert sorted(sizes) == [(1, 30), (2, 30), (2, 30), (2, 30)]


def test_derived_array__without_further_threads_is_computed_by_this_one(states, monkeypatch):
    def start(thread):
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(variables, "_CHUNK_VALUES", 30)
    monkeypatch.setattr("threading.Thread.start", start)
    np.testing.assert_array_equal(np.asarray(DerivedArray(product, states, 3)), product(states))


@pytest.mark.parametrize("n_threads", [1, 2])
def test_derived_array__reports_an_error_of_its_function(states, monkeypatch, n_threads):
    monkeypatch.setattr(variables, "_CHUNK_VALUES", 30)
    with pytest.raises(KeyError, match="sigma"):
        np.asarray(DerivedArray(lambda states: states["sigma"], states, n_threads))
