"""Profiles as a whole: all definitions, the risk that a user names, runs with few metrics, refusals."""

from pathlib import Path

import numpy as np
import pytest

from fastcollapse import open_results, simulate
from fastcollapse.errors import InputError
from fastcollapse.models.registry import register, unregister
from fastcollapse.simulation.experiment import Experiment
from fastcollapse.simulation.profile.definitions import DEFINITIONS
from tests.simulation.profile._hand_made import hand_made, profile

DATA = Path(__file__).parents[2] / "data" / "version_0_1"
KEYS = [definition.key for definition in DEFINITIONS]
EXPERIMENT = Experiment.from_mapping(
    {
        "model": {"family": "poisson"},
        "truth": {"rate": 3.0},
        "workflow": {"name": "replace", "n_samples": 20},
        "run": {"n_generations": 12, "n_replicates": 60, "seed": 4},
    }
)


def test_definitions__are_eight_and_all_are_evaluated():
    assert len(set(KEYS)) == 8
    assert list(profile(hand_made("poisson", {"rate": np.ones((2, 3))}))) == KEYS


def test_profile__memory_and_file_agree(tmp_path):
    memory = simulate(EXPERIMENT).profile()
    assert simulate(EXPERIMENT, tmp_path / "out.h5").profile() == memory
    assert open_results(tmp_path / "out.h5").profile() == memory
    found = {finding.key: finding for finding in memory}
    # The risk grows as t: 12 times that of generation 1, and by theorem without bound.
    assert found["increase"].holds == found["unbounded"].holds == "yes"
    assert found["unbounded"].value == pytest.approx(1, abs=5 * found["unbounded"].error)
    assert found["variance"].holds == "not yet"


@pytest.mark.parametrize("name", ["stopped-discrete", "stopped-gaussian"])
def test_profile__of_a_stopped_run(name):
    results = open_results(DATA / f"{name}.h5")
    assert not results.finished
    found = {finding.key: finding for finding in results.profile()}
    assert list(found) == KEYS
    if name == "stopped-discrete":
        assert found["modes"].note == "extinction times of symbols are known at the end of the run"


def test_profile__a_run_without_metrics_says_so():
    run = hand_made("discrete", {"entropy": np.ones((2, 4))}, engine="spectrum")
    notes = {finding.key: (finding.holds, finding.note) for finding in profile(run).values()}
    assert notes["increase"] == ("unknown", "run.record must have kl_divergence or total_variation")
    assert notes["variance"] == ("unknown", "run.record must have heterozygosity")
    assert notes["tails"] == ("unknown", "run.record must have lost_mass or support_size")
    assert all("\n" not in note for _, note in notes.values())


def test_profile__a_named_risk_is_taken():
    run = hand_made("gaussian", {"kl_divergence": np.ones((2, 4)), "squared_error": np.ones((2, 4)) * [0, 1, 2, 3]})
    assert "KL" in profile(run)["increase"].quantity
    found = profile(run, risk="squared_error")["increase"]
    assert "squared error of the mean" in found.quantity
    assert (found.holds, found.generation, found.value) == ("yes", 2, 2.0)


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"risk": "kl"}, "risk must be a recorded metric without further dimensions, one of kl_divergence, got 'kl'"),
        ({"catastrophic": 1}, "catastrophic must be above 1, got 1"),
        ({"variance": 2}, "variance must be at most 1, got 2"),
        ({"baseline": 1.5}, "baseline must be a whole number"),
        ({"z": float("nan")}, "z must be a finite number"),
        ({"tail": 0.1}, r"tail is not a known key, .*did you mean 'tails'"),
    ],
)
def test_profile__bad_keys_are_refused(keys, message):
    with pytest.raises(InputError, match=message):
        profile(hand_made("gaussian", {"kl_divergence": np.ones((2, 4))}), **keys)


def test_profile__needs_a_finished_generation():
    with pytest.raises(InputError, match="a profile must have at least one finished generation, got none"):
        profile(hand_made("gaussian", {"kl_divergence": np.ones((2, 1))}))


def test_profile__of_a_family_without_roles():
    register(Path(__file__).parents[2] / "toy_family")
    try:
        experiment = Experiment.from_mapping(
            {
                "model": {"family": "toy_family"},
                "truth": {},
                "workflow": {"name": "replace", "n_samples": 10},
                "run": {"n_generations": 5, "n_replicates": 8, "seed": 1},
            }
        )
        results = simulate(experiment)
        found = {finding.key: finding for finding in results.profile()}
        assert {finding.holds for finding in found.values()} == {"unknown"}
        assert found["increase"].note == "the toy_family family names no metric of risk"
        found = {finding.key: finding for finding in results.profile(risk="nll")}
        assert "negative log-likelihood" in found["increase"].quantity
    finally:
        unregister("toy_family")
