"""Conformance of every family under every supported workflow.

Families and workflows are found by listing. The numbers must depend only on the experiment, be identical in every
store, and have the law of the raw twin.
"""

import contextlib
import dataclasses
import importlib
import itertools
import os
import signal

import numpy as np
import pytest
import xarray
from scipy import stats
from threadpoolctl import threadpool_info, threadpool_limits

from fastcollapse import open_results, simulate
from fastcollapse.config.fields import REQUIRED, BoolField, ChoiceField, ValidationErrors
from fastcollapse.config.sampling import Sampling
from fastcollapse.config.section_base import build
from fastcollapse.config.sizes import SizeField
from fastcollapse.config.workflows import WORKFLOWS
from fastcollapse.datasets.load import load_truth
from fastcollapse.kernels.jit import max_threads
from fastcollapse.models.registry import families
from fastcollapse.models.registry import family as family_class
from fastcollapse.simulation.execute import use_threads
from fastcollapse.simulation.experiment import Experiment
from fastcollapse.simulation.replay import replay
from fastcollapse.simulation.run_plan import plan_run
from fastcollapse.simulation.schedules import real_size, schedule_of
from tests._goodness_of_fit import two_sample_p
from tests._runs import run_with_truth

N_SAMPLES = 12
N_GENERATIONS = 5
N_REPLICATES = 4
# About 7 cases x 9 variants x 2 generations x 2 columns are compared with their twins: 1e-6 each is below 3e-4 in all.
P_LIMIT = 1e-6


def variants(name):
    """Return a workflow with every combination of its choices and each of its examples, as mappings."""
    options = []
    for field in dataclasses.fields(WORKFLOWS[name]):
        check = field.metadata["check"]
        if isinstance(check, BoolField):
            values = (False, True)
        elif isinstance(check, ChoiceField):
            values = tuple(check.names())
        elif isinstance(check, SizeField) and field.default is REQUIRED:
            values = (N_SAMPLES,)
        else:
            assert field.default is not REQUIRED, f"no values are known for workflow.{field.name}"
            continue
        options.append([(field.name, value) for value in values])
    found = []
    for chosen, optional in itertools.product(itertools.product(*options), WORKFLOWS[name].EXAMPLES):
        keys = {**dict(chosen), **optional}
        with contextlib.suppress(ValidationErrors):  # the keys do not go together
            build(WORKFLOWS[name], keys)
            ordered = [field.name for field in dataclasses.fields(WORKFLOWS[name]) if field.name in keys]
            found.append({"name": name, **{key: keys[key] for key in ordered}})
    return found


def twin(family):
    return importlib.import_module(f"tests.naive.{family}")


def given(family):
    """Return the code of the user that a replay of a family must be given, as arguments."""
    return {"model": twin(family).MODEL} if hasattr(twin(family), "MODEL") else {}


def needs_of(workflow):
    """Return the capabilities that a variant needs."""
    keys = {name: value for name, value in workflow.items() if name not in ("name", "sampling")}
    maps = build(Sampling, workflow.get("sampling", {})).maps
    return build(WORKFLOWS[workflow["name"]], keys).needs() | frozenset(maps)


# Every map, alone and in the pool of a workflow.
SAMPLED = [
    {**workflow, "sampling": dict(values)}
    for values in Sampling.EXAMPLES
    for workflow in (
        {"name": "replace", "n_samples": N_SAMPLES},
        {"name": "accumulate", "n_samples": N_SAMPLES, "keep_real": True},
    )
]
VARIANTS = [*(workflow for name in WORKFLOWS for workflow in variants(name)), *SAMPLED]
SERVED = {
    name: [workflow for workflow in VARIANTS if needs_of(workflow) <= family_class(name).CAPABILITIES]
    for name in families()
}
CASES = [
    pytest.param(family, case, workflow, id=f"{family} {case}: {', '.join(str(value) for value in workflow.values())}")
    for family in families()
    for case, made in twin(family).CASES.items()
    for workflow in SERVED[family]
    if (not made.workflows or workflow["name"] in made.workflows) and not needs_of(workflow) & made.lacks
    if made.optimal or workflow.get("weight") != "optimal"
]
OF_KNOWN_LAW = [
    param for param in CASES if (case := twin(param.values[0]).CASES[param.values[1]]).other or case.other_sizes
]


def experiment_of(family, case, workflow, folder, other=False, **run):
    made = twin(family).CASES[case]
    sampling = workflow.get("sampling", {})
    workflow = {name: value for name, value in workflow.items() if name != "sampling"}
    sizes = {**made.sizes, **(made.other_sizes if other else {})}
    workflow = {**workflow, **{name: size for name, size in sizes.items() if name in workflow}}
    run = {"n_generations": N_GENERATIONS, "n_replicates": N_REPLICATES, "seed": 20241223, **run}
    sections = {
        "model": {"family": family, **made.model},
        "truth": made.other if other and made.other else made.truth,
        "workflow": workflow,
        "run": {"record": ["metrics", "trajectory"], **run},
        **({"sampling": sampling} if sampling else {}),
    }
    return Experiment.from_mapping(sections, base=folder)


def everything(results):
    """Return all arrays of a run as one mapping."""
    found = []
    for replicate in range(results.n_replicates):
        mine = {f"metric {name}": values[replicate] for name, values in results.metrics.items()}
        mine |= {f"state {name}": values[replicate] for name, values in results.states.items()}
        if results.forgotten is not None:
            mine["forgotten"] = results.forgotten[replicate]
        if results.has_trajectory:
            for generation in results.generation[1:].tolist():
                mine[f"symbols {generation}"], mine[f"counts {generation}"] = results.counts(replicate, generation)
        found.append(mine)
    return found


def assert_same(got, expected):
    assert len(got) == len(expected)
    for mine, other in zip(got, expected, strict=True):
        assert mine.keys() == other.keys()
        for name, values in other.items():
            np.testing.assert_array_equal(mine[name], values, err_msg=name)


def test_cases__are_found():
    assert {workflow["name"] for workflow in VARIANTS} == set(WORKFLOWS)
    assert len(VARIANTS) >= 9
    for family in families():
        assert {param.values[2]["name"] for param in OF_KNOWN_LAW if param.values[0] == family} == {
            workflow["name"] for workflow in SERVED[family]
        }


@pytest.mark.parametrize(("family", "case", "workflow"), CASES)
def test_bits__depend_on_experiment_only(tables, family, case, workflow):
    experiment = experiment_of(family, case, workflow, tables)
    truth = load_truth(experiment.truth, tables)
    expected = everything(run_with_truth(experiment, truth, threads=1, block=N_GENERATIONS))
    assert any(name.startswith("metric") for name in expected[0])
    assert any(not name.startswith("metric") for name in expected[0])
    for settings in ({}, {"threads": max_threads()}, {"block": 1}, {"block": 3}):
        assert_same(everything(run_with_truth(experiment, truth, **settings)), expected)
    parts = []
    for first, n_replicates in ((0, 1), (1, N_REPLICATES - 1)):
        part = experiment.with_values({"run.n_replicates": n_replicates})
        parts += everything(run_with_truth(part, truth, first_replicate=first))
    assert_same(parts, expected)
    other = everything(run_with_truth(experiment.with_values({"run.seed": 1}), truth))
    assert any(not np.array_equal(other[0][name], values) for name, values in expected[0].items())


def model_of(experiment, truth):
    return plan_run(experiment, truth=truth).model()


def advance_in_blocks(model, truth, names, state, first, lengths, **run):
    """Return all output of a model, advanced in blocks of the given lengths, by generation."""
    found = []
    for length in lengths:
        block = model.advance(state, first, length, **run)
        arrays = {**model.measure(block, truth, names), **block.states}
        rows = block.counts
        for i in range(length):
            mine = {name: np.array(values[:, i : i + 1])[:, 0] for name, values in arrays.items()}
            if rows is not None:
                mine["ends"] = (
                    rows.indptr[i * N_REPLICATES : (i + 1) * N_REPLICATES + 1] - rows.indptr[i * N_REPLICATES]
                )
                inside = slice(rows.indptr[i * N_REPLICATES], rows.indptr[(i + 1) * N_REPLICATES])
                mine |= {"symbols": rows.indices[inside].copy(), "counts": rows.data[inside].copy()}
            found.append(mine)
        first += length
    return found


@pytest.mark.parametrize("record", [("metrics",), ("metrics", "trajectory")])
@pytest.mark.parametrize(("family", "case", "workflow"), CASES)
def test_restore__matches_uninterrupted_run(tmp_path, tables, family, case, workflow, record):
    use_threads(1)
    experiment = experiment_of(family, case, workflow, tables, record=record)
    truth, run = load_truth(experiment.truth, tables), {"seed": experiment.run.seed, "first_replicate": 3}
    model = model_of(experiment, truth)
    names = tuple(model.available_metrics(experiment.model, experiment.sampling))
    state = model.initial(N_REPLICATES, **run)
    expected = advance_in_blocks(model, truth, names, state, 1, [N_GENERATIONS], **run)
    assert len(expected) == N_GENERATIONS
    for t, before, after in ((0, [], [2, 3]), (1, [1], [4]), (3, [1, 2], [1, 1]), (4, [4], [1]), (5, [5], [])):
        model = model_of(experiment, truth)
        stopped = model.initial(N_REPLICATES, **run)
        got = advance_in_blocks(model, truth, names, stopped, 1, before, **run)
        # Read-only arrays, like the memory maps of a file.
        arrays = {}
        for name, values in stopped.arrays().items():
            np.save(tmp_path / f"{name}.npy", values)
            arrays[name] = np.load(tmp_path / f"{name}.npy", mmap_mode="r" if values.size else None)
            arrays[name].flags.writeable = False
        # The restored state must not share memory with the old state.
        for values in stopped.arrays().values():
            values[...] = 0
        model = model_of(experiment, truth)
        back = model.restore(arrays, N_REPLICATES, **run)
        assert_same([back.arrays()], [arrays])
        assert not any(np.may_share_memory(values, arrays[name]) for name, values in back.arrays().items())
        assert_same(got + advance_in_blocks(model, truth, names, back, t + 1, after, **run), expected)
        if state.forgotten() is not None:
            np.testing.assert_array_equal(back.forgotten(), state.forgotten())
    # Negative control: another state gives other numbers, and a state of another run is refused.
    back = model.restore(model.initial(N_REPLICATES, **run).arrays(), N_REPLICATES, **run)
    other = advance_in_blocks(model, truth, names, back, N_GENERATIONS, [1], **run)
    assert any(not np.array_equal(other[0][name], values) for name, values in expected[-1].items())
    name = next(iter(arrays))
    for wrong in (arrays | {name: np.zeros((7, 7, 7))}, {key: arrays[key] for key in arrays if key != name}):
        with pytest.raises(ValueError, match=f"{name} of a state must have shape .*, got (none|.7, 7, 7.)"):
            model.restore(wrong, N_REPLICATES, **run)


@pytest.mark.parametrize(("family", "case", "workflow"), CASES)
def test_stores__are_identical_and_replay(tmp_path, tables, monkeypatch, family, case, workflow):
    experiment = experiment_of(family, case, workflow, tables)
    memory = simulate(experiment, threads=1)
    simulate(experiment, tmp_path / "out.h5", threads=1, block=2)
    file = open_results(tmp_path / "out.h5")
    assert file.complete
    assert_same(everything(file), everything(memory))
    # In xarray every state has the dimensions replicate and generation, and its own dimensions.
    with xarray.open_dataset(tmp_path / "out.h5") as dataset:
        xarray.testing.assert_identical(dataset, file.to_xarray().drop_vars("symbol", errors="ignore"))
        for name, values in memory.states.items():
            assert dataset[name].dims == ("replicate", "generation", *memory.variables[name].dims)
            np.testing.assert_array_equal(dataset[name], values)
    # A name of both a metric and a state is stored as one data set.
    for name in memory.metrics.keys() & memory.states.keys():
        np.testing.assert_array_equal(memory.metrics[name], memory.states[name])
    # A replay searches data files in the current folder.
    monkeypatch.chdir(tables)
    found = replay(file, threads=1, **given(family))
    assert found.different == ()
    assert len(found.same) >= len(memory.metrics) + max(1, len(memory.states))
    # Negative control: a run with another seed.
    monkeypatch.setattr(file, "experiment", experiment.with_values({"run.seed": 1}))
    wrong = " ".join(replay(file, **given(family)).different)
    assert all(f"{name}: " in wrong for name in memory.states or ("counts",))


def one_per_case():
    """Return CASES with all but the first of each family and case marked as slow."""
    known = set()
    for param in CASES:
        case = tuple(param.values[:2])
        yield pytest.param(*param.values, id=param.id, marks=[pytest.mark.slow] if case in known else [])
        known.add(case)


@pytest.mark.parametrize(("family", "case", "workflow"), list(one_per_case()))
def test_bits__do_not_depend_on_where_run_stopped(tmp_path, tables, family, case, workflow):
    """The run is interrupted twice and resumed from its file with other blocks and threads."""
    experiment = experiment_of(family, case, workflow, tables)
    expected = everything(simulate(experiment, threads=1))
    path, settings = tmp_path / "out.h5", {"resume": True, "progress": lambda _: os.kill(os.getpid(), signal.SIGINT)}
    for last, more in ((1, {"threads": 1}), (3, {"block": 2})):
        with pytest.raises(KeyboardInterrupt):
            simulate(experiment, path, **{"block": 1, **more}, **settings)
        assert open_results(path).last == last
        for mine, other in zip(everything(open_results(path)), expected, strict=True):
            for name, values in mine.items():
                of_all = name.startswith(("metric", "state"))
                np.testing.assert_array_equal(values, other[name][: last + 1] if of_all else other[name], err_msg=name)
    assert_same(everything(simulate(experiment, path, resume=True, threads=max_threads())), expected)
    assert_same(everything(open_results(path)), expected)


def test_record__metrics_only_keeps_no_states(tables):
    for family in families():
        case = next(iter(twin(family).CASES))
        both = simulate(experiment_of(family, case, VARIANTS[0], tables))
        alone = simulate(experiment_of(family, case, VARIANTS[0], tables, record=["metrics"]))
        assert not alone.states
        assert not alone.has_trajectory
        assert bool(both.states) != both.has_trajectory
        assert both.metrics.keys() == alone.metrics.keys()
        for name, values in both.metrics.items():
            np.testing.assert_array_equal(alone.metrics[name], values, err_msg=name)


def p_value(first, second):
    """Return the p-value of a two-sample test: chi-square for integers, Kolmogorov-Smirnov for others."""
    both = np.concatenate([first, second])
    return (
        two_sample_p(first, second)
        if (both == np.rint(both)).all()
        else stats.ks_2samp(first, second, method="asymp").pvalue
    )


@pytest.mark.parametrize(("family", "case", "workflow"), OF_KNOWN_LAW)
def test_law__equals_raw_twin(tables, family, case, workflow):
    raw, n_generations, rng = twin(family), 3, np.random.default_rng(7)
    run = {"n_replicates": 2 * raw.N_RAW, "n_generations": n_generations}
    experiment = experiment_of(family, case, workflow, tables, **run)
    truth = load_truth(experiment.truth, tables)
    schedule = schedule_of(experiment, real_size(experiment, truth))
    expected = np.array([raw.raw(truth, experiment.model, schedule, n_generations, rng) for _ in range(raw.N_RAW)])
    # Threads wait for each other where two test processes share two cores; no bit depends on them.
    got = raw.columns(run_with_truth(experiment, truth, threads=1))
    assert got.shape[1:] == expected.shape[1:]
    for t, i in itertools.product((1, n_generations), range(got.shape[2])):
        assert p_value(got[:, t, i], expected[:, t, i]) > P_LIMIT
    # Negative control: the same run from another truth, or with other sizes.
    wrong = raw.columns(simulate(experiment_of(family, case, workflow, tables, other=True, **run), threads=1))
    assert min(p_value(wrong[:, -1, i], expected[:, -1, i]) for i in range(got.shape[2])) < P_LIMIT


def test_bits__do_not_depend_on_blas_threads():
    """The rounding of eigenvalues of 100 x 100 matrices depends on the number of BLAS threads."""
    sections = {
        "model": {"family": "gaussian", "estimator": "mle"},
        "truth": {"dimension": 100},
        "workflow": {"name": "replace", "n_samples": 300},
        "run": {"n_generations": 3, "n_replicates": 2, "seed": 1},
    }
    found = []
    for n_threads in (1, 2):
        with threadpool_limits(n_threads, "blas"):
            found.append(everything(simulate(Experiment.from_mapping(sections))))
            assert {pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"} == {n_threads}
    assert_same(*found)
