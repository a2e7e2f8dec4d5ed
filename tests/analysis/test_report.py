"""Scores of curves, and the text of summaries and comparisons."""

import gc
import weakref

import numpy as np
import pytest

from fastcollapse import simulate
from fastcollapse.analysis import report
from fastcollapse.analysis.agreement import Z_LIMIT, Agreement, agreement_of, verdict
from fastcollapse.analysis.comparison import compare
from fastcollapse.analysis.generations import log_spaced_generations
from fastcollapse.analysis.panels import discrete, extinction_times, heterozygosity
from fastcollapse.analysis.panels.schedules import schedule_of
from fastcollapse.analysis.panels.scores import curve_of, share_of
from fastcollapse.analysis.panels.text import table
from fastcollapse.errors import InputError
from fastcollapse.simulation.experiment import Experiment
from fastcollapse.simulation.load_experiment import load_experiment
from fastcollapse.simulation.recorded_run import RecordedRun
from fastcollapse.theory.discrete.binomial_chain import exact_chain
from fastcollapse.theory.discrete.extinction_time import forgetting_quantile

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


def test_survival__is_within_bounds_and_chain_is_exact(replaced):
    got = discrete.survival(replaced, np.arange(31))
    assert got.lower is not None
    assert got.upper is not None
    assert (got.lower <= got.expected + 1e-12).all()
    assert (got.expected <= got.upper + 1e-12).all()
    # 31 dependent scores: 4.5 is passed by chance less than once in 4,000 runs.
    assert np.nanmax(np.abs(got.z)) < 4.5
    assert got.z[0] == 0
    assert got.mean[0] == 1


@pytest.mark.parametrize(("engine", "record"), [("symbols", "entropy"), ("spectrum", "support_size")])
def test_summary__of_a_run_without_numbers_of_live_symbols_has_no_rate_of_them(engine, record):
    run = {"n_generations": 3, "n_replicates": 2, "seed": 1, "record": [record]}
    results = simulate(Experiment.from_mapping({**REPLACE, "model": {"engine": engine}, "run": run}))
    assert "Simulated in 2.00 s: 3 generations x replicates a second\n" in report.summary(results, 2.0) + "\n"


def test_curve__score_is_distance_to_nearest_bound():
    values = np.array([[0.0, 4.0, 9.0], [2.0, 6.0, 11.0]])
    unknown = np.full(3, np.nan)
    lower, upper = np.full(3, 3.0), np.full(3, 7.0)
    got = curve_of(np.arange(3), values, lower, upper, unknown, np.full(3, True))
    assert got.z[0] < 0 == got.z[1] < got.z[2]
    # Two replicates, distance -2 and standard error 1: Student's law of one degree has the tail 0.1476.
    assert got.z[0] == pytest.approx(-1.0469, abs=1e-3)


def test_curve__has_no_score_without_deviation():
    values = np.ones((5, 1))
    got = curve_of(np.arange(1), values, None, None, np.array([1.1]), np.array([True]))
    assert np.isnan(got.z[0])


def test_heterozygosity__has_a_score_in_every_workflow(replaced, mixed):
    for results in (replaced, mixed):
        got = heterozygosity.heterozygosity(results, np.arange(31))
        assert np.isfinite(got.z).all()
        assert np.abs(got.z).max() < 4.5


def test_survival__has_no_bounds_with_real_data(mixed):
    got = discrete.survival(mixed, np.arange(31))
    assert got.lower is None
    assert np.isnan(got.z[1:]).all()


def test_extinction_time__quartiles_equal_quartiles_of_times(replaced):
    copies = extinction_times.copies_of(replaced)
    got = extinction_times.extinction_time(replaced, copies[30])
    assert got is not None
    chosen = np.abs(copies - copies[30]) <= 0.1 * copies[30]
    assert got.n_symbols == chosen.sum()
    times = np.sort(np.where(replaced.forgotten < 0, 10**6, replaced.forgotten)[:, chosen].ravel())
    expected = int(times[(times.size + 1) // 2 - 1])
    assert got.quartiles[1] == (expected if expected <= 30 else None)
    assert extinction_times.extinction_time(replaced, 10_000) is None


def test_summary__marks_medians_beyond_the_run(replaced):
    text = report.summary(replaced, elapsed=2.0)
    assert "> 30" in text
    assert "600 generations x replicates a second" in text
    lines = [line for line in text.splitlines() if line.startswith("  generation  symbols alive (%)")]
    assert len(lines) == 1


def test_summary__a_recipe_without_panels_of_its_own_has_the_extinction_times():
    def summary_of(**recipe):
        return report.summary(simulate(Experiment.from_mapping(REPLACE | {"recipe": {"title": "A title", **recipe}})))

    assert "median by theory" in summary_of()
    assert "median by theory" not in summary_of(panels=["survival"])


def test_summary__has_no_score_without_theory(mixed):
    text = report.summary(mixed)
    assert "no bounds" in text
    assert "- " in text
    # The column of z-scores is omitted where nothing has a score; the notes give the reason.
    assert "no score" not in text
    assert "symbols alive (%) is not compared (there are no bounds for this workflow)" in text
    header = next(line for line in text.splitlines() if line.startswith("  generation  symbols alive (%)"))
    assert header.split().count("z") == 1


def exact_median(c, n, last):
    """Return the first generation at which half of the symbols with c copies are extinct, by the exact chain."""
    lost = exact_chain(c / n, n, last)[0] >= 0.5
    return int(lost.argmax()) if lost.any() else None


@pytest.mark.usefixtures("one_blas_thread")
@pytest.mark.parametrize(("n", "c"), [(100, 1), (100, 10), (100, 50), (1000, 10), (1000, 50), (1000, 500)])
def test_median__equals_exact_chain_for_small_samples(n, c):
    expected = exact_median(c, n, 400)
    assert extinction_times.median_brackets(n, [np.array([c / n])], 400) == [(expected, expected)]
    # The exact median differs here from the limit 2c/ln 2 and from the median of the Poisson model.
    if c >= 10:
        assert expected != forgetting_quantile(c, 0.5)


@pytest.mark.usefixtures("one_blas_thread")
def test_median__golden_values():
    for n, c, expected in ((100, 10, 30), (1000, 50, 149), (1000, 100, 313)):
        assert extinction_times.median_brackets(n, [np.array([c / n])], 1000) == [(expected, expected)]


def test_median__is_within_bounds_for_larger_samples():
    n = 1200
    assert n > extinction_times.CHAIN_N
    for c in (12, 120):
        [(earliest, latest)] = extinction_times.median_brackets(n, [np.array([c / n])], 600)
        assert earliest <= exact_median(c, n, latest) <= latest
        assert latest < 1.2 * earliest
        # A range beyond the run has no entry; a range that ends beyond the run shows its beginning only.
        assert extinction_times.median_brackets(n, [np.array([c / n])], earliest - 1) == [(None, None)]
        assert extinction_times.median_brackets(n, [np.array([c / n])], latest - 1) == [(earliest, None)]


def test_median__bounds_coincide_for_large_corpus():
    groups = [np.array([c / 436_577]) for c in (1, 10, 100)]
    assert extinction_times.median_brackets(436_577, groups, 1000) == [(2, 2), (27, 27), (286, 286)]


def test_median__of_group_equals_median_of_mixture():
    n, group = 300, np.array([3, 4, 4, 20]) / 300
    lost = exact_chain(group, n, 200)[0].mean(axis=0)
    expected = int((lost >= 0.5).argmax())
    assert extinction_times.median_brackets(n, [group, group[:1]], 200)[0] == (expected, expected)
    assert expected != exact_median(group.mean() * n, n, 200)


def test_extinction_time__median_agrees_with_theory():
    # One comparison; 50 equal symbols of 20 copies, 100 replicates, chain against simulation.
    results = simulate(
        Experiment.from_mapping(
            {
                "truth": {"uniform": 50},
                "workflow": {"name": "replace", "n_samples": 1000},
                "run": {"n_generations": 90, "n_replicates": 200, "seed": 12},
            }
        )
    )
    got = extinction_times.extinction_time(results, 20)
    assert got.median[0] == got.median[1]
    forgotten = np.where(results.forgotten < 0, 91, results.forgotten)
    early, late = ((forgotten <= k).mean() for k in (got.median[0] - 1, got.median[0]))
    # 10,000 symbols, negatively correlated: a share has an error of at most 0.005, 4.5 of them.
    assert early - 0.0225 < 0.5 < late + 0.0225
    # Negative control: the same test rejects a median that is 10 % later.
    assert (forgotten <= round(got.median[0] * 1.1)).mean() > 0.5 + 0.0225
    # The limit law does not apply: 20 copies are 2 % of the tokens.
    assert got.law is None


def test_comparison__rejects_distorted_curve(replaced, monkeypatch):
    assert compare(replaced).agrees
    truth = heterozygosity._expected(replaced)
    monkeypatch.setattr(heterozygosity, "_expected", lambda results: truth * 0.98)
    compared = compare(RecordedRun(replaced.reader))  # a run is compared once
    text = str(compared)
    assert compared.agrees is False
    assert "DISAGREES" in text


def test_comparison__gives_reason_without_comparison():
    workflow = {"name": "replace", "n_samples": [200 + t for t in range(30)]}
    compared = compare(simulate(Experiment.from_mapping(REPLACE | {"workflow": workflow})))
    text = str(compared)
    assert compared.agrees
    assert "symbols alive (%): not compared (bounds need a constant n_samples)" in text
    assert "The simulation agrees with exact theory in 1 of 2 metrics (H); not compared: symbols alive (%):" in text
    one = {"n_generations": 30, "n_replicates": 1, "seed": 11}
    single = simulate(Experiment.from_mapping(REPLACE | {"workflow": workflow, "run": one}))
    compared = compare(single)
    text = str(compared)
    assert compared.agrees is None
    assert "0 of 2 metrics compared with exact theory; not compared: symbols alive (%), H:" in text
    assert "H: not compared (a score needs 2 replicates, here 1)" in text
    assert "agrees" not in text
    assert (compared.n_scored, compared.n_agreeing, compared.n_unscored) == (0, 0, len(compared.rows))


def test_comparison__prints_the_rule_of_a_skewed_law():
    mapping = {
        "model": {"family": "poisson"},
        "truth": {"rate": 0.1},
        "workflow": {"name": "replace", "n_samples": 10},
        "run": {"n_generations": 30, "n_replicates": 50, "seed": 1},
    }
    results = simulate(Experiment.from_mapping(mapping))
    compared = compare(results)
    text = report.comparison_text(results, compared)
    rule = "a score needs a mean over replicates of skewness at most 0.1, here 0.14 or more"
    assert f"rate: not compared ({rule})" in text
    assert f"rate has no score at some points: {rule}" in text
    assert "in 1 of 2 metrics (alive at 3 of 9 generations)" in text
    assert compared.reasons[rule] == 9


def test_comparison__rare_symbol_of_many_replicates_is_scored():
    """5,000 replicates of a symbol of probability 0.01: heterozygosity has a score in every generation."""
    results = simulate(load_experiment("bernoulli-forgetting"))
    got = heterozygosity.heterozygosity(results, np.arange(51))
    assert np.isfinite(got.z).all()
    # 50 dependent scores: 4.5 is passed by chance once in 4,000 runs.
    assert np.abs(got.z).max() < 4.5
    # Negative control: the same replicates disagree with a theory that is 15 % too large.
    wrong = effective_scores(results, 1.15)
    assert np.abs(wrong).max() > 5
    compared = compare(results)
    text = str(compared)
    assert compared.agrees
    assert "agrees with exact theory in 2 of 2 metrics (symbols alive (%), H):" in text


def effective_scores(results, factor):
    """Return the scores of heterozygosity against its expectation times a factor."""
    generations = np.arange(1, 51)
    expected = factor * heterozygosity._expected(results)[generations]
    values = results.metrics["heterozygosity"][:, generations]
    return curve_of(generations, values, None, None, expected, np.full(50, True)).z


def test_comparison__bounds_that_hold_are_no_agreement():
    results = simulate(load_experiment("sur-gmm").cases()[0].with_values({"run.n_replicates": 20}))
    compared = compare(results)
    text = str(compared)
    assert compared.agrees is None
    assert "0 of 1 metric compared with exact theory; compared with bounds alone: above:" in text
    assert "10 generations compared with bounds alone, 10 within them" in text
    assert "standard errors outside" not in text
    assert "agrees" not in text


def test_agreement__the_truth_itself_is_no_comparison(replaced):
    [survival, _] = agreement_of(replaced)
    curve = discrete.survival(replaced, np.arange(31))
    assert curve.z[0] == 0
    assert not curve.is_compared[0]
    assert survival.n_scores == curve.is_compared[log_spaced_generations(30, 10)].sum()


def test_verdict__names_metrics_and_cases():
    def agreement(name, n_scores, disagrees=(), n_bounded=0):
        return Agreement(name, n_scores, (1.0, "generation 1"), disagrees, n_bounded=n_bounded)

    both = [agreement("a", 3), agreement("b", 0), agreement("a", 0), agreement("b", 0), agreement("c", 0, n_bounded=2)]
    assert verdict(both) == (
        "the simulation agrees with exact theory in 1 of 3 metrics (a in 1 of 2 cases); compared with bounds alone: c; "
        "not compared: b"
    )
    assert verdict([agreement("a", 3, ("generation 1",)), agreement("b", 1)]) == (
        "the simulation disagrees with theory in a; 2 of 2 metrics compared with exact theory"
    )


def test_share__close_bounds_stand_for_the_exact_value():
    events = np.arange(100)[:, None] < 50
    close, wide = (
        share_of(np.arange(1), events, (np.array([0.5 - w]), np.array([0.5 + w])), None) for w in (1e-4, 0.1)
    )
    assert close.is_compared.all()
    assert wide.is_within_bounds.all()
    assert not wide.is_compared.any()


def test_share__impossible_events_disagree():
    """Theory without the event, and one replicate of 100 with it; a rare event of that theory has no score."""
    events = np.arange(100)[:, None] < 1
    for exact, known in ((0.0, True), (1e-10, True), (1e-3, False)):
        got = share_of(np.arange(1), events, None, np.array([exact]))
        assert bool(np.isfinite(got.z[0])) == known
        if known:
            assert got.z[0] > Z_LIMIT


def test_comparison__names_workflow_without_bounds(mixed):
    text = str(compare(mixed))
    assert "symbols alive (%): not compared (there are no bounds for this workflow)" in text


def test_heterozygosity__no_score_for_few_replicates_of_skewed_law():
    """Two equal symbols: with 5 replicates, |z| > 4 in one run of 16. No score is given below 100 replicates."""
    mapping = REPLACE | {"truth": {"probabilities": [0.5, 0.5]}}
    for n_replicates, known in ((50, False), (150, True)):
        run = {"n_generations": 10, "n_replicates": n_replicates, "seed": 11}
        results = simulate(Experiment.from_mapping(mapping | {"run": run}))
        got = heterozygosity.heterozygosity(results, np.arange(11))
        assert np.isfinite(got.z[1:]).all() == known
        assert np.isfinite(got.z[1:]).any() == known


def test_comparison__correct_runs_of_few_symbols_agree():
    # 400 runs of 10 replicates; the measured rate beyond the limit is 1 of 30,000, so one at most.
    # Negative control: without the rule for skewed laws about 8 of these are beyond the limit.
    mapping = REPLACE | {
        "truth": {"uniform": 2},
        "run": {"n_generations": 30, "n_replicates": 4000, "seed": 4},
    }
    whole = simulate(Experiment.from_mapping(mapping))
    generations = log_spaced_generations(30, 10)
    values = whole.metrics["heterozygosity"][:, generations].reshape(400, 10, -1)
    expected = heterozygosity._expected(whole)[generations]
    known = 10 * expected >= heterozygosity._DEGREES * (1 - expected)
    free = np.full(known.shape, True)
    for rule, few in ((known, True), (free, False)):
        z = [curve_of(generations, v, None, None, expected, rule.copy()).z for v in values]
        beyond = (np.abs(np.nan_to_num(z)) > Z_LIMIT).any(axis=1).sum()
        assert (beyond <= 1) == few


def test_describe__has_singular_nouns_and_counts_live_symbols():
    mapping = {
        "truth": {"probabilities": [0.5, 0.0, 0.5]},
        "workflow": {"name": "replace", "n_samples": 50},
        "run": {"n_generations": 1, "n_replicates": 1, "seed": 1},
    }
    text = report.summary(simulate(Experiment.from_mapping(mapping)))
    assert "1 generation x 1 replicate, seed 1" in text
    assert "Symbols alive, of 2" in text


def test_describe__names_the_maps_of_the_samples():
    mapping = {
        "model": {"family": "gaussian", "estimator": "mle"},
        "workflow": {"name": "replace", "n_samples": 10},
        "run": {"n_generations": 1, "n_replicates": 2, "seed": 1},
    }
    results = simulate(Experiment.from_mapping(mapping | {"sampling": {"verifier": {"centre": 1.0, "tau": 2.0}}}))
    assert "\n  sampling   verifier centre = 1, tau = 2\n" in report.describe(results)
    assert "sampling" not in report.describe(simulate(Experiment.from_mapping(mapping)))


def test_summary__formats_huge_samples():
    mapping = {
        "truth": {"probabilities": [0.01, 0.99]},
        "workflow": {"name": "replace", "n_samples": 10**15},
        "run": {"n_generations": 3, "n_replicates": 3, "seed": 1},
    }
    results = simulate(Experiment.from_mapping(mapping))
    assert "100.000" in report.summary(results)
    assert extinction_times.extinction_time(results, 10**13).median == (None, None)


def test_cache__is_freed_with_results(replaced):
    results = simulate(Experiment.from_mapping(REPLACE))
    assert schedule_of(results) is schedule_of(results)
    gone = weakref.ref(results)
    report.summary(results)
    del results
    gc.collect()
    assert gone() is None


def test_truth__refuses_single_live_symbol():
    """A corpus of one repeated word never changes."""
    with pytest.raises(InputError, match=r"truth.probabilities must have at least two entries above 0, got 1"):
        Experiment.from_mapping(REPLACE | {"truth": {"probabilities": [0.0, 1.0]}})


def test_table__columns_are_aligned():
    lines = table(["a", "long name"], [["1,000", "2"], ["3", "4"]]).splitlines()
    assert len({len(line) for line in lines}) == 1
