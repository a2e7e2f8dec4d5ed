"""The profile as text."""

from fastcollapse import simulate
from fastcollapse.analysis.profile_text import profile_text
from fastcollapse.simulation.experiment import Experiment
from fastcollapse.simulation.profile.definitions import DEFINITIONS


def test_profile_text__has_a_row_and_the_evidence_of_each_definition():
    experiment = Experiment.from_mapping(
        {
            "model": {"family": "poisson"},
            "truth": {"rate": 3.0},
            "workflow": {"name": "replace", "n_samples": 20},
            "run": {"n_generations": 12, "n_replicates": 60, "seed": 4},
        }
    )
    results = simulate(experiment)
    text = profile_text(results, results.profile(catastrophic=4))
    assert "collapse after arXiv:2503.03150; the thresholds are choices of this project\n  definition " in text
    for definition in DEFINITIONS:
        assert f"\n  {definition.name}  " in text
        assert f"\n  {definition.name}: " in text
    assert "above 4 times that of generation 1" in text
    assert max(map(len, text.splitlines())) <= 120
