"""Progress of a sweep in scripts and notebooks."""

import pytest

from fastcollapse import run_sweep
from fastcollapse.sweeps.progress import shown_progress
from fastcollapse.sweeps.task_queue import Outcome
from tests.sweeps._example_sweeps import mapping


def test_progress__true_is_a_bar(tmp_path, capsys):
    sweep = mapping()
    run_sweep(sweep, tmp_path / "s", shard=(1, 2), progress=True)
    assert "3/3" in capsys.readouterr().err
    run_sweep(sweep, tmp_path / "s", progress=True)
    assert "6/6" in capsys.readouterr().err
    run_sweep(sweep, tmp_path / "s", progress=False)
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("given", [None, False])
def test_progress__none_shows_nothing(given, capsys):
    with shown_progress(given) as update:
        update(Outcome(3, failed=1))
    assert capsys.readouterr().err == ""


def test_progress__names_failed_points(capsys):
    with shown_progress(True) as update:
        update(Outcome(3))
        update(Outcome(3, done=1, failed=1))
    text = capsys.readouterr().err
    assert "2/3" in text
    assert "failed=1" in text
