"""Collected sweeps: reading by xarray, results of each point, figures over swept parameters."""

import json
import re
from pathlib import Path

import h5py
import numpy as np
import pytest
import xarray
from click.testing import CliRunner

from fastcollapse import open_results, simulate
from fastcollapse.analysis.first_passage import first_passage_table
from fastcollapse.analysis.sweep_choice import Choice
from fastcollapse.analysis.sweep_figures import draw_sweep, sweep_caption
from fastcollapse.analysis.sweep_panels import drawn_of
from fastcollapse.cli import main as cli
from fastcollapse.errors import InputError, StoreError, UnreadableResults
from fastcollapse.sweeps.axes import named_axes, value_labels
from fastcollapse.sweeps.collect import collect_sweep, extract_point
from fastcollapse.sweeps.collected_results import open_sweep
from fastcollapse.sweeps.folder import SweepFolder
from fastcollapse.sweeps.points import Sweep
from fastcollapse.sweeps.run import run_sweep
from tests.sweeps._example_sweeps import contents, mapping, small_sweep


def call(*arguments):
    return CliRunner().invoke(cli.main, [str(a) for a in arguments])


def ragged():
    """Return a sweep over text, tables and numbers of generations and replicates; some points record trajectories."""
    made = mapping(run={"n_generations": 6, "n_replicates": 5, "seed": 7, "record": ["metrics"]})
    made["workflow"] = {"n_samples": 9}
    workflows = [{"name": "replace"}, {"name": "accumulate", "keep_real": True}]
    records = [["metrics"], ["entropy"], ["metrics", "trajectory"]]
    made["sweep"] = {
        "grid": {"workflow": workflows, "truth.uniform": [10, 20]},
        "zip": {"run.n_generations": [6, 4, 5], "run.n_replicates": [3, 5, 2], "run.record": records},
    }
    return Sweep(made)


@pytest.fixture(scope="module")
def collected(tmp_path_factory):
    path = tmp_path_factory.mktemp("collect")
    run_sweep(ragged(), path / "s", shard=(1, 1))
    assert collect_sweep(SweepFolder(path / "s"), path / "s.h5") == 12
    return path


@pytest.mark.parametrize("engine", [None, "h5netcdf"])
def test_collect__is_read_by_xarray_with_parameters_as_coordinates(collected, engine):
    folder = SweepFolder(collected / "s")
    with xarray.open_dataset(collected / "s.h5", engine=engine) as found:
        assert dict(found.sizes) == {"workflow": 2, "uniform": 2, "zip": 3, "replicate": 5, "generation": 7}
        assert found.indexes["workflow"].tolist() == ["replace", "accumulate"]
        np.testing.assert_array_equal(found.entropy.sel(workflow="accumulate"), found.entropy[1])
        assert found.uniform.values.tolist() == [10, 20]
        assert found.n_generations.values.tolist() == [6, 4, 5]
        assert found.record.values.tolist()[1] == '["entropy"]'
        assert (found.done.values == 1).all()
        entropy, support = found.entropy.values, found.support_size.values
        for index in range(12):
            where = np.unravel_index(index, folder.sweep.shape)
            results = folder.results(index)
            expected = np.full((5, 7), np.nan)
            expected[: results.n_replicates, : results.last + 1] = results.metrics["entropy"]
            np.testing.assert_array_equal(entropy[where], expected)
            assert np.isnan(support[where]).all() == ("support_size" not in results.metrics)
            assert found.seed.values[where] == results.experiment.run.seed
            path = found.path.values[where]
            assert bool(path) == results.has_trajectory
            if path:
                linked = collected / found.attrs["folder"] / path
                assert contents(open_results(linked)) == contents(results)


def test_collected__returns_points(collected):
    source, folder = open_sweep(collected / "s.h5"), SweepFolder(collected / "s")
    assert source.done() == folder.done() == set(range(12))
    for index in range(12):
        got, expected = source.results(index), folder.results(index)
        assert (got.digest, got.last, got.recipe) == (expected.digest, expected.last, expected.recipe)
        assert list(got.metrics) == list(expected.metrics)
        for name, values in expected.metrics.items():
            np.testing.assert_array_equal(got.metrics[name], values)


def test_collect__missing_values_are_nan(tmp_path):
    run_sweep(small_sweep(), tmp_path / "s", shard=(1, 2))
    assert collect_sweep(SweepFolder(tmp_path / "s"), tmp_path / "s.h5") == 3
    with xarray.open_dataset(tmp_path / "s.h5") as found:
        np.testing.assert_array_equal(np.isnan(found.entropy.values).all(axis=(2, 3)), found.done.values == 0)
        assert found.done.values.ravel().tolist() == [1, 0, 1, 0, 1, 0]
    with pytest.raises(InputError, match="point must be one that is done, got 1 of"):
        open_sweep(tmp_path / "s.h5").results(1)


def test_collect__two_folders_of_one_sweep_give_identical_files(tmp_path):
    for name, shards in (("a", [(1, 1)]), ("b", [(2, 2), (1, 2)])):
        (tmp_path / name).mkdir()
        for shard in shards:
            run_sweep(small_sweep(), tmp_path / name / "s", shard=shard)
        collect_sweep(SweepFolder(tmp_path / name / "s"), tmp_path / name / "s.h5")
    raw = []
    for name in "ab":
        with h5py.File(tmp_path / name / "s.h5") as file:
            made = {key: (item.dtype, item.shape, item[()].tobytes()) for key, item in file.items()}
            attributes = {key: file.attrs[key] for key in file.attrs if key != "provenance"}
        raw.append((list(made), made, {key: str(value) for key, value in attributes.items()}))
    assert raw[0] == raw[1]


def regressions():
    """Return a sweep whose points have different coordinates, and infinite means at n = d."""
    downstream = [{"n_samples": [6, 9], "ridge": [0.1, 1.0]}, {"n_samples": 6, "ridge": [0.5]}]
    return Sweep(
        {
            "model": {"family": "ridge", "designs": "independent", "sigma": 0.5},
            "truth": {"w0": "random", "dimension": 2},
            "workflow": {"name": "replace", "n_samples": 9},
            "run": {"n_generations": 2, "n_replicates": 30, "seed": 3},
            "sweep": {
                "grid": {"workflow.n_samples": [8, 20], "truth.dimension": [2, 8], "model.downstream": downstream}
            },
        }
    )


def test_collected__has_coordinates_of_each_point(tmp_path):
    run_sweep(regressions(), tmp_path / "s")
    folder = SweepFolder(tmp_path / "s")
    collect_sweep(folder, tmp_path / "s.h5")
    with xarray.open_dataset(tmp_path / "s.h5") as found:
        assert "w0_of_point" in found.coords
        assert not any(name.endswith("_of_point") for name in found.data_vars)
        assert found.w0_of_point.dims == ("n_samples", "dimension", "downstream", "w0_entry")
    source = open_sweep(tmp_path / "s.h5")
    for index in range(len(folder)):
        got, expected = source.results(index), folder.results(index)
        assert set(expected.coordinates) <= set(got.coordinates)
        for name, one in expected.coordinates.items():
            assert got.coordinates[name].values.dtype == one.values.dtype
            np.testing.assert_array_equal(got.coordinates[name].values, one.values)
        for name, values in expected.metrics.items():
            np.testing.assert_array_equal(got.metrics[name], values)


def test_collected__points_know_their_engine(tmp_path):
    made = mapping(run={"n_generations": 1, "n_replicates": 2, "seed": 7, "record": ["lost_mass", "support_size"]})
    (tmp_path / "x.csv").write_text("a,3\nb,2\nc,2\nd,1\n")
    made |= {"truth": {"counts": "x.csv"}, "workflow": {"name": "replace", "n_samples": 20}}
    made["sweep"] = {"grid": {"model.engine": ["symbols", "spectrum"]}}
    run_sweep(Sweep(made, base=tmp_path), tmp_path / "s", shard=(1, 1))
    collect_sweep(SweepFolder(tmp_path / "s"), tmp_path / "s.h5")
    for path in (tmp_path / "s", tmp_path / "s.h5"):
        symbols, spectrum = (open_sweep(path).results(index) for index in (0, 1))
        assert (symbols.engine, spectrum.engine) == ("symbols", "spectrum")
        assert symbols.truth.labels == ("a", "b", "c", "d")
        assert spectrum.truth.counts.tolist() == [1, 2, 3]
        assert spectrum.truth.n_symbols.tolist() == [1, 2, 1]
    with xarray.open_dataset(tmp_path / "s.h5") as found:
        assert found.engine_in_use.values.tolist() == ["", "spectrum"]


def test_collected__refuses_changed_data_files(tmp_path):
    text = tmp_path / "a.txt"
    text.write_text("one two two three " * 3)
    made = mapping(sweep={"grid": {"workflow.n_samples": [5, 6]}})
    made["truth"] = {"text": "a.txt"}
    run_sweep(Sweep(made, base=tmp_path), tmp_path / "s")
    collect_sweep(SweepFolder(tmp_path / "s"), tmp_path / "s.h5")
    assert open_sweep(tmp_path / "s.h5").results(0).truth.support_size == 3
    text.write_text("one two three three " * 3 + "three")
    with pytest.raises(InputError, match=r"data file .a.txt. has changed"):
        open_sweep(tmp_path / "s.h5").results(0)


def test_figure__shows_medians_where_means_are_infinite(tmp_path):
    run_sweep(regressions(), tmp_path / "s")
    collect_sweep(SweepFolder(tmp_path / "s"), tmp_path / "s.h5")
    choice = Choice(("workflow.n_samples", "truth.dimension"))
    drawn = [drawn_of(open_sweep(tmp_path / name), choice) for name in ("s", "s.h5")]
    for one in drawn:
        plot = next(plot for plot in one.plots if "error of the generator" in plot[0].title)
        kinds = [(panel.group[-1], panel.median) for panel in plot]
        assert kinds == [("2", False), ("8", False), ("8", True)]
        assert np.isnan(plot[1].curve.mean).tolist() == [True, False]
        assert np.isnan(plot[2].curve.mean).tolist() == [False, True]
    for one, other in zip(*(each.plots for each in drawn), strict=True):
        for mine, theirs in zip(one, other, strict=True):
            np.testing.assert_array_equal(mine.curve.mean, theirs.curve.mean)
            np.testing.assert_array_equal(mine.curve.expected, theirs.curve.expected)
    labels = draw_sweep(open_sweep(tmp_path / "s.h5"), choice).axes[0].get_legend_handles_labels()[1]
    assert any(label.startswith("median where tails are heavy") for label in labels)


def test_extract__gives_results_file_of_run(collected, tmp_path):
    folder = SweepFolder(collected / "s")
    for index in (0, 5):
        extract_point(folder, index, tmp_path / f"{index}.h5")
        simulate(folder.sweep[index].experiment, tmp_path / f"{index}-run.h5")
        assert contents(open_results(tmp_path / f"{index}.h5")) == contents(open_results(tmp_path / f"{index}-run.h5"))
    with pytest.raises(InputError, match="point must be one that is done, 0 to 11, got 12"):
        extract_point(folder, 12, tmp_path / "none.h5")


def test_output__is_in_a_folder_that_exists(collected, tmp_path):
    folder = SweepFolder(collected / "s")
    (tmp_path / "file").write_text("")
    for write in (collect_sweep, lambda folder, path: extract_point(folder, 5, path)):
        with pytest.raises(InputError, match=r"output must be in a folder that exists, got .*a/5\.h5: .*a does not"):
            write(folder, tmp_path / "a" / "5.h5")
        assert not (tmp_path / "a").exists()
        with pytest.raises(InputError, match=r"output must be in a folder that can be written, got .*file/s\.h5"):
            write(folder, tmp_path / "file" / "s.h5")


def test_output__error_names_path_as_given(collected):
    folder = SweepFolder(collected / "s")
    for write in (collect_sweep, lambda folder, path: extract_point(folder, 5, path)):
        with pytest.raises(StoreError, match=r"^/proc/x\.h5: cannot be created: "):
            write(folder, Path("/proc/x.h5"))


def test_axes__ambiguous_names_are_qualified():
    sweep = small_sweep(sweep={"grid": {"run.seed": [1, 2], "workflow.n_samples": [3, 4]}})
    assert [axis.dim for axis in named_axes(sweep, reserved=["n_samples"])] == ["run_seed", "workflow_n_samples"]
    assert value_labels([{"name": "a", "k": 1}, {"name": "a", "k": 2}]) == ['{"name":"a","k":1}', '{"name":"a","k":2}']


@pytest.mark.parametrize("source", ["s", "s.h5"])
def test_figure__has_simulation_and_theory_over_a_parameter(tmp_path, source):
    run_sweep(small_sweep(run={"n_replicates": 40}), tmp_path / "s")
    collect_sweep(SweepFolder(tmp_path / "s"), tmp_path / "s.h5")
    opened = open_sweep(tmp_path / source)
    drawn = drawn_of(opened, Choice())
    assert [side.label for side in drawn.sides] == ["samples per generation $n$", "number of symbols $K$"]
    panel = next(plot for plot in drawn.plots if plot[0].heading == "H")
    for j, curve in enumerate(panel):
        assert curve.group == f"$K$ = {(10, 20)[j]}"
        assert curve.curve.at.tolist() == [5, 6, 7]
        for i, n in enumerate((5, 6, 7)):
            metrics = opened.results(2 * i + j).metrics["heterozygosity"][:, -1]
            assert curve.curve.mean[i] == metrics.mean()
            k = (10, 20)[j]
            assert curve.curve.expected[i] == pytest.approx((1 - 1 / k) * (1 - 1 / n) ** 6)
    assert len(draw_sweep(opened).axes) >= 1
    heat = draw_sweep(opened, Choice(("uniform", "workflow.n_samples"), heat_map=True))
    assert any("theory" in axes.get_title() for axes in heat.axes)


def test_figure__extinction_times_have_curve_for_each_size(tmp_path):
    text = '[recipe]\ntitle = "t"\npanels = ["forgetting"]\n'
    grid = {"workflow.n_samples": [400, 800]}
    made = mapping(truth={"uniform": 100}, run={"n_generations": 60, "n_replicates": 10}, sweep={"grid": grid})
    run_sweep(Sweep(made, text=text), tmp_path / "s")
    collect_sweep(SweepFolder(tmp_path / "s"), tmp_path / "s.h5")
    drawn = drawn_of(open_sweep(tmp_path / "s"), Choice())
    (plot,) = drawn.plots
    assert [panel.group for panel in plot] == ["$n$ = 400", "$n$ = 800"]
    for panel, n, index in zip(plot, (400, 800), (0, 1), strict=True):
        times = SweepFolder(tmp_path / "s").results(index).forgotten
        times = np.where(times < 0, 61, times)
        assert panel.curve.at.tolist() == [n / 100]
        assert panel.curve.mean.tolist() == [np.quantile(times, 0.5, method="inverted_cdf")]
        # The exact median is close to the limit 2c / ln 2.
        assert panel.curve.expected[0] == pytest.approx(2 * n / 100 / np.log(2), rel=0.15)
    assert len(draw_sweep(open_sweep(tmp_path / "s")).axes) == 1
    with pytest.raises(InputError, match="of a sweep they are in its folder"):
        draw_sweep(open_sweep(tmp_path / "s.h5"))


def test_figure__text_axis_and_single_parameter(collected):
    opened = open_sweep(collected / "s.h5")
    choice = Choice(("workflow",), {"n_generations": "4"}, 2)
    figure = draw_sweep(opened, choice)
    labels = [label.get_text() for label in figure.axes[0].get_xticklabels()]
    assert labels == ["replace", "accumulate"]
    assert "Generation 2; 5 replicates; K = 10; generations 4" in sweep_caption(opened, choice)


BAD_CHOICES = {
    "three": (Choice(("workflow", "uniform", "record")), "over one or two parameters"),
    "unknown": (Choice(("unifrom",)), "parameter must be one of workflow, uniform.*did you mean 'uniform'"),
    "one axis twice": (Choice(("n_generations", "n_replicates")), "parameters that vary apart"),
    "fixed and drawn": (Choice(("uniform",), {"uniform": "10"}), "uniform must not be fixed"),
    "no such value": (Choice(("workflow",), {"uniform": "11"}), "uniform must be one of 10, 20, got '11'"),
    "generation": (Choice(generation=9), "generation must be from 0 to 6, got 9"),
    "one for a heat map": (Choice(("uniform",), heat_map=True), "a heat map must be over two parameters"),
}


@pytest.mark.parametrize("name", BAD_CHOICES)
def test_figure__refuses_missing_names(collected, name):
    choice, match = BAD_CHOICES[name]
    with pytest.raises(InputError, match=match):
        draw_sweep(open_sweep(collected / "s.h5"), choice)


def test_commands__collect_and_plot(collected, tmp_path):
    result = call("collect", collected / "s", "-o", tmp_path / "out.h5")
    assert (result.exit_code, result.stdout) == (0, f"{tmp_path}/out.h5: 12 of 12 points\n")
    again = call("collect", collected / "s", "-o", tmp_path / "out.h5")
    assert again.exit_code == 2
    assert "already exists" in again.stderr
    result = call("plot", tmp_path / "out.h5", "--over", "uniform", "--fix", "workflow=accumulate")
    assert (result.exit_code, result.stdout) == (0, f"{tmp_path}/out.png\n"), result.stderr
    result = call("collect", collected / "s", "--point", 4, "-o", tmp_path / "p.h5")
    assert "p.h5: point 4, workflow = {'name': 'replace'}, truth.uniform = 20" in result.stdout
    assert open_results(tmp_path / "p.h5").last == 4
    assert call("check", tmp_path / "out.h5").exit_code == 0
    assert call("check", collected / "s").exit_code == 0
    refused = call("info", tmp_path / "out.h5")
    assert (refused.exit_code, "is a collected sweep" in refused.stderr) == (2, True)
    refused = call("plot", tmp_path / "p.h5", "--over", "uniform")
    assert (refused.exit_code, "are for sweeps" in refused.stderr) == (2, True)


def test_collect__shortens_long_values_of_a_swept_key(tmp_path):
    made = mapping(sweep={"grid": {"truth.probabilities": [[1 / 3000] * 3000, [0.5, 0.5]]}})
    made["workflow"]["n_samples"] = 9
    run_sweep(Sweep(made), tmp_path / "s")
    collect_sweep(tmp_path / "s", tmp_path / "out.h5")
    with xarray.open_dataset(tmp_path / "out.h5") as found:
        long, short = found.probabilities.values.tolist()
    assert re.fullmatch(r"\[0\.000333.{91}\.\.\. [0-9a-f]{8}", long)
    assert short == "[0.5,0.5]"
    with h5py.File(tmp_path / "out.h5") as file:
        assert file["probabilities"].shape == (2, len(long))
    assert open_sweep(tmp_path / "out.h5").results(0).experiment.truth.probabilities == (1 / 3000,) * 3000


def test_commands__damage_is_detected(collected, tmp_path):
    raw = bytearray((collected / "s.h5").read_bytes())
    with h5py.File(collected / "s.h5") as file:
        raw[file["entropy"].id.get_offset() + 5] ^= 1
    (tmp_path / "damaged.h5").write_bytes(raw)
    for command in ("plot", "check"):
        result = call(command, tmp_path / "damaged.h5")
        assert result.exit_code == 2
        assert re.fullmatch("error: .*damaged.h5: is damaged: checksum mismatch in entropy\n", result.stderr)
    with pytest.raises(UnreadableResults):
        open_sweep(tmp_path / "damaged.h5")


def test_collect__refuses_sweep_without_results(tmp_path):
    run_sweep(small_sweep(), tmp_path / "s", shard=(6, 6))
    folder = SweepFolder(tmp_path / "s")
    for path in (tmp_path / "s" / "packs").iterdir():
        path.unlink()
    with pytest.raises(InputError, match="a sweep must have a finished point to be collected"):
        collect_sweep(SweepFolder(folder.path), tmp_path / "out.h5")
    assert json.loads((folder.path / "sweep.json").read_text())["n_points"] == 6


def test_collect__removes_the_temporary_file_of_a_killed_one(collected, tmp_path):
    left, other = tmp_path / ".all.h5-0123456789ab.tmp", tmp_path / ".other.h5-0123456789ab.tmp"
    for path in (left, other):
        path.write_bytes(b"half")
    collect_sweep(collected / "s", tmp_path / "all.h5")
    assert sorted(one.name for one in tmp_path.iterdir()) == [other.name, "all.h5"]


def test_collected__runs_that_a_condition_ended_are_those_of_the_folder(tmp_path):
    run = {"n_generations": 300, "n_replicates": 4, "seed": 1, "stop": "support_size == 1"}
    grid = {"workflow.n_samples": [3, 5, 100_000]}  # the last run reaches n_generations
    given = {"truth": {"uniform": 3}, "workflow": {"name": "replace"}, "run": run, "sweep": {"grid": grid}}
    run_sweep(Sweep(given), tmp_path / "study")
    collect_sweep(tmp_path / "study", tmp_path / "all.h5")
    collected, folder = open_sweep(tmp_path / "all.h5"), open_sweep(tmp_path / "study")
    for point in range(3):
        got, expected = collected.results(point), folder.results(point)
        assert got.last == expected.last
        np.testing.assert_array_equal(got.first_passage, expected.first_passage)
        assert first_passage_table(got) == first_passage_table(expected)
        for name, values in expected.metrics.items():
            np.testing.assert_array_equal(got.metrics[name], values)
