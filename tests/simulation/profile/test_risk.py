"""Increase of risk on curves written by hand: where a definition holds, and where it does not."""

import numpy as np
import pytest

from fastcollapse.simulation.profile.risk import last_half
from tests.simulation.profile._hand_made import hand_made, profile

REPLACE = {"name": "replace", "n_samples": 10}
ACCUMULATE = {"name": "accumulate", "n_samples": 10, "keep_real": True}


def noisy(curve, n_replicates=200, seed=1):
    """Return replicates whose values have a gamma law about a curve, as a squared error with 8 degrees has."""
    rng = np.random.default_rng(seed)
    return np.asarray(curve, float) * rng.gamma(4, 1 / 4, (n_replicates, len(curve)))


def of_risk(values, workflow=None, **keys):
    return profile(hand_made("gaussian", {"kl_divergence": values}, workflow), **keys)


def test_increase__holds_from_the_first_significant_generation():
    # The mean doubles at generation 3, with a deviation of half of it: z is about 10.
    found = of_risk(noisy([0, 1, 1, 2, 2, 2]))["increase"]
    assert (found.holds, found.generation) == ("yes", 3)
    assert found.value == pytest.approx(1.0, abs=5 * found.error)
    assert "KL(state || truth) minus that at generation 1" in found.quantity


def test_increase__a_stationary_risk_shows_none():
    """Negative control: 40 stationary curves of 50 generations."""
    holds = {of_risk(noisy([0, *[1.0] * 50], seed=seed))["increase"].holds for seed in range(40)}
    assert holds == {"not shown"}
    # With a limit of one standard error the same curves are taken for an increase.
    assert of_risk(noisy([0, *[1.0] * 50]), z=1)["increase"].holds == "yes"


def test_increase__is_paired_over_replicates():
    offset = np.random.default_rng(2).exponential(100, (30, 1))
    values = offset + np.array([0.0, 0.0, 1.0]) + np.random.default_rng(3).normal(0, 0.1, (30, 3))
    assert of_risk(values)["increase"].holds == "yes"
    # The same values in another order of replicates at the end are not paired.
    values[:, 2] = values[::-1, 2]
    assert of_risk(values)["increase"].holds == "not shown"


def test_increase__generations_in_several_parts(monkeypatch):
    values = noisy([0, 1, 1, 2, 2, 2])
    expected = of_risk(values)
    monkeypatch.setattr("fastcollapse.simulation.profile.risk._CHUNK_VALUES", 400)
    assert of_risk(values) == expected


def test_risk__is_compared_where_it_is_known():
    """A likelihood may be taken at some generations only, and is NaN for all replicates at the others."""
    values = noisy(np.arange(41.0))
    values[:, np.setdiff1d(np.arange(41), [0, 1, 2, 5, 10, 20, 25, 32, 40])] = np.nan
    found = of_risk(values, ACCUMULATE)
    assert found["increase"].holds == "yes"
    assert found["increase"].note.endswith("7 generations compared")
    assert found["unbounded"].value == pytest.approx(1.0, abs=4 * found["unbounded"].error)
    assert found["unbounded"].quantity.endswith("t = 20 to 40")
    stationary = noisy([0, *[1.0] * 40])
    stationary[:, 3:40] = np.nan
    assert "of 2 generations" in of_risk(stationary)["increase"].note
    assert "an exponent needs 4 generations" in of_risk(stationary)["unbounded"].note


def test_increase__a_falling_risk_is_refuted():
    found = of_risk(noisy([0, 4, 2, 1]))["increase"]
    assert (found.holds, found.generation) == ("no", None)


def test_catastrophic__holds_by_the_factor():
    values = noisy([0, 1, 2, 8, 16, 32])
    found = of_risk(values)["catastrophic"]
    assert (found.holds, found.generation) == ("yes", 4)
    assert found.value == pytest.approx(32, rel=5 * found.error / 32)
    assert 0 < found.error < 4
    assert of_risk(values, catastrophic=100)["catastrophic"].holds == "no"
    assert of_risk(values, catastrophic=4)["catastrophic"].generation == 3
    assert "above 100 times that of generation 1" in of_risk(values, catastrophic=100)["catastrophic"].definition


def test_catastrophic__a_start_without_risk_has_no_ratio():
    found = of_risk(noisy([0, 1, 2, 8]), baseline=0)
    assert found["catastrophic"].holds == "unknown"
    assert "must be above 0, got 0" in found["catastrophic"].note
    assert (found["increase"].holds, found["increase"].generation) == ("yes", 1)


def test_risk__one_replicate_has_no_standard_error():
    found = of_risk(noisy([0, 1, 50, 100, 200, 300, 400, 500, 600], 1))
    for key in ("catastrophic", "increase"):
        assert found[key].holds == "unknown"
        assert "one replicate has no standard error" in found[key].note
        assert found[key].value > 1
        assert found[key].error is None
    assert found["unbounded"].error is None


def test_risk__infinite_in_most_replicates_is_an_increase():
    values = noisy([0, 1, 1, 1], 10)
    values[:7, 2:] = np.inf
    found = of_risk(values)
    assert (found["catastrophic"].holds, found["catastrophic"].generation) == ("yes", 2)
    assert "infinite in 7 of 10 replicates" in found["increase"].note
    values[3:, 2:] = 1.0
    assert of_risk(values)["increase"].holds == "not shown"


def test_risk__infinite_at_the_baseline_takes_the_next_metric():
    infinite, finite = np.full((5, 4), np.inf), noisy([0, 1, 1, 1], 5)
    run = hand_made("gaussian", {"kl_divergence": infinite, "squared_error": finite})
    assert "squared error of the mean" in profile(run)["increase"].quantity
    found = profile(hand_made("gaussian", {"kl_divergence": infinite}))["increase"]
    assert (found.holds, found.note) == ("unknown", "at generation 1 it is not finite: KL(state || truth)")


def test_risk__needs_a_generation_after_the_baseline():
    found = of_risk(noisy([0, 1]))["increase"]
    assert (found.holds, found.note) == ("unknown", "no generation is finished after generation 1, the baseline")


def test_unbounded__exponent_of_a_power_law():
    t = np.arange(101)
    found = of_risk(noisy(t**1.5))["unbounded"]
    assert found.holds == "undecided"
    assert found.value == pytest.approx(1.5, abs=5 * found.error)
    assert "it grows significantly so far; a finite run cannot prove it" in found.note
    flat = of_risk(noisy(np.minimum(t, 1)))["unbounded"]
    assert flat.value == pytest.approx(0, abs=5 * flat.error)
    assert "no significant growth so far" in flat.note


def test_unbounded__a_theorem_decides():
    t = np.arange(31)
    found = of_risk(noisy(t), REPLACE)["unbounded"]
    assert (found.holds, found.generation) == ("yes", None)
    assert "log_sigma_mean" in found.note
    found = of_risk(noisy(np.append(0, np.cumsum(1 / t[1:] ** 2))), ACCUMULATE)["unbounded"]
    assert found.holds == "no"
    assert "at most pi^2/6" in found.note


def test_unbounded__a_bounded_metric_never_is():
    run = hand_made("discrete", {"total_variation": noisy(np.arange(20) / 40)}, REPLACE, engine="symbols")
    found = profile(run)["unbounded"]
    assert found.holds == "no"
    assert found.note.startswith("never: it is at most 1")


def test_unbounded__a_short_run_has_no_exponent():
    found = of_risk(noisy([0, 1, 2, 3]))["unbounded"]
    assert (found.holds, found.value) == ("undecided", None)
    assert "an exponent needs 4 generations" in found.note


@pytest.mark.parametrize("last", [1, 2, 7, 8, 1000])
def test_last_half__is_within_the_run(last):
    generations = last_half(1, last)
    assert generations[-1] == last
    assert generations[0] >= max(1, last // 2)
    assert len(generations) <= 16
