"""Extinction times by original count, of runs without single symbols."""

import pytest

from fastcollapse.analysis.panels.extinction_by_count import times_by_original_count
from fastcollapse.analysis.panels.registry import panels_of
from fastcollapse.errors import InputError
from tests.analysis.panels.test_count_classes import ALL, spectrum_run


def test_forgetting_panel__of_a_run_without_symbols_is_by_original_count(tmp_path):
    results = spectrum_run(tmp_path, ["survival"], 200)
    (panel,) = panels_of(results, ALL, ["forgetting"])
    assert panel.curve.at.tolist() == [1, 2]  # the median of 10 is beyond the run
    assert panel.curve.mean.tolist() == panel.curve.lower.tolist() == panel.curve.upper.tolist()
    plain = spectrum_run(tmp_path, ["support_size"], 2)
    with pytest.raises(InputError, match=r"run.record must have survival for the panel forgetting"):
        panels_of(plain, ALL, ["forgetting"])


def test_times_by_original_count__are_those_of_the_survival(tmp_path):
    results = spectrum_run(tmp_path, ["survival"], 200)
    alive = results.metrics["survival"].mean(axis=0)
    for place, group in enumerate(times_by_original_count(results)):
        assert (group.copies, group.smallest, group.largest) == (place + 1,) * 3
        assert group.n_symbols == (400, 200)[place]
        median = group.quartiles[1]
        assert alive[median, place] <= 0.5 < alive[median - 1, place]
