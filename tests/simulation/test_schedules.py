"""Schedules of experiments whose rewards are in a file, and of recorded runs, which have the rewards themselves."""

import numpy as np
import pytest

from fastcollapse import open_results, simulate
from fastcollapse.errors import InputError
from fastcollapse.simulation.experiment import Experiment
from fastcollapse.simulation.replay import replay
from fastcollapse.simulation.schedules import schedule_of

REWARDS = (0.0, 0.5, 1.0)


@pytest.fixture
def experiment(tmp_path):
    """Return an experiment with a file of rewards in its folder, which is not the current one."""
    (tmp_path / "rewards.csv").write_text("\n".join(map(str, REWARDS)))
    sections = {
        "truth": {"uniform": 3},
        "workflow": {"name": "replace", "n_samples": 20},
        "sampling": {"best_of": {"k": 2, "reward": "rewards.csv", "rule": "soft"}},
        "run": {"n_generations": 4, "n_replicates": 3, "seed": 1},
    }
    return Experiment.from_mapping(sections, base=tmp_path)


def test_schedule__of_a_recorded_run_needs_no_file_of_rewards(experiment, tmp_path):
    results = [simulate(experiment), simulate(experiment, tmp_path / "run.h5"), open_results(tmp_path / "run.h5")]
    (tmp_path / "rewards.csv").unlink()
    for one in results:
        np.testing.assert_array_equal(one.rewards, REWARDS)
        schedule = schedule_of(one.experiment, None, one.reader.header)
        np.testing.assert_array_equal(schedule.sampling.best_of.reward, REWARDS)
        assert schedule.inputs == one.inputs
        assert not replay(one).different
    # Negative control: without the results the file is read.
    with pytest.raises(InputError, match=r"sampling.best_of.reward must be a file, got 'rewards.csv': no such file"):
        schedule_of(experiment, None)


def test_rewards__are_recorded_only_where_they_are_read_from_a_file(experiment):
    values = {"sampling.best_of.reward": list(REWARDS)}
    assert simulate(experiment.with_values(values)).rewards is None
    assert simulate(experiment.with_values({"sampling.best_of": None})).rewards is None
