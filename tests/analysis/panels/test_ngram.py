"""Panels of n-gram models: exact means, one refit, whole sentences, and contexts with real data."""

import numpy as np
import pytest

from fastcollapse import simulate
from fastcollapse.analysis.panels import ngram_theory
from fastcollapse.analysis.panels.ngram import PANELS
from fastcollapse.analysis.panels.ngram_theory import contexts_of, expected_n_words, word_holders
from fastcollapse.analysis.panels.registry import panels_of
from fastcollapse.analysis.tables import tables_of
from fastcollapse.simulation.experiment import Experiment
from tests._corpora import holders_of

GENERATIONS = np.array([0, 1, 2, 4])
# About 150 scores in this file, far fewer independent ones.
Z_LIMIT = 5.0
# Six sentences, repeated in other orders of their words, so that contexts have several next words.
TEXT = "a b c. a c. b c a. c b. a b. d a. b a c d. c a b. a b c d. d c. b b a. e a b c."
MIX = {"name": "mix", "n_samples": "truth", "n_real": "truth"}


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    path = tmp_path_factory.mktemp("text") / "x.txt"
    path.write_text(TEXT.replace(".", " .\n"))

    def run(workflow=None, n_replicates=2000, n_generations=4, seed=3, sampling=None, text=path, **model):
        mapping = {
            "model": {"family": "ngram", "order": 2} | model,
            "truth": {"text": str(text)},
            "workflow": workflow or {"name": "replace", "n_samples": "truth"},
            "run": {"n_generations": n_generations, "n_replicates": n_replicates, "seed": seed},
        }
        return simulate(Experiment.from_mapping(mapping | ({"sampling": sampling} if sampling else {})))

    return run


def largest(panel):
    return np.nanmax(np.abs(panel.curve.z))


def rejects(panel, results, metric, scale=1.0):
    """Return whether the theory of a panel rejects the metric of another run at any generation after 0."""
    values = results.metrics[metric][:, GENERATIONS[1:]] / scale
    z = (values.mean(axis=0) - panel.curve.expected[1:]) / (values.std(axis=0) / np.sqrt(len(values)))
    return np.nanmax(np.abs(z)) > Z_LIMIT


@pytest.mark.parametrize(
    "workflow",
    [
        {"name": "replace", "n_samples": "truth"},
        {"name": "replace", "n_samples": [12, 20, 8, 12]},
        {"name": "accumulate", "n_samples": 10, "keep_real": True},
        {"name": "accumulate", "n_samples": 10, "keep_real": False},
        MIX | {"real": "fixed"},
        MIX | {"n_real": 5, "real": "fresh"},
    ],
)
def test_n_words__mean_is_kept_in_every_workflow(run, workflow):
    results = run(workflow, order=3)
    [panel] = panels_of(results, GENERATIONS, ["n_words"])
    curve = panel.curve
    # A score needs a small deviation; this test has many replicates.
    error = curve.sd[1:] / np.sqrt(results.n_replicates)
    assert np.abs((curve.mean - curve.expected)[1:] / error).max() < Z_LIMIT
    assert np.abs((curve.mean - 1.05 * curve.expected)[1:] / error).max() > Z_LIMIT


def test_n_words__has_score_where_deviation_is_small(run):
    [panel] = panels_of(run(MIX | {"real": "fixed"}, n_replicates=50), GENERATIONS, ["n_words"])
    assert panel.curve.is_compared.any()
    assert largest(panel) < Z_LIMIT
    [wide] = panels_of(run({"name": "replace", "n_samples": 2}, n_replicates=50), GENERATIONS, ["n_words"])
    assert not wide.curve.is_compared.any()
    assert "at most 20 %" in wide.curve.rule
    assert np.isnan(expected_n_words(run(n_replicates=1, budget="words"))[1:]).all()


def test_alive__one_refit_is_exact_and_references_have_no_score(run):
    # 3 scores.
    results = run(order=2)
    panels = panels_of(results, GENERATIONS, ["words", "cells", "contexts"])
    for panel in panels:
        assert panel.curve.is_compared.tolist() == [False, True, False, False]
        assert largest(panel) < Z_LIMIT
    kinds = [[line.kind for line in panel.lines] for panel in panels]
    assert kinds == [["reference", "reference"], [], []]
    assert "references, without scores" in tables_of(results)
    # Negative control: fixed totals, whose n-grams are not those of walks.
    n_cells = ngram_theory.totals(results)["cells"]
    assert rejects(panels[1], run(order=2, totals="fixed", seed=4), "n_cells", n_cells)
    assert not rejects(panels[1], run(order=2, seed=4), "n_cells", n_cells)


def test_alive__large_tables_have_poisson_values(run, monkeypatch):
    monkeypatch.setattr(ngram_theory, "_MOST_CONTEXTS", 2)
    results = run(n_replicates=20)
    for panel in panels_of(results, GENERATIONS, ["words", "cells"]):
        assert np.isnan(panel.curve.expected).all()
        assert np.isfinite(panel.asymptotic()).tolist() == [False, True, False, False]
    assert "repeats within a sentence ignored, not scored" in tables_of(results)


def test_alive__order_above_longest_sentence_is_exact_at_every_generation(run):
    # 9 scores, in both sizes of a generation; whole sentences are resampled.
    for workflow in ({"name": "replace", "n_samples": "truth"}, {"name": "replace", "n_samples": 30}):
        results = run(workflow, order=5)
        panels = panels_of(results, np.array([1, 2]), ["words", "cells", "contexts"])
        for panel in panels:
            assert panel.curve.lower is not None
            assert (np.abs(panel.curve.z) < Z_LIMIT).all()
            assert not any(line.kind == "reference" for line in panel.lines)
    other = run(order=2, seed=5).metrics["n_cells"][:, [1, 2]]
    z = (other.mean(axis=0) / other[0, 0] - panels[1].curve.upper) / (other.std(axis=0) / other[0, 0])
    assert np.abs(z * np.sqrt(len(other))).max() > Z_LIMIT


def test_alive__budget_of_words_has_references_alone(run):
    size = {"name": "replace", "n_samples": "truth"}
    words, cells = panels_of(run(size, order=5, budget="words", n_replicates=5), GENERATIONS, ["words", "cells"])
    assert [line.kind for line in words.lines] == ["reference", "reference"]
    assert cells.lines == ()
    for panel in (words, cells):
        assert np.isnan(panel.curve.expected).all()
        assert panel.curve.lower is None


def test_ratio__has_both_ends(run):
    results = run(n_replicates=50)
    [panel] = panels_of(results, GENERATIONS, ["words_over_sentences"])
    words, sentences = panel.lines
    assert (sentences.values == 1).all()
    assert "order 1" in words.label
    np.testing.assert_array_equal(word_holders(results), holders_of(results.truth))
    assert panels_of(run(MIX | {"real": "fixed"}, n_replicates=2), GENERATIONS, ["words_over_sentences"]) != [panel]


@pytest.mark.parametrize("real", ["none", "fixed", "fresh"])
@pytest.mark.parametrize("rho", [0.4, 1.0, 3.0])
def test_fixed_totals__distances_have_scores(run, real, rho):
    # 5 panels of 3 scores at most for each case.
    size = {"times_truth": rho}
    workflow = {"name": "replace", "n_samples": size} if real == "none" else MIX | {"n_samples": size, "real": real}
    results = run(workflow, totals="fixed")
    has_zero = (contexts_of(results).drawn == 0).any()
    names = ["heterozygosity", "squared_distance", "n_words", *(["words", "cells"] if real == "none" else [])]
    for panel in panels_of(results, GENERATIONS, names):
        if has_zero and real == "none" and panel.heading in ("H", "squared"):
            assert np.isnan(panel.curve.expected[1:]).all()
            continue
        # The number of words with fixed totals varies much in so small a text.
        assert panel.curve.is_compared[1:].all() or panel.heading == "words", panel.title
        assert largest(panel) < Z_LIMIT, panel.title
    if real != "none":
        # Negative control: the distances of the other kind of real data.
        other = run(workflow | {"real": "fresh" if real == "fixed" else "fixed"}, totals="fixed", seed=6)
        [panel] = panels_of(results, GENERATIONS, ["squared_distance"])
        assert rejects(panel, other, "squared_distance")


def test_fixed_totals__total_variation_of_small_contexts_is_exact(run):
    results = run(MIX | {"real": "fixed"}, totals="fixed")
    variation, noise = panels_of(results, GENERATIONS, ["total_variation", "synthetic_noise"])
    assert variation.curve.is_compared[1:].all()
    assert largest(variation) < Z_LIMIT
    assert largest(noise) < Z_LIMIT
    assert {line.kind for line in noise.lines} == {"limit", "bound"}
    assert noise.lines[0].values[0] <= noise.lines[1].values[0]
    fresh = run(MIX | {"real": "fresh"}, totals="fixed", n_replicates=5)
    [variation] = panels_of(fresh, GENERATIONS, ["total_variation"])
    assert np.isnan(variation.curve.expected).all()


def test_maps__have_no_theory(run):
    results = run(n_replicates=20, sampling={"temperature": 0.8})
    panels = panels_of(results, GENERATIONS)
    assert [panel.heading for panel in panels] == ["support_size", "n_cells", "entropy", "n_words"]
    assert all(np.isnan(panel.curve.expected).all() and not panel.lines for panel in panels)
    assert "there is no theory of maps" in tables_of(results)


def test_default__has_distances_with_fixed_totals_alone(run):
    assert [panel.heading for panel in panels_of(run(n_replicates=5), GENERATIONS)] == [
        "words alive (%)",
        "n-grams alive (%)",
        "entropy",
        "words",
    ]
    headings = [panel.heading for panel in panels_of(run(n_replicates=5, totals="fixed"), GENERATIONS)]
    assert headings == ["words alive (%)", "n-grams alive (%)", "H", "TV"]
    results = run(n_replicates=5)
    assert PANELS.throughput(results) == (results.metrics["n_words"][:, 1:].sum(), "words")
    assert PANELS.throughput(run(MIX | {"real": "fixed"}, n_replicates=5)) is None
    assert "12 sentences" in PANELS.describe_truth(results)


def test_synthetic_noise__needs_contexts_with_several_next_words(run, tmp_path):
    text = tmp_path / "y.txt"
    text.write_text("a b c\n")
    workflow = MIX | {"n_samples": {"times_truth": 2.0}, "real": "fixed"}
    panels = [
        panels_of(run(workflow, n_replicates=2, totals="fixed", **source), GENERATIONS, ["synthetic_noise"])
        for source in ({"text": text}, {})
    ]
    # Without a panel the metrics are shown as they are.
    assert [panels[0][0].is_metric, panels[1][0].is_metric] == [True, False]
