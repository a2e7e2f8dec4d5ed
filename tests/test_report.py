"""The numbers beside theory, and the words made of them."""

import numpy as np
import pytest

from fastcollapse import comparison, report
from fastcollapse.experiment import Experiment
from fastcollapse.simulation import simulate

REPLACE = {
    "truth": {"zipf_mandelbrot": {"a": 1.0, "b": 2.7, "size": 60}},
    "workflow": {"name": "replace", "n_samples": 200},
    "run": {"n_generations": 30, "n_replicates": 40, "seed": 11},
}


@pytest.fixture(scope="module")
def replaced():
    return simulate(Experiment.from_mapping(REPLACE))


@pytest.fixture(scope="module")
def mixed():
    workflow = {"name": "mix", "n_samples": 200, "n_real": 20, "real": "fresh"}
    return simulate(Experiment.from_mapping(REPLACE | {"workflow": workflow}))


def test_survival__is_inside_its_bounds_and_the_chain_is_exact(replaced):
    got = comparison.survival(replaced, np.arange(31))
    assert got.lower is not None
    assert got.upper is not None
    assert (got.lower <= got.expected + 1e-12).all()
    assert (got.expected <= got.upper + 1e-12).all()
    # 31 dependent scores: 4.5 is passed by chance less than once in 4,000 runs.
    assert np.nanmax(np.abs(got.z)) < 4.5
    assert got.z[0] == 0
    assert got.mean[0] == 1


def test_curve__a_score_is_counted_from_the_nearer_bound():
    values = np.array([[0.0, 4.0, 9.0], [2.0, 6.0, 11.0]])
    unknown = np.full(3, np.nan)
    lower, upper = np.full(3, 3.0), np.full(3, 7.0)
    got = comparison._curve(np.arange(3), values, lower, upper, unknown, np.full(3, True))
    assert got.z[0] < 0 == got.z[1] < got.z[2]
    # Two replicates, distance -2 and standard error 1: Student's law of one degree has the tail 0.1476.
    assert got.z[0] == pytest.approx(-1.0469, abs=1e-3)


def test_curve__nothing_is_said_without_spread():
    values = np.ones((5, 1))
    got = comparison._curve(np.arange(1), values, None, None, np.array([1.1]), np.array([True]))
    assert np.isnan(got.z[0])


def test_heterozygosity__has_a_score_in_every_workflow(replaced, mixed):
    for results in (replaced, mixed):
        got = comparison.heterozygosity(results, np.arange(31))
        assert np.isfinite(got.z).all()
        assert np.abs(got.z).max() < 4.5


def test_survival__has_no_bounds_beside_real_data(mixed):
    got = comparison.survival(mixed, np.arange(31))
    assert got.lower is None
    assert np.isnan(got.z[1:]).all()


def test_forgetting__quartiles_are_those_of_the_times(replaced):
    copies = comparison.copies_of(replaced)
    got = comparison.forgetting(replaced, copies[30])
    assert got is not None
    chosen = np.abs(copies - copies[30]) <= 0.1 * copies[30]
    assert got.n_symbols == chosen.sum()
    times = np.sort(np.where(replaced.forgotten < 0, 10**6, replaced.forgotten)[:, chosen].ravel())
    expected = int(times[(times.size + 1) // 2 - 1])
    assert got.quartiles[1] == (expected if expected <= 30 else None)
    assert comparison.forgetting(replaced, 10_000) is None


def test_summary__says_beyond_the_run_where_the_median_is_censored(replaced):
    text = report.summary(replaced, elapsed=2.0)
    assert "> 30" in text
    assert "600 generations x replicates a second" in text
    lines = [line for line in text.splitlines() if line.startswith("  ") and "alive %" in line]
    assert len(lines) == 1


def test_summary__has_dashes_where_there_is_no_theory(mixed):
    text = report.summary(mixed)
    assert "no bounds" in text
    assert "- " in text


def test_comparison__finds_a_bent_curve(replaced, monkeypatch):
    assert report.comparison(replaced)[1]
    truth = comparison._expected_heterozygosity(replaced)
    monkeypatch.setattr(comparison, "_expected_heterozygosity", lambda results: truth * 0.98)
    text, agree = report.comparison(replaced)
    assert not agree
    assert "DISAGREES" in text


def test_table__columns_are_aligned():
    lines = report.table(["a", "long name"], [["1,000", "2"], ["3", "4"]]).splitlines()
    assert len({len(line) for line in lines}) == 1
