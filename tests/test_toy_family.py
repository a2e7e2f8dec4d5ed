"""User-defined family and workflow (one folder, one dataclass) through every feature of the package."""

import dataclasses
import os
import re
import shutil
import signal
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest
import xarray
from click.testing import CliRunner

from fastcollapse import Experiment, InputError, Sweep, open_results, run_sweep, simulate
from fastcollapse.cli.main import main
from fastcollapse.config import WORKFLOWS, Schedule, Workflow, register_workflow
from fastcollapse.config.fields import IntField, parameter
from fastcollapse.config.sizes import resolve
from fastcollapse.models import family, register
from fastcollapse.models.registry import unregister
from fastcollapse.simulation.replay import replay
from fastcollapse.storage.hdf5_file import read_file

SECTIONS = {
    "model": {"family": "toy", "bandwidth": 0.3},
    "truth": {"n_points": 4},
    "workflow": {"name": "accumulate", "n_samples": 3, "keep_real": True},
    "run": {"n_generations": 7, "n_replicates": 3, "seed": 11, "record": ["metrics", "trajectory"]},
}
EVERY_THIRD = {"name": "every_third", "n_samples": 5, "n_real": 2}


@dataclasses.dataclass(frozen=True)
class EveryThird(Workflow):
    """Workflow `replace`, with real data in every third generation."""

    name: ClassVar[str] = "every_third"

    n_real: int = parameter(IntField(1, 1000), "real points in every third generation", unit="tokens")

    def needs(self):
        return frozenset({"fresh_real"})

    def schedule(self, n_generations, truth_total):
        n = resolve(self.n_samples, "workflow.n_samples", n_generations, truth_total)
        real = np.where(np.arange(1, n_generations + 1) % 3 == 0, self.n_real, 0)
        return Schedule(n, real, np.zeros_like(n), np.zeros_like(n), real="fresh")


@pytest.fixture(scope="module", autouse=True)
def registered_family(tmp_path_factory):
    folder = tmp_path_factory.mktemp("families") / "toy"
    shutil.copytree(Path(__file__).parent / "toy_family", folder)
    assert register(folder) == "toy"
    register_workflow(EveryThird)
    yield
    unregister("toy")
    del WORKFLOWS["every_third"]


def experiment(**workflow):
    return Experiment.from_mapping(SECTIONS | {"workflow": workflow or SECTIONS["workflow"]})


def samples(results):
    return [results.sample("points", r, t) for r in range(results.n_replicates) for t in results.generation.tolist()]


def assert_same(got, expected):
    assert got.metrics.keys() == expected.metrics.keys()
    for name, values in expected.metrics.items():
        np.testing.assert_array_equal(got.metrics[name], values, err_msg=name)
    for mine, other in zip(samples(got), samples(expected), strict=True):
        np.testing.assert_array_equal(mine, other)


@pytest.mark.parametrize("workflow", [{}, EVERY_THIRD], ids=["accumulate", "every third"])
def test_run__is_identical_in_memory_file_blocks_and_resumed(tmp_path, monkeypatch, workflow):
    expected = simulate(experiment(**workflow))
    sizes = [len(expected.sample("points", 0, t)) for t in range(8)]
    assert len(set(sizes)) > 1
    assert_same(simulate(experiment(**workflow), block=1), expected)
    assert_same(simulate(experiment(**workflow), tmp_path / "out.h5", block=2), expected)
    assert_same(open_results(tmp_path / "out.h5"), expected)

    def stop(n):
        os.kill(os.getpid(), signal.SIGINT)

    restored, restore = [], family("toy").restore
    monkeypatch.setattr(family("toy"), "restore", lambda *some: restored.append(1) or restore(*some))
    for last in (2, 4):
        with pytest.raises(KeyboardInterrupt):
            simulate(experiment(**workflow), tmp_path / "stopped.h5", block=2, progress=stop, resume=True)
        assert open_results(tmp_path / "stopped.h5").last == last
    assert_same(simulate(experiment(**workflow), tmp_path / "stopped.h5", resume=True), expected)
    assert len(restored) == 2
    assert replay(open_results(tmp_path / "out.h5")).different == ()
    assert "points" in replay(open_results(tmp_path / "out.h5")).same


def test_cite__of_a_family_without_papers_has_the_program():
    assert re.findall(r"@\w+\{(\w+)", simulate(experiment()).cite()) == ["fastcollapse"]


def test_sample__grows_by_schedule_and_generation_0_is_real():
    results = simulate(experiment())
    assert [len(results.sample("points", 2, t)) for t in range(8)] == [4, *(3 * t for t in range(1, 8))]
    np.testing.assert_array_equal(results.sample("points", 1, 3)[:6], results.sample("points", 1, 2))
    assert not results.sample("points", 1, 3).flags.writeable
    np.testing.assert_allclose(results.metrics["mean"][1, 5], results.sample("points", 1, 5).mean(), rtol=1e-12)
    with pytest.raises(InputError, match="must be one of points, got 'point'"):
        results.sample("point", 0, 0)
    with pytest.raises(InputError, match="generation must be an integer from 0 to 7"):
        results.sample("points", 0, 8)


def test_file__opens_in_xarray_as_ragged_array(tmp_path):
    results = simulate(experiment(), tmp_path / "out.h5", block=3)
    with xarray.open_dataset(tmp_path / "out.h5") as dataset:
        xarray.testing.assert_identical(dataset, results.to_xarray())
        sizes = dataset["points_size"]
        assert sizes.dims == ("generation", "replicate")
        assert sizes.attrs["sample_dimension"] == "points_point"
        ends = np.cumsum(sizes.values.ravel())
        row = 5 * 3 + 2  # generation 5, replicate 2
        np.testing.assert_array_equal(
            dataset["points"].values[ends[row - 1] : ends[row]], results.sample("points", 2, 5)
        )
    assert read_file(tmp_path / "out.h5").attributes["/"]["format_version"] == 2


def test_record__metrics_only_keeps_no_samples(tmp_path):
    plain = experiment().with_values({"run.record": ["nll"]})
    results = simulate(plain, tmp_path / "out.h5")
    assert results.sample_names == ()
    assert list(results.metrics) == ["nll"]
    assert read_file(tmp_path / "out.h5").attributes["/"]["format_version"] == 1
    with pytest.raises(InputError, match=r'run\.record must contain "trajectory"'):
        results.sample("points", 0, 0)


@pytest.mark.parametrize("workflow", [{}, EVERY_THIRD], ids=["accumulate", "every third"])
def test_commands__run_table_and_figure_without_panel_file(tmp_path, monkeypatch, workflow):
    monkeypatch.chdir(tmp_path)
    lines = ["[model]", 'family = "toy"', "[truth]", "n_points = 4", "[workflow]"]
    table = workflow or SECTIONS["workflow"]
    lines += [f"{k} = {str(v).lower() if isinstance(v, bool) else repr(v)}" for k, v in table.items()]
    lines += ["[run]", "n_generations = 6", "n_replicates = 8", "seed = 1"]
    Path("toy.toml").write_text("\n".join(lines).replace("'", '"'))
    result = CliRunner().invoke(main, ["run", "toy.toml", "-o", "toy.h5"])
    assert result.exit_code == 0, result.output
    assert "mean of the pool" in result.output
    assert Path("toy.png").stat().st_size > 10_000
    for command in ("info", "check", "replay", "compare"):
        result = CliRunner().invoke(main, [command, "toy.h5"])
        assert result.exit_code == 0, (command, result.output)


def test_sample__non_finite_value_stops_run(tmp_path, monkeypatch):
    from fastcollapse.errors import NonFiniteError

    toy = family("toy")
    honest = toy.advance

    def poisoned(self, state, first, n_generations, *rest):
        block = honest(self, state, first, n_generations, *rest)
        if first <= 4 < first + n_generations:
            indptr, values = block.samples["points"]
            values[indptr[(4 - first) * 3 + 1]] = np.nan
        return block

    monkeypatch.setattr(toy, "advance", poisoned)
    with pytest.raises(NonFiniteError, match="points of replicate 1 is nan at generation 4"):
        simulate(experiment(), tmp_path / "out.h5", block=2)
    assert open_results(tmp_path / "out.h5").last == 3


@pytest.mark.parametrize(
    ("workflow", "message"),
    [
        (
            {"name": "mix", "n_samples": 3, "n_real": 2, "real": "fixed"},
            r"workflow.name must not be 'mix': the toy family does not support "
            r"real data drawn once per replicate \(capability 'fixed_real'\)",
        ),
        (
            {"name": "accumulate", "n_samples": 3, "keep_real": False, "window": 2},
            r"workflow.window must be absent: the toy family does not support "
            r"a pool of the last batches only \(capability 'window'\), got 2",
        ),
        (
            {"name": "accumulate_subsample", "n_samples": 3, "keep_real": True, "replacement": True},
            r"a fit to a subsample of the pool \(capability 'subsample'\)",
        ),
    ],
)
def test_workflow__unsupported_by_family_is_refused(workflow, message):
    with pytest.raises(InputError, match=message):
        experiment(**workflow)


def test_workflow__undeclared_need_is_refused_by_schedule():
    @dataclasses.dataclass(frozen=True)
    class Forgetful(EveryThird):
        name: ClassVar[str] = "forgetful"

        def needs(self):
            return frozenset()

        def schedule(self, n_generations, truth_total):
            plain = super().schedule(n_generations, truth_total)
            return dataclasses.replace(plain, real="fixed", n_real=np.full(n_generations, 2))

    register_workflow(Forgetful)
    try:
        with pytest.raises(InputError, match="capability 'fixed_real'"):
            simulate(experiment(**EVERY_THIRD | {"name": "forgetful"}))
    finally:
        del WORKFLOWS["forgetful"]


def test_register_workflow__refuses_invalid_class():
    with pytest.raises(InputError, match="must be a dataclass that extends Workflow and defines schedule, got 3"):
        register_workflow(3)
    with pytest.raises(InputError, match="the name of workflow Other must be new, got 'replace'"):
        register_workflow(
            dataclasses.make_dataclass("Other", [], bases=(EveryThird,), namespace={"name": "replace"}, frozen=True)
        )


def test_experiment__unknown_workflow_lists_registered_workflows():
    with pytest.raises(InputError, match="every_third"):
        experiment(name="every_thirt", n_samples=3)


BAD_SCHEDULES = {
    "n_train of at most the pool": {"n_train": np.full(7, 50)},
    r"n_synthetic as int64 array of shape \(7,\), got int64 \(3,\)": {"n_synthetic": np.full(3, 5)},
    r"n_synthetic as int64 array of shape \(7,\), got float64": {"n_synthetic": np.full(7, 5.0)},
    r"n_real as int64 array of shape \(7,\), got list": {"n_real": [0] * 7},
    "n_synthetic of at least 1, got another value at generation 1": {"n_synthetic": np.zeros(7, np.int64)},
    "n_real of at least 0": {"n_real": np.full(7, -1)},
    "n_real of 0 or that of generation 1 where real is 'fixed', got another value at generation 2": {
        "n_real": np.arange(1, 8),
        "real": "fixed",
    },
    "keep of 0 or 1": {"keep": np.full(7, -5)},
    "real = 'fresh' or 'fixed' where n_real is above 0, got 'none'": {"n_real": np.full(7, 1), "real": "none"},
}


@pytest.mark.parametrize("message", BAD_SCHEDULES)
@pytest.mark.parametrize("name", ["toy", "poisson", "discrete"])
def test_schedule__that_kernels_must_not_read_is_refused(name, message):
    @dataclasses.dataclass(frozen=True)
    class Wrong(Workflow):
        name: ClassVar[str] = "wrong"

        def schedule(self, n_generations, truth_total):
            zero = np.zeros(n_generations, np.int64)
            arrays = {"n_synthetic": zero + 5, "n_real": zero, "keep": zero, "n_train": zero, "real": "fresh"}
            return Schedule(**arrays | BAD_SCHEDULES[message])

    truth = {"toy": {"n_points": 4}, "poisson": {"rate": 2.0}, "discrete": {"uniform": 3}}[name]
    sections = {"model": {"family": name}, "truth": truth, "workflow": {"name": "wrong", "n_samples": 5}}
    register_workflow(Wrong)
    try:
        with pytest.raises(InputError, match=f"the schedule of workflow 'wrong' must have {message}"):
            simulate(Experiment.from_mapping(sections | {"run": SECTIONS["run"]}))
    finally:
        del WORKFLOWS["wrong"]


def test_register_workflow__needs_a_schedule_and_checked_fields():
    class Undecorated(EveryThird):
        name = "undecorated"

    @dataclasses.dataclass(frozen=True)
    class Unchecked(EveryThird):
        name: ClassVar[str] = "unchecked"
        period: int = 3

    with pytest.raises(InputError, match="must be a dataclass that extends Workflow and defines schedule"):
        register_workflow(Undecorated)
    with pytest.raises(InputError, match=r"field period of Unchecked must be made by fastcollapse\.config"):
        register_workflow(Unchecked)


def test_sweep__of_a_registered_family_runs_here_and_is_refused_elsewhere(tmp_path):
    sections = {name: dict(table) for name, table in SECTIONS.items()} | {"sweep": {"grid": {"truth.n_points": [3, 4]}}}
    sections["run"].pop("seed")
    sweep = Sweep(sections)
    with pytest.raises(InputError, match=r"model\.family toy is registered in this process alone"):
        run_sweep(sweep, tmp_path / "pool", 2)
    assert run_sweep(sweep, tmp_path / "here").done == 2


COUNTS = """
import numpy as np
from fastcollapse.config.sections import TruthSection
from fastcollapse.models.base import ArrayModel, ModelBlock, State
from fastcollapse.variables import CountRows, Metric, Variable, metric_table


class CountState(State):
    def __init__(self, n):
        self.total = np.zeros(n)

    def arrays(self):
        return {"total": self.total}


class Counts(ArrayModel):
    TRUTH = TruthSection
    METRICS = metric_table(Metric("total", Variable("total")))
    n_columns = 70_000

    def __init__(self, truth, parameters, schedule, record=()):
        self.with_rows = "trajectory" in record

    def initial(self, n_replicates, seed, first_replicate=0):
        return CountState(n_replicates)

    def generation_bytes(self, state):
        return 8

    def generation_0(self, n_replicates, seed, first_replicate=0):
        return ModelBlock(metrics={"total": np.zeros((n_replicates, 1))})

    def advance(self, state, first, n_generations, seed, first_replicate=0):
        n = len(state.total)
        totals = np.arange(first, first + n_generations, dtype=float)[None].repeat(n, axis=0)
        state.total[:] = totals[:, -1]
        rows = n * n_generations
        generation = np.repeat(np.arange(first, first + n_generations), n)
        counts = CountRows(np.arange(rows + 1), 65_000 + generation, generation)
        return ModelBlock(metrics={"total": totals}, counts=counts if self.with_rows else None)


MODEL = Counts
"""


def test_counts__of_a_family_without_symbols_are_stored_and_resumed(tmp_path):
    folder = tmp_path / "cells"
    folder.mkdir()
    (folder / "model.py").write_text(COUNTS)
    register(folder)
    try:
        sections = SECTIONS | {
            "model": {"family": "cells"},
            "truth": {},
            "workflow": {"name": "replace", "n_samples": 1},
        }
        made = Experiment.from_mapping(sections)
        simulate(made, tmp_path / "out.h5", block=2)
        for results in (simulate(made), open_results(tmp_path / "out.h5")):
            symbols, counts = results.counts(2, 5)
            assert (symbols.tolist(), counts.tolist()) == ([65_005], [5])
        assert read_file(tmp_path / "out.h5").attributes["trajectory"]["shape"].tolist() == [21, 70_000]
        assert replay(open_results(tmp_path / "out.h5")).different == ()
    finally:
        unregister("cells")


def test_register__keeps_a_family_from_another_folder(tmp_path):
    folder = tmp_path / "toy"
    shutil.copytree(Path(__file__).parent / "toy_family", folder)
    with pytest.raises(InputError, match="must have a new name"):
        register(folder)
    assert simulate(experiment()).n_replicates == 3
