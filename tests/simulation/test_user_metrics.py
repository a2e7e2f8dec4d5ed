"""Metrics of the user in every family: their numbers, their marks in the file, their errors, resume and replay."""

import os
import signal

import numpy as np
import pytest

from fastcollapse import Experiment, InputError, open_results, simulate
from fastcollapse.analysis.panels.registry import panels_of
from fastcollapse.cli.main import main
from fastcollapse.errors import UserCodeError
from fastcollapse.kernels.jit import max_threads
from fastcollapse.simulation.replay import replay
from fastcollapse.storage.hdf5_file import read_file
from tests.test_conformance import CASES, experiment_of, given

SECTIONS = {
    "truth": {"probabilities": [0.5, 0.3, 0.15, 0.05]},
    "workflow": {"name": "replace", "n_samples": 20},
    "run": {"n_generations": 9, "n_replicates": 3, "seed": 4},
}
GAUSSIAN = {"model": {"family": "gaussian", "estimator": "mle"}, "truth": {"sigma": 2.0}}
# One case of each family and class of workflow suffices: the block of a family has the same parts in all of them.
FIRST = list({(param.values[0], param.values[1], "weight" in param.values[2]): param for param in CASES}.values())


def experiment(**sections):
    return Experiment.from_mapping(SECTIONS | sections)


def digest_of(state):
    """Return a number that depends on everything in a state."""
    parts = [state.symbols, state.counts, state.probabilities, *state.arrays.values()]
    values = np.concatenate([[1.0], *(np.ravel(part).astype(float) for part in parts if part is not None)])
    return float(np.nan_to_num(values) @ np.cos(np.arange(len(values)))) + state.replicate + state.generation


@pytest.mark.parametrize(("family", "case", "workflow"), FIRST)
def test_bits__depend_on_state_only(tmp_path, tables, monkeypatch, family, case, workflow):
    monkeypatch.chdir(tables)
    made = experiment_of(family, case, workflow, tables, record=["metrics"])
    plain, metrics = simulate(made), {"own": digest_of}
    expected = simulate(made, metrics=metrics)
    assert expected.metrics["own"].shape == (4, 6)
    assert len(np.unique(expected.metrics["own"])) > 12
    for name, values in plain.metrics.items():  # a metric of the user changes no other number
        np.testing.assert_array_equal(expected.metrics[name], values, err_msg=name)
    for settings in ({"block": 1, "threads": 1}, {"block": 3, "threads": max_threads()}):
        got = simulate(made, tmp_path / f"{settings['block']}.h5", metrics=metrics, **settings)
        assert got.user_metrics == ("own",)
        np.testing.assert_array_equal(got.metrics["own"], expected.metrics["own"])
    part = simulate(made.with_values({"run.n_replicates": 2}), first_replicate=2, metrics=metrics)
    np.testing.assert_array_equal(part.metrics["own"], expected.metrics["own"][2:])
    whole = replay(open_results(tmp_path / "1.h5"), metrics=metrics, **given(family))
    assert (whole.different, whole.not_compared, "own" in whole.same) == ((), (), True)


def test_state__of_symbols_has_counts_labels_and_probabilities():
    seen = []
    made = experiment(truth={"probabilities": [0.5, 0.3, 0.2]})
    results = simulate(
        made.with_values({"run.record": ["metrics", "trajectory"]}), metrics={"n": lambda s: seen.append(s) or 1}
    )
    assert [(s.generation, s.replicate) for s in seen] == [(t, r) for t in range(10) for r in range(3)]
    assert seen[0].counts is None
    np.testing.assert_array_equal(seen[0].probabilities, [0.5, 0.3, 0.2])
    for state in seen[3:]:
        symbols, counts = results.counts(state.replicate, state.generation)
        np.testing.assert_array_equal(state.symbols, symbols)
        np.testing.assert_array_equal(state.counts, counts)
        assert state.probabilities[symbols].tolist() == (counts / 20).tolist()
    with pytest.raises(ValueError, match="read-only"):
        seen[-1].probabilities[0] = 1
    with pytest.raises(AttributeError):
        seen[-1].counts = None


def test_state__equals_built_in_metric():
    def heterozygosity(state):
        return 1 - (state.probabilities**2).sum()

    results = simulate(experiment(), metrics={"own": heterozygosity})
    np.testing.assert_allclose(results.metrics["own"], results.metrics["heterozygosity"], rtol=1e-12, atol=1e-15)
    # Negative control.
    assert abs(results.metrics["own"] - results.metrics["entropy"]).max() > 0.01
    gaussian = simulate(experiment(**GAUSSIAN), metrics={"spread": lambda state: 2 * state["log_sigma"]})
    np.testing.assert_allclose(gaussian.metrics["spread"], 2 * gaussian.metrics["log_sigma"], atol=1e-12)


def test_state__of_a_text_and_of_counted_words_has_its_columns(tables):
    text = next(param for param in CASES if param.values[0] == "ngram")
    seen = []
    simulate(experiment_of(*text.values, tables), metrics={"n": lambda state: seen.append(state) or 0})
    assert seen[0].counts.sum() > 0
    assert all(abs(state.probabilities.sum() - 1) < 1e-9 for state in seen)


def test_file__marks_metric_as_of_the_user(tmp_path):
    path = tmp_path / "out.h5"
    simulate(experiment(), path, metrics={"top2": lambda state: np.sort(state.probabilities)[-2:].sum()})
    assert read_file(path).attributes["top2"]["origin"] == "user"
    results = open_results(path)
    assert results.user_metrics == ("top2",)
    assert results.to_xarray()["top2"].attrs["origin"] == "user"
    assert "origin" not in results.to_xarray()["entropy"].attrs
    assert panels_of(results, np.arange(10))[-1].title == "top2, a metric of the user"
    assert simulate(experiment(), tmp_path / "plain.h5").user_metrics == ()


def test_replay__says_which_metric_it_did_not_compare(tmp_path):
    path = tmp_path / "out.h5"
    simulate(experiment(), path, metrics={"n": lambda state: len(state.symbols)})
    found = replay(open_results(path))
    assert (found.different, found.not_compared) == ((), ("n",))
    assert "not compared: n, a metric of the user; replay(results, metrics={...}) compares it" in found.lines()
    assert replay(open_results(path), metrics={"n": lambda state: 3}).different[0].startswith("n: ")
    with pytest.raises(InputError, match=r"must be those of the user in the results \(n\), got 'm'"):
        replay(open_results(path), metrics={"m": len})


def test_resume__needs_the_metric_again(tmp_path):
    metrics = {"own": digest_of}
    expected = simulate(experiment(), metrics=metrics)
    path, stop = tmp_path / "out.h5", {"block": 2, "progress": lambda _: os.kill(os.getpid(), signal.SIGINT)}
    with pytest.raises(KeyboardInterrupt):
        simulate(experiment(), path, metrics=metrics, **stop)
    for other in (None, {"other": digest_of}):
        with pytest.raises(
            InputError, match=r"has the metrics of the user own, got (none|other): give metrics=\{...\}"
        ):
            simulate(experiment(), path, resume=True, metrics=other)
    got = simulate(experiment(), path, resume=True, metrics=metrics)
    np.testing.assert_array_equal(got.metrics["own"], expected.metrics["own"])
    # A finished run has the numbers, whether the function is given or not, but not those of a new metric.
    assert simulate(experiment(), path, resume=True).user_metrics == ("own",)
    with pytest.raises(InputError, match="has the metrics of the user own, got new"):
        simulate(experiment(), path, resume=True, metrics={"new": digest_of})


@pytest.mark.parametrize(
    ("returned", "message"),
    [
        (lambda: 1 / 0, "failed: ZeroDivisionError: division by zero"),
        (lambda: "three", "must be a finite number, got 'three'"),
        (lambda: float("nan"), "must be a finite number, got nan"),
        (lambda: np.zeros(2), r"must be a finite number, got array\(\[0., 0.\]\)"),
    ],
)
@pytest.mark.parametrize("sections", [{}, GAUSSIAN], ids=["discrete", "gaussian"])
def test_failure__names_metric_and_place_and_keeps_earlier_generations(tmp_path, returned, message, sections):
    def broken(state):
        return returned() if (state.replicate, state.generation) == (1, 5) else state.generation

    def repaired(state):
        return state.generation

    path, made = tmp_path / "out.h5", experiment(**sections)
    expected = simulate(made)
    with pytest.raises(UserCodeError, match=f"^metric own of replicate 1 at generation 5 {message}$"):
        simulate(made, path, metrics={"own": broken}, block=4)
    assert open_results(path).last == 4
    got = simulate(made, path, metrics={"own": repaired}, resume=True)
    assert got.metrics["own"][1].tolist() == list(range(10))
    for name, values in expected.metrics.items():
        np.testing.assert_array_equal(got.metrics[name], values)


def test_failure__at_generation_0_leaves_no_file(tmp_path):
    with pytest.raises(UserCodeError, match="of replicate 0 at generation 0 failed: AttributeError"):
        simulate(experiment(), tmp_path / "out.h5", metrics={"own": lambda state: state.counts.sum()})
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("metrics", "message"),
    [
        ({"entropy": len}, "must have names that the run does not use, got 'entropy'"),
        ({"generation": len}, "must have names that the run does not use, got 'generation'"),
        ({"counts": len}, "must have names that the run does not use, got 'counts'"),
        ({"first_passage": len}, "must have names that the run does not use, got 'first_passage'"),
        ({"a b": len}, "must be an identifier, got 'a b'"),
        ({"class": len}, "must be an identifier, got 'class'"),
        ({3: len}, "must be an identifier, got 3"),
        ({"own": 3}, r"metrics\['own'\] must be a function of a state, got int"),
        ([len], "must be a mapping of names to functions of a state, got list"),
    ],
)
def test_metrics__wrong_values_are_refused(metrics, message):
    with pytest.raises(InputError, match=message):
        simulate(experiment(), metrics=metrics)


def test_command__figure_and_table_show_metric(tmp_path, capsys):
    path = tmp_path / "out.h5"
    simulate(experiment(), path, metrics={"own": lambda state: state.generation})
    for command, words in (("plot", "out.png"), ("info", "own"), ("replay", "not compared: own")):
        with pytest.raises(SystemExit) as end:
            main([command, str(path)])
        assert end.value.code == 0
        assert words in capsys.readouterr().out


@pytest.mark.parametrize("larger", [{"run.n_generations": 12}, {"run.n_replicates": 5}, {"run.n_generations": 9}])
def test_extension__needs_the_metric_again(tmp_path, larger):
    made, path, metrics = experiment(), tmp_path / "out.h5", {"own": digest_of}
    shorter = made.with_values({"run.n_generations": 8})
    simulate(shorter, path, metrics=metrics)
    before, larger = path.read_bytes(), made.with_values(larger)
    for other in (None, {"other": digest_of}):
        with pytest.raises(InputError, match=r"has the metrics of the user own, got (none|other): give"):
            simulate(larger, path, resume=True, metrics=other)
    with pytest.raises(InputError, match=r"has the metrics of the user own, got new, own: overwrite=True runs"):
        simulate(larger, path, resume=True, metrics=metrics | {"new": digest_of})
    with pytest.raises(SystemExit, match="2"):
        main(["run", "--extend", str(path), "--set", "run.n_generations=20"])
    assert [file.name for file in tmp_path.iterdir()] == ["out.h5"]
    assert path.read_bytes() == before
    got = simulate(larger, path, resume=True, metrics=metrics)
    expected = simulate(larger, metrics=metrics)
    for name, values in expected.metrics.items():
        np.testing.assert_array_equal(got.metrics[name], values)
