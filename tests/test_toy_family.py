"""User-defined family and workflow (one folder, one dataclass) through every feature of the package."""

import dataclasses
import shutil
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest
import xarray
from click.testing import CliRunner

from fastcollapse import Experiment, InputError, open_results, simulate
from fastcollapse.cli.main import main
from fastcollapse.config import WORKFLOWS, Schedule, Workflow, register_workflow
from fastcollapse.config.fields import IntField, parameter
from fastcollapse.config.sizes import resolve
from fastcollapse.models import register
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
        return self._checked(Schedule(n, real, np.zeros_like(n), np.zeros_like(n), real="fresh"), truth_total)


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
def test_run__is_identical_in_memory_file_blocks_and_resumed(tmp_path, workflow):
    expected = simulate(experiment(**workflow))
    sizes = [len(expected.sample("points", 0, t)) for t in range(8)]
    assert len(set(sizes)) > 1
    assert_same(simulate(experiment(**workflow), block=1), expected)
    assert_same(simulate(experiment(**workflow), tmp_path / "out.h5", block=2), expected)
    assert_same(open_results(tmp_path / "out.h5"), expected)

    def stop(n):
        raise KeyboardInterrupt

    for _ in range(2):
        with pytest.raises(KeyboardInterrupt):
            simulate(experiment(**workflow), tmp_path / "stopped.h5", block=2, progress=stop, resume=True)
    assert_same(simulate(experiment(**workflow), tmp_path / "stopped.h5", resume=True), expected)
    assert replay(open_results(tmp_path / "out.h5")).different == ()
    assert "points" in replay(open_results(tmp_path / "out.h5")).same


def test_sample__grows_by_schedule_and_generation_0_is_real():
    results = simulate(experiment())
    assert [len(results.sample("points", 2, t)) for t in range(8)] == [4 + 3 * t for t in range(8)]
    np.testing.assert_array_equal(results.sample("points", 1, 3)[:4], results.sample("points", 1, 0))
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
    from fastcollapse.models import family

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
            r"workflow.name must be another one than 'mix': the toy family does not support "
            r"real data drawn once per replicate \(capability 'fixed_real'\)",
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
            return dataclasses.replace(plain, real="fixed")

    register_workflow(Forgetful)
    try:
        with pytest.raises(InputError, match="capability 'fixed_real'"):
            simulate(experiment(**EVERY_THIRD | {"name": "forgetful"}))
    finally:
        del WORKFLOWS["forgetful"]


def test_register_workflow__refuses_invalid_class():
    with pytest.raises(InputError, match="must be a dataclass that extends Workflow, got 3"):
        register_workflow(3)
    with pytest.raises(InputError, match="the name of workflow Other must be new, got 'replace'"):
        register_workflow(
            dataclasses.make_dataclass("Other", [], bases=(EveryThird,), namespace={"name": "replace"}, frozen=True)
        )


def test_experiment__unknown_workflow_lists_registered_workflows():
    with pytest.raises(InputError, match="every_third"):
        experiment(name="every_thirt", n_samples=3)
