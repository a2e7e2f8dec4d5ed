"""Urns against plain lists of cells."""

import numpy as np
import pytest

from fastcollapse.kernels.sequences.urns import ENTRIES, SUMS, WHOLE_SUMS, CellTable, context_weights, fill_urn, new_urn

# Three contexts: the start, and those of the words 0 and 1; 2 is the end of the sentence.
OFFSETS = np.array([0, 2, 5, 7])
WORDS = np.array([0, 1, 0, 1, 2, 0, 2], np.int32)
SUCCESSORS = np.array([1, 2, 1, 2, 0, 1, 0], np.int32)
COUNTS = np.array([7, 3, 3, 4, 3, 1, 1], np.int32)


def table_of(counts):
    return CellTable(OFFSETS, WORDS, SUCCESSORS, np.array(counts, np.int32), 2)


def filled(counts, temperature=1.0, kind=ENTRIES):
    table = table_of(counts)
    kind = SUMS if temperature != 1 else kind
    urn = new_urn(table, max(int(table.counts.sum()), len(counts)), len(counts))
    fill_urn(table, table.counts, temperature, kind, urn)
    return urn


def entries(urn, place):
    """Return the cells of a place."""
    first, n = int(place) >> 32, int(place) & 0xFFFFFFFF
    return urn.entries[first : first + n].tolist()


def test_urn__lists_each_cell_as_often_as_its_count():
    urn = filled(COUNTS)
    assert [entries(urn, place) for place in urn.starts] == [
        [0] * 7 + [1] * 3,
        [2] * 3 + [3] * 4 + [4] * 3,
        [5, 6],
    ]


def test_urn__follows_a_cell_to_its_context_and_ends_at_the_end():
    urn = filled(COUNTS)
    ends = WORDS == 2
    np.testing.assert_array_equal(urn.follow[~ends], urn.starts[SUCCESSORS[~ends]])
    np.testing.assert_array_equal(urn.follow[ends], 0)


def test_urn__has_one_entry_for_a_single_live_cell():
    urn = filled([5, 0, 0, 4, 0, 0, 9])
    assert [entries(urn, place) for place in urn.starts] == [[0], [3], [6]]


@pytest.mark.parametrize("temperature", [0.5, 1.0, 2.0, 1e-300, 1e300])
def test_weights__are_powers_of_counts(temperature):
    counts = np.array([4, 0, 2, 1], np.int32)
    cells, weights = np.empty(4, np.int32), np.empty(4)
    n = context_weights(0, 4, counts, temperature, cells, weights)
    assert cells[:n].tolist() == [0, 2, 3]
    with np.errstate(over="ignore", under="ignore"):
        expected = (np.array([4, 2, 1]) / 4) ** (1 / temperature)
    np.testing.assert_allclose(weights[:n], expected * (4 if temperature == 1 else 1), rtol=1e-14)


def test_urn__with_a_temperature_has_running_sums_of_live_cells():
    urn = filled([7, 0, 3, 4, 3, 0, 0], temperature=0.5)
    assert [entries(urn, place) for place in urn.starts] == [[0], [2, 3, 4], []]
    first = int(urn.starts[1]) >> 32
    np.testing.assert_allclose(urn.cumulative[first : first + 3], np.cumsum([9 / 16, 1, 9 / 16]), rtol=1e-15)


def test_urn__of_whole_sums_has_running_counts():
    urn = filled([7, 0, 3, 4, 3, 0, 2], kind=WHOLE_SUMS)
    assert [entries(urn, place) for place in urn.starts] == [[0], [2, 3, 4], [6]]
    assert urn.cumulative[:5].tolist() == [7, 3, 7, 10, 2]
    assert urn.kind[0] == WHOLE_SUMS
