"""Progress of runs in scripts and notebooks."""

import pytest

from fastcollapse import Experiment, replay, simulate
from fastcollapse.api.progress import progress_bar

EXPERIMENT = Experiment.from_mapping(
    {
        "truth": {"uniform": 5},
        "workflow": {"name": "replace", "n_samples": 10},
        "run": {"n_generations": 6, "n_replicates": 2, "seed": 1},
    }
)


def test_progress__true_is_a_bar(capsys):
    simulate(EXPERIMENT, progress=True)
    assert "6/6" in capsys.readouterr().err
    results = simulate(EXPERIMENT, progress=False)
    assert capsys.readouterr().err == ""
    assert replay(results, progress=True).identical
    assert "6/6" in capsys.readouterr().err


def test_progress__of_a_finished_run_is_no_bar(tmp_path, capsys):
    for expected in (True, False):
        simulate(EXPERIMENT, tmp_path / "a.h5", progress=True)
        assert ("6/6" in capsys.readouterr().err) == expected


@pytest.mark.parametrize("given", [None, False])
def test_progress__none_is_no_callback(given):
    with progress_bar(given, 3) as advance:
        assert advance is None


def test_progress__counts_all_steps_of_an_extension(tmp_path):
    calls = []
    simulate(EXPERIMENT, tmp_path / "a.h5", progress=calls.append)
    longer = EXPERIMENT.with_values({"run.n_generations": 9, "run.n_replicates": 3})
    simulate(longer, tmp_path / "a.h5", resume=True, progress=calls.append)
    assert sum(calls) == 6 + 3 + 9
