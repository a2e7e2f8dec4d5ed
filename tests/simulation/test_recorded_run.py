import numpy as np
import pytest
import xarray

from fastcollapse import Results, open_results, simulate
from fastcollapse.errors import InputError, StoreError, UnreadableResults
from fastcollapse.storage.base import Reader
from tests.simulation._small_results import make_results


def test_results__memory_and_file_agree(tmp_path):
    memory, file = make_results(), make_results(tmp_path / "out.h5")
    assert (memory.path, file.path) == (None, tmp_path / "out.h5")
    xarray.testing.assert_identical(memory.to_xarray(), file.to_xarray())
    xarray.testing.assert_identical(memory.to_xarray(), open_results(str(tmp_path / "out.h5")).to_xarray())
    for results in (memory, file):
        assert results.complete
        assert results.last == 1
        np.testing.assert_array_equal(results.generation, [0, 1])
        np.testing.assert_array_equal(results.counts(0, 0), [[0, 1], [2, 1]])
        np.testing.assert_array_equal(results.counts(0, 1), [[0, 1], [1, 2]])
        np.testing.assert_array_equal(results.counts(1, 1), [[0], [3]])
    assert "1 of 1 generations" in repr(memory)


def test_results__without_a_generation_are_empty():
    results = Results(Reader(make_results()._reader.header, []))
    assert results.last == -1
    assert results.generation.size == results.metrics["entropy"].size == 0
    assert not results.complete
    with pytest.raises(InputError, match="generation must be finished, got 0: none is finished yet"):
        results.counts(0, 0)


def test_metrics__are_read_only(tmp_path):
    with pytest.raises(ValueError, match="read-only"):
        make_results(tmp_path / "out.h5").metrics["entropy"][0, 0] = 1


@pytest.mark.parametrize(
    ("replicate", "generation", "match"),
    [
        (2, 0, "replicate must be an integer from 0 to 1, got 2"),
        (-1, 0, "got -1"),
        (0, 2, "generation must be an integer from 0 to 1, got 2"),
        (0, 0.5, "got 0.5"),
        (True, 0, "got True"),
    ],
)
def test_counts__out_of_range_is_refused(replicate, generation, match):
    with pytest.raises(InputError, match=match):
        make_results().counts(replicate, generation)


def test_counts__says_what_was_not_recorded():
    with pytest.raises(InputError, match=r'run\.record must contain "trajectory"'):
        make_results(trajectory=False).counts(0, 1)
    with pytest.raises(InputError, match=r"truth \(a test\) has no counts"):
        make_results(with_counts=False).counts(0, 0)


def test_counts_and_samples__of_a_family_without_any_are_refused_by_its_name():
    sections = {"model": {"family": "poisson"}, "truth": {"rate": 2.0}, "workflow": {"name": "replace", "n_samples": 5}}
    run = {"n_generations": 2, "n_replicates": 2, "seed": 1, "record": ["metrics", "trajectory"]}
    results = simulate({**sections, "run": run})
    for call in (lambda: results.counts(0, 1), lambda: results.counts_matrix(0)):
        with pytest.raises(InputError, match="counts need a family with counts, got poisson"):
            call()
    with pytest.raises(InputError, match="must be one of none: the poisson family has none, got 'points'"):
        results.sample("points", 0, 1)


def test_open_results__missing_file():
    with pytest.raises(UnreadableResults, match="no such file") as caught:
        open_results("missing.h5")
    assert isinstance(caught.value, StoreError)
    assert isinstance(caught.value, InputError)
    with pytest.raises(InputError, match=r"^\.: is a folder, not a file"):
        open_results("")
