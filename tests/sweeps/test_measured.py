"""Seconds and memory of finished points: what workers note, and what the estimates take from it."""

import pytest

from fastcollapse.sweeps import needs as module
from fastcollapse.sweeps.folder import SweepFolder
from fastcollapse.sweeps.measured import MEASURED, Measured, note_measured, peak_memory, read_measured
from fastcollapse.sweeps.needs import Needs, estimate_needs
from fastcollapse.sweeps.run import run_sweep
from fastcollapse.sweeps.slurm import _needs_lines
from tests.sweeps._example_sweeps import small_sweep


@pytest.mark.parametrize("record", [["metrics"], ["metrics", "trajectory"]])
def test_measured__are_points_in_packs_and_with_files(tmp_path, record):
    run_sweep(small_sweep(run={"record": record}), tmp_path / "s", shard=(1, 2))
    found = read_measured(tmp_path / "s")
    assert set(found) == SweepFolder(tmp_path / "s").done() == {0, 2, 4}
    assert all(0 <= one.seconds < 600 and 10 << 20 < one.memory <= peak_memory() for one in found.values())


def test_file__that_is_damaged_or_missing_is_no_error(tmp_path):
    assert read_measured(tmp_path) == {}
    note_measured(tmp_path, [(1, Measured(1.0, 2))])  # there is no folder of claims
    (tmp_path / "claims").mkdir()
    good, lines = (5, Measured(0.25, 1 << 30)), ["", "[1]", "[1, 2, 3, 4]", "3", "{}", '["a", 1, 1]', "[1, NaN, 5]"]
    lines += ["[-1, 1, 1]", "[1, Infinity, 5]", "[1, -2, 5]", "[1, 2, 0]", "[1, 2, null]", "[true, 1, 1]", "[" * 9999]
    (tmp_path / "claims" / MEASURED).write_bytes("\n".join(lines).encode() + b"\n\xff\n")
    note_measured(tmp_path, [good])
    assert read_measured(tmp_path) == dict([good])


@pytest.mark.parametrize("gap", [b"", b"\0" * 9])
def test_file__with_torn_lines_has_only_whole_ones(tmp_path, gap):
    """Hosts that append over NFS may write at the same place: one line is over a part of another, or after a hole."""
    (tmp_path / "claims").mkdir()
    first, second = b"[1, 0.5, 160000000]\n", b"[22, 0.25, 150000000]\n"
    for n in range(1, len(second)):
        for text in (first + second[n:], second[:n] + gap + first, second[:n] + gap, gap + first):
            (tmp_path / "claims" / MEASURED).write_bytes(text + first)
            found = read_measured(tmp_path)
            assert found.items() <= {1: (0.5, 160_000_000), 22: (0.25, 150_000_000)}.items()


@pytest.mark.parametrize(("size", "n"), [(1000, 3), (0, 0)])
def test_memory__is_measured_where_points_of_the_size_are_finished(tmp_path, monkeypatch, size, n):
    """The points have equal sizes, or only the missing ones are large."""
    run_sweep(small_sweep(), tmp_path / "s", shard=(1, 2))
    folder = SweepFolder(tmp_path / "s")
    note_measured(folder.path, [(index, Measured(3.0, (100 + index) << 20)) for index in (0, 2, 4)])
    done = [folder.sweep[index].experiment for index in (0, 2, 4)]
    monkeypatch.setattr(module, "estimate_bytes", lambda experiment, truth: size if experiment in done else 1000)
    monkeypatch.setattr(module, "estimate_seconds", lambda experiment, threads: 3.0)
    found = estimate_needs(folder, [1, 3, 5])
    assert (found.memory, found.n_measured) == ((104 << 20, 3) if n else (1000, 0))
    assert (found.seconds, found.n_finished) == (3.0, 3)


def test_script__says_whether_its_memory_is_measured():
    common = {"n_units": 1, "n_ranges": 1, "memory": "256M"}
    measured = _needs_lines(Needs(1.0, 1.0, 2, 0, 100 << 20, 2), **common)[0]
    assert "100 MB measured at 2 finished points of about the size of the largest, times 1.3" in measured
    assert "100 MB estimated for the largest point" in _needs_lines(Needs(1.0, 1.0, 2, 0, 100 << 20), **common)[0]
