"""Frequencies as the probabilities of a discrete truth."""

import math

import numpy as np
import pytest

from fastcollapse import Experiment, simulate
from fastcollapse.api.results import open_results
from fastcollapse.datasets.data_files import DataFiles
from fastcollapse.datasets.frequencies import read_frequencies
from fastcollapse.errors import InputError
from fastcollapse.simulation.replay import replay


def read(folder, content):
    (folder / "p.csv").write_text(content)
    return read_frequencies(DataFiles(folder), "p.csv")


@pytest.mark.parametrize(
    "content",
    ["0.5\n0.3\n0.2\n", "0.5,0.3,0.2\n", "share\n50\n30\n20\n", "word;percent\na;50\nb;30\nc;20\n", "5\n3\n2\n"],
)
def test_frequencies__of_any_sum(tmp_path, content):
    got = read(tmp_path, content)
    np.testing.assert_allclose(got.probabilities, [0.5, 0.3, 0.2], rtol=1e-15)
    assert got.counts is None
    assert got.labels == (("a", "b", "c") if "word" in content else None)
    assert list(got.inputs) == ["p.csv"]


def test_frequencies__keep_their_order_zeros_and_extremes(tmp_path):
    got = read(tmp_path, "1e308\n0\n1e308\n1e-300\n")
    np.testing.assert_allclose(got.probabilities, [0.5, 0, 0.5, 0], atol=1e-300)
    assert math.fsum(got.probabilities) == 1
    assert "4 symbols" in got.source


WRONG = {
    "below 0": ("0.5\n-0.1\n0.6\n", "must have numbers from 0, got -0.1 in entry 2 of 'p.csv'"),
    "one symbol": ("0.5\n0\n", "must have at least two entries above 0, got 1 in 'p.csv'"),
    "a matrix": ("1,2\n3,4\n", "must have one number for each symbol, got 2 x 2 in 'p.csv'"),
    "two columns": ("a,1,2\n", "must have one number for each symbol, got 1 x 2 in 'p.csv'"),
    "a word twice": ("a,1\nb,2\na,3\n", "must name each word once, got 'a' again in 'p.csv'"),
    "not finite": ("1\nnan\n", "must be an array of finite numbers, got entries that are not finite in 'p.csv'"),
}


@pytest.mark.parametrize("case", WRONG)
def test_frequencies__refused_in_one_line(tmp_path, case):
    content, message = WRONG[case]
    with pytest.raises(InputError) as caught:
        read(tmp_path, content)
    assert str(caught.value) == f"truth.probabilities {message}"


GIVEN = {
    "truth": {"probabilities": "p.npz:p"},
    "workflow": {"name": "replace", "n_samples": 50},
    "run": {"n_generations": 4, "n_replicates": 3, "seed": 2},
}


def test_run__equals_that_of_a_list_and_is_replayed_without_the_file(tmp_path):
    law = np.array([0.5, 0.25, 0.125, 0.125])
    np.savez(tmp_path / "p.npz", p=law * 7, q=law)
    got = simulate(Experiment.from_mapping(GIVEN, tmp_path), tmp_path / "x.h5")
    expected = simulate(Experiment.from_mapping({**GIVEN, "truth": {"probabilities": law}}))
    np.testing.assert_array_equal(got.metrics["heterozygosity"], expected.metrics["heterozygosity"])
    (tmp_path / "p.npz").unlink()
    recorded = open_results(tmp_path / "x.h5")
    assert list(recorded.inputs) == ["p.npz"]
    assert not replay(recorded).different
