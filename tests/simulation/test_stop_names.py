"""Names in stop conditions: which are known, and when a name that is not is refused."""

import numpy as np
import pytest

from fastcollapse import Experiment, InputError, check, open_results, run_sweep, simulate
from fastcollapse.cli.main import main
from fastcollapse.errors import UnreadableResults
from fastcollapse.simulation.recorded_experiment import recorded_experiment
from fastcollapse.simulation.replay import replay
from fastcollapse.simulation.stop_names import check_stop
from fastcollapse.storage.hdf5_file import write_file
from fastcollapse.storage.layout import groups_of
from fastcollapse.storage.pack import run_arrays
from tests.test_conformance import assert_same, everything

MAPPING = {
    "truth": {"uniform": 5},
    "workflow": {"name": "replace", "n_samples": 10},
    "run": {"n_generations": 200, "n_replicates": 3, "seed": 3},
}
BUILT_IN = Experiment.from_mapping(MAPPING).with_values({"run.stop": "support_size == 1"})
STOPPED = BUILT_IN.with_values({"run.stop": "alive < 2"})
TOML = """
truth.uniform = 5
workflow = {name = "replace", n_samples = 10}
run = {n_generations = 200, n_replicates = 3, seed = 3, stop = "alive < 2"}
"""
ADVICE = r"got 'alive'.*; a metric of yours needs its function: simulate\(..., metrics=\{'alive': function\}\)"


def alive(state):
    return np.count_nonzero(state.probabilities)


def without_own(results):
    return [{name: values for name, values in one.items() if name != "metric alive"} for one in everything(results)]


@pytest.mark.parametrize("settings", [{}, {"block": 1}, {"block": 7}])
def test_run__is_ended_by_a_metric_of_the_user(tmp_path, settings):
    expected = simulate(BUILT_IN)
    for path in (None, tmp_path / "out.h5"):
        results = simulate(STOPPED, path, metrics={"alive": alive}, **settings)
        np.testing.assert_array_equal(results.first_passage, expected.first_passage)
        np.testing.assert_array_equal(results.metrics["alive"], expected.metrics["support_size"])
        assert_same(without_own(results), everything(expected))
    assert "First generation with alive < 2" in results.summary()
    assert "alive" in str(results.compare())
    assert replay(open_results(tmp_path / "out.h5"), metrics={"alive": alive}).identical


@pytest.mark.parametrize("block", [1, 7, 200])
def test_function__is_called_once_for_each_state(block):
    called = []

    def counted(state):
        called.append((state.replicate, state.generation))
        return alive(state)

    results = simulate(STOPPED, metrics={"alive": counted}, block=block)
    assert len(called) == len(set(called))
    assert {(r, t) for r in range(3) for t in range(results.last + 1)} <= set(called)


def test_hint__names_a_similar_metric_only():
    for name, hint in (("top", ""), ("entrop", " (did you mean 'entropy'?)")):
        with pytest.raises(InputError) as caught:
            simulate(BUILT_IN.with_values({"run.stop": f"{name} < 1"}))
        assert f"got {name!r}{hint};" in str(caught.value)


def test_run__is_resumed_returned_and_extended_with_its_functions(tmp_path):
    path, metrics = tmp_path / "out.h5", {"alive": alive}
    assert simulate(STOPPED, path, metrics=metrics, block=2, on_block=lambda _: True).last == 2
    with pytest.raises(InputError, match=r"has the metrics of the user alive, got none: give metrics="):
        simulate(STOPPED, path, resume=True)
    assert_same(
        everything(simulate(STOPPED, path, resume=True, metrics=metrics)),
        everything(run := simulate(STOPPED, metrics=metrics)),
    )
    assert simulate(STOPPED, path).first_passage.tolist() == run.first_passage.tolist()  # finished: it has the numbers
    more = STOPPED.with_values({"run.n_replicates": 5})
    with pytest.raises(InputError, match=r"has the metrics of the user alive, got none: give metrics="):
        simulate(more, path, resume=True)
    with pytest.warns(UserWarning, match="is computed again from generation 0"):
        got = simulate(more, path, resume=True, metrics=metrics)
    assert_same(everything(got), everything(simulate(more, metrics=metrics)))


def test_run__that_was_too_short_is_extended_until_the_condition(tmp_path):
    path, metrics = tmp_path / "out.h5", {"alive": alive}
    short = STOPPED.with_values({"run.n_generations": 12})
    assert simulate(short, path, metrics=metrics).first_passage.tolist() == [-1, -1, 8]
    got = simulate(STOPPED, path, resume=True, metrics=metrics)
    assert_same(everything(got), everything(simulate(STOPPED, metrics=metrics)))


@pytest.mark.parametrize("block", [1, 7, 200])
def test_run__ends_before_its_metric_fails(tmp_path, block):
    """The bits do not depend on the length of a block, although later generations of it fail."""

    def failing(state):
        if state.generation > 25:
            raise ValueError("late")
        return alive(state)

    results = simulate(STOPPED, tmp_path / "out.h5", metrics={"alive": failing}, block=block)
    assert (results.last, results.finished) == (25, True)
    assert_same(without_own(results), everything(simulate(BUILT_IN)))


def test_name__without_a_function_is_refused_before_anything_is_written(tmp_path, capsys):
    file, path = tmp_path / "own.toml", tmp_path / "out.h5"
    file.write_text(TOML)
    sweep = {**STOPPED.to_mapping(), "sweep": {"grid": {"workflow.n_samples": [5, 6]}}}
    for call in (
        lambda: simulate(STOPPED, path),
        lambda: simulate(STOPPED, path, metrics={"other": alive}),
        lambda: simulate(STOPPED, path, overwrite=True),
        lambda: simulate(file),
        lambda: check(file),
        lambda: run_sweep(sweep, tmp_path / "sweep"),
    ):
        with pytest.raises(InputError, match="^run.stop must have metrics of support_size, .*" + ADVICE):
            call()
    for arguments in (["run", str(file), "-o", str(path)], ["check", str(file)]):
        with pytest.raises(SystemExit, match="2"):
            main(arguments)
        assert "error: run.stop must have metrics of" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == [file]


def test_name__is_known_where_it_is_recorded(tmp_path, capsys):
    path = tmp_path / "out.h5"
    results = simulate(STOPPED, path, metrics={"alive": alive})
    check_stop(results.experiment, results.user_metrics)
    with pytest.raises(InputError, match=ADVICE):
        check_stop(results.experiment)
    with pytest.raises(InputError, match=r"cannot be replayed without alive, a metric of the user in run.stop: give"):
        replay(open_results(path))
    capsys.readouterr()
    for command, status in (("info", 0), ("compare", 0), ("check", 0), ("replay", 2)):
        with pytest.raises(SystemExit, match=str(status)):
            main([command, str(path)])
    assert "a metric of the user in run.stop" in capsys.readouterr().err


def test_file__without_the_metric_of_its_condition_is_refused(tmp_path):
    results = simulate(STOPPED, metrics={"alive": alive})
    header = results.reader.header
    header.metrics.pop("alive")
    write_file(tmp_path / "a.h5", run_arrays(results.reader, dims=True), groups_of(header, results.reader.blocks))
    with pytest.raises(UnreadableResults, match=r"run\.stop must have metrics of"):
        recorded_experiment(open_results(tmp_path / "a.h5").reader.header, "a.h5")


@pytest.mark.parametrize("given", [3, [alive], "alive"])
def test_metrics__that_are_no_mapping_are_refused(given):
    with pytest.raises(InputError, match="metrics must be a mapping of names to functions of a state, got"):
        simulate(STOPPED, metrics=given)
