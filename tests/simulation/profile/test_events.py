"""Variance, tails, modes and invented data on curves written by hand, with negative controls."""

import numpy as np
import pytest

from tests.simulation.profile._hand_made import hand_made, profile

REPLACE = {"name": "replace", "n_samples": 10}


def of_gaussian(trace_ratio, workflow=None, **keys):
    return profile(hand_made("gaussian", {"trace_ratio": trace_ratio}, workflow), **keys)["variance"]


def test_variance__holds_where_half_of_the_replicates_are_near_zero():
    values = np.tile(0.1 ** np.arange(5.0), (4, 1))
    values[3] = 1.0
    found = of_gaussian(values)
    assert (found.holds, found.generation, found.value) == ("yes", 2, pytest.approx(1e-4))
    assert "in 3 of 4 replicates (75 +- 22 %)" in found.note
    values[1:] = 1.0
    assert (of_gaussian(values).holds, of_gaussian(values).generation) == ("no", None)


def test_variance__a_mean_that_stays_does_not_hide_the_collapse():
    """One replicate of ten carries the whole mean, as in the unbiased Gaussian chain."""
    values = np.tile([1.0, 0.1, 0.001], (10, 1))
    values[0] = [1.0, 9.1, 9.991]
    assert values.mean(axis=0) == pytest.approx(1.0, abs=0.001)
    assert of_gaussian(values).generation == 2


def test_variance__rate_of_the_logarithm():
    values = np.exp(-0.25 * np.arange(9.0)) * np.ones((3, 1))
    assert "its log changes by -0.25 +- " in of_gaussian(values).note


def test_variance__of_observed_generations_is_that_of_these():
    """Generations that are not observed are NaN in all replicates; one that is NaN in a replicate is not known."""
    values = np.exp(-0.25 * np.arange(41.0)) * np.ones((3, 1))
    every = of_gaussian(values)
    values[:, [3, 18, 20, 30]] = np.nan
    some = of_gaussian(values)
    assert (some.holds, some.generation, every.generation) == ("yes", 19, 19)
    assert "known at 37 of 41 generations; its log changes by -0.25 +- " in some.note
    for where in (np.s_[1, 7], np.s_[:, -1], np.s_[:, 0], np.s_[:, :]):
        damaged = values.copy()
        damaged[where] = np.nan
        assert of_gaussian(damaged).holds == "unknown"
        assert "it is not known in every generation" in of_gaussian(damaged).note


def test_variance__not_yet_where_a_theorem_says_zero():
    values = np.ones((3, 4))
    assert of_gaussian(values, REPLACE).holds == "not yet"
    found = of_gaussian(values, {"name": "accumulate", "n_samples": 10, "keep_real": True})
    assert found.holds == "no"
    assert "positive limit (gaussian_accumulate_limit)" in found.note


def test_variance__threshold_is_a_key():
    values = np.tile([1.0, 0.5, 0.25], (3, 1))
    assert of_gaussian(values, variance=0.3).generation == 2
    assert of_gaussian(values, variance=0.2).holds == "no"


def test_variance__of_other_metrics():
    run = hand_made("gaussian", {"log_sigma": np.log([[2.0, 0.1], [2.0, 0.1]])})
    assert profile(run)["variance"].value == pytest.approx(0.0025)
    found = profile(hand_made("poisson", {"rate": [[4.0, 2.0, 0.0], [4.0, 5.0, 0.0]]}))["variance"]
    assert (found.holds, found.generation) == ("yes", 2)
    assert "exactly 0 in 2 of 2 replicates" in found.note
    found = profile(hand_made("discrete", {"heterozygosity": [[0.8, 0.4]] * 2}, engine="symbols"))["variance"]
    assert found.value == 0.5
    assert found.quantity.endswith("over the true one")
    found = profile(hand_made("discrete", {"heterozygosity": np.zeros((2, 3))}, engine="symbols"))["variance"]
    assert (found.holds, found.value) == ("unknown", None)


def test_tails__lost_mass_and_lost_symbols():
    of = {"engine": "symbols"}
    run = hand_made("discrete", {"lost_mass": [[0, 0.01, 0.06], [0, 0.06, 0.07]]}, **of)
    found = profile(run)["tails"]
    assert (found.holds, found.generation, found.value) == ("yes", 1, pytest.approx(0.065))
    assert profile(run, tails=0.2)["tails"].holds == "no"
    found = profile(hand_made("discrete", {"support_size": [[10, 10, 5]]}, **of))["tails"]
    assert (found.generation, found.value, found.error) == (2, 0.5, None)
    assert found.note == "one replicate has no standard error"


def of_symbols(forgotten, engine="symbols", **keys):
    run = hand_made("discrete", {"support_size": np.ones((2, 6))}, engine=engine, forgotten=forgotten)
    return profile(run, **keys)["modes"]


def test_modes__are_lost_with_a_probable_symbol():
    # Symbol 0 has probability 0.5 and symbol 1 has 0.3; symbol 2, with 0.2, is no mode at half of 0.5.
    found = of_symbols(np.array([[-1, 4, 1], [-1, 2, 1]], np.int32))
    assert (found.holds, found.generation, found.value) == ("yes", 2, 0.5)
    assert "share of the 2 symbols" in found.quantity
    assert of_symbols(np.array([[-1, -1, 1], [-1, -1, 1]], np.int32)).holds == "no"
    assert of_symbols(np.array([[-1, -1, 1], [-1, -1, 1]], np.int32), modes=0.3).generation == 1


def test_modes__say_what_they_lack():
    assert of_symbols(None).note == "extinction times of symbols are known at the end of the run"
    assert "model.engine = 'symbols'" in of_symbols(None, "spectrum").note


def test_modes__of_a_mixture_merge():
    metrics = {"mu": [[2.0, 1.5, 0.5]] * 2, "log_sigma": np.zeros((2, 3))}
    found = profile(hand_made("mixture", metrics))["modes"]
    assert (found.holds, found.generation, found.value) == ("yes", 2, 0.5)
    metrics["mu"] = [[2.0, 1.5, 1.1]] * 2
    assert profile(hand_made("mixture", metrics))["modes"].holds == "no"
    metrics["mu"] = [[0.5, 1.5, 0.5]] * 2
    found = profile(hand_made("mixture", metrics))["modes"]
    assert (found.holds, found.generation) == ("unknown", None)
    assert found.note.startswith("the truth has fewer modes already")


def test_invented__never_by_construction():
    found = profile(hand_made("discrete", {"support_size": np.ones((2, 6))}, engine="symbols"))["invented"]
    assert (found.holds, found.note) == ("no", "never in this family: a symbol without true probability is never drawn")


def test_invented__of_a_family_with_a_metric(monkeypatch):
    from fastcollapse.models.gaussian.model import MODEL
    from fastcollapse.models.roles import Reading

    monkeypatch.setitem(MODEL.ROLES, "invented", (Reading(("squared_error",), "mass"),))
    run = hand_made("gaussian", {"squared_error": [[0.0, 0.005, 0.02]]})
    assert profile(run)["invented"].generation == 2
    assert profile(run, invented=0.1)["invented"].holds == "no"
