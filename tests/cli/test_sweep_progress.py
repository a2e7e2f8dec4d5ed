"""Progress messages of a sweep in a log file."""

from pathlib import Path

from fastcollapse.cli import sweep_progress as progress_module
from fastcollapse.sweeps.task_queue import Outcome


def test_progress__prints_remaining_time(monkeypatch, capsys):
    monkeypatch.setattr(progress_module, "_LINE_SECONDS", 0.0)
    times = iter([0.0, 1.0, 3.0])
    monkeypatch.setattr(progress_module.time, "monotonic", lambda: next(times))
    with progress_module.sweep_progress(Path("s")) as show:
        show(Outcome(total=10, done=1))
        show(Outcome(total=10, done=2, failed=1))
    expected = "1 of 10 tasks\n3 of 10 tasks, 1 failed, about 8 s left\n"
    assert capsys.readouterr().err == expected


def test_progress__counts_tasks_of_earlier_calls(monkeypatch, capsys):
    monkeypatch.setattr(progress_module, "_LINE_SECONDS", 0.0)
    times = iter([0.0, 1.0, 3.0])
    monkeypatch.setattr(progress_module.time, "monotonic", lambda: next(times))
    with progress_module.sweep_progress(Path("s")) as show:
        show(Outcome(total=10, earlier=4, done=1))
        show(Outcome(total=10, earlier=4, done=2, failed=1))
    expected = "5 of 10 tasks\n7 of 10 tasks, 1 failed, about 4 s left\n"
    assert capsys.readouterr().err == expected


def test_progress__prints_nothing_before_the_first_task(capsys):
    with progress_module.sweep_progress(Path("s")) as show:
        show(Outcome(total=10))
    assert capsys.readouterr().err == ""
