"""Blocks with derived metrics: what a run has in memory and in its file are the numbers of computed metrics."""

import dataclasses

import numpy as np
import pytest

from fastcollapse.storage.blocks import Block, join_columns
from fastcollapse.storage.hdf5_store import Hdf5Store
from fastcollapse.storage.memory_store import MemoryStore
from fastcollapse.storage.readers import open_file
from fastcollapse.variables import DerivedArray
from tests.storage._stored_runs import STATE, fill, make_header, make_run

HEADER = make_header(trajectory=False)
RUN = make_run(HEADER)


def with_derived(block):
    """Return a block whose entropy is derived from its half."""
    half = {"half": block.metrics["entropy"] / 2}
    return dataclasses.replace(
        block, metrics={**block.metrics, "entropy": DerivedArray(lambda states: 2 * states["half"], half)}
    )


class Deriving:
    """A store that receives derived blocks."""

    def __init__(self, store):
        self.store, self.header, self.commit = store, store.header, store.commit

    def append(self, block):
        self.store.append(with_derived(block))


def test_joined_columns__of_derived_and_computed_parts():
    parts = [
        np.array([[1.0], [2.0]]),
        DerivedArray(lambda states: 3 * states["m"], {"m": np.array([[1.0, 2], [3, 4]])}),
    ]
    np.testing.assert_array_equal(join_columns(parts), [[1, 3, 6], [2, 9, 12]])
    np.testing.assert_array_equal(join_columns(parts[1:]), [[3, 6], [9, 12]])


def test_joined_columns__of_one_number_take_no_memory_and_of_two_numbers_are_joined():
    ones, twos = np.broadcast_to(1.0, (2, 3)), np.broadcast_to(2.0, (2, 1))
    same = join_columns([ones, ones])
    assert same.shape == (2, 6)
    assert not any(same.strides)
    assert (same == 1).all()
    np.testing.assert_array_equal(join_columns([ones, twos]), [[1, 1, 1, 2], [1, 1, 1, 2]])


@pytest.mark.parametrize("commits", [(), (0, 2)])
def test_derived_metrics__are_those_of_the_run_in_memory_and_in_files(tmp_path, commits):
    stores = [MemoryStore(HEADER), Hdf5Store(HEADER, tmp_path / "whole.h5", part_bytes=1)]
    for store in stores:
        with store:
            fill(Deriving(store), RUN, (3, 5), commits)
            reader = store.finish({})
        assert list(reader.metrics) == list(HEADER.metrics)
        for name, values in RUN[1].items():
            np.testing.assert_array_equal(reader.metrics[name], values)
            assert not reader.metrics[name].flags.writeable
            assert reader.metrics[name] is reader.metrics[name]


def test_derived_metrics__are_in_the_parts_of_an_unfinished_run(tmp_path):
    path = tmp_path / "part.h5"
    with Hdf5Store(HEADER, path) as store:
        store.append(with_derived(Block(0, {name: values[:, :1] for name, values in RUN[1].items()}, None)))
        block = with_derived(Block(1, {name: values[:, 1:6] for name, values in RUN[1].items()}, None))
        assert block.nbytes == 2 * 3 * 5 * 8
        store.append(block.until(3))
        store.commit(STATE, force=True)
    reader = open_file(path)
    assert reader.n_committed == 3
    for name, values in RUN[1].items():
        np.testing.assert_array_equal(reader.metrics[name], values[:, :4])
