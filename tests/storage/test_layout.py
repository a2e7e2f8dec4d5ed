"""Data sets and attributes of a run, without a file."""

import numpy as np

from fastcollapse.storage.layout import block_arrays, variable_attributes
from tests.storage._stored_runs import block_of, make_header, make_run


def test_block_arrays__are_the_blocks_end_to_end():
    header = make_header()
    run = make_run(header)
    blocks = [block_of(header, run, first, stop) for first, stop in ((0, 1), (1, 4), (4, 8))]
    for array in block_arrays(header, blocks, dims=True):
        if array.name in header.metrics:
            got = np.concatenate([chunk.reshape(-1) for chunk in array.converted()]).reshape(array.shape)
            np.testing.assert_array_equal(got, np.concatenate([b.metrics[array.name] for b in blocks], axis=1))
            assert array.dims == ("replicate", "generation")


def test_variable_attributes__have_a_name_and_a_unit():
    header = make_header()
    for name in header.variables:
        assert {"long_name", "units"} <= variable_attributes(header, name).keys()
