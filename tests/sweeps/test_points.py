"""Sweeps from files and mappings: points, order, seeds, and refused input."""

import hashlib
import re

import pytest

from fastcollapse.analysis.panels.registry import find_panels
from fastcollapse.datasets.shipped import describe_recipe, sweeps
from fastcollapse.errors import InputError
from fastcollapse.simulation.experiment import Experiment
from fastcollapse.sweeps.points import Sweep
from fastcollapse.sweeps.sweep_section import varied_keys

TOML = """
[truth]
uniform = 10
[workflow]
n_samples = 5
keep_real = true
[run]
n_generations = 3
n_replicates = 2
seed = 7
[sweep]
{own}
[sweep.grid]
workflow.name = ["replace", "accumulate"]
"truth.uniform" = [10, 20, 30]
[sweep.zip]
"run.n_replicates" = [2, 4]
"workflow.n_samples" = [5, 6]
"""


def sweep_of(tmp_path, own="", text=TOML):
    (tmp_path / "s.toml").write_text(text.replace("{own}", own))
    return Sweep.from_toml(tmp_path / "s.toml")


def mapping(**sweep):
    return {
        "truth": {"uniform": 10},
        "workflow": {"name": "replace", "n_samples": 5},
        "run": {"n_generations": 3, "n_replicates": 2, "seed": 7},
        "sweep": sweep,
    }


def test_points__are_nested_loops_in_the_order_of_the_file(tmp_path):
    sweep = sweep_of(tmp_path)
    got = [
        (one["workflow"]["name"], one["truth"]["uniform"], one["run"]["n_replicates"], one["workflow"]["n_samples"])
        for one in (sweep[i].experiment.to_mapping() for i in range(len(sweep)))
    ]
    expected = [
        (name, k, r, n) for name in ("replace", "accumulate") for k in (10, 20, 30) for r, n in ((2, 5), (4, 6))
    ]
    assert got == expected
    assert sweep.shape == (2, 3, 2)
    assert (
        sweep[3].label == "workflow.name = 'replace', truth.uniform = 20, run.n_replicates = 4, workflow.n_samples = 6"
    )


def test_points__table_sets_several_keys():
    tables = [{"name": "replace"}, {"name": "accumulate", "keep_real": True}]
    sweep = Sweep(mapping(grid={"workflow": tables}))
    assert [sweep[i].experiment.workflow.to_mapping() for i in range(2)] == [
        {"n_samples": 5},
        {"n_samples": 5, "keep_real": True},
    ]


def test_varied_keys__of_section_are_keys_of_its_tables():
    assert varied_keys("workflow", [{"name": "replace"}, {"name": "mix", "n_real": 3}]) == [
        "workflow.name",
        "workflow.n_real",
    ]
    assert varied_keys("truth.rate", [1.0, 2.0]) == ["truth.rate"]


def test_seeds__equal_documented_function(tmp_path):
    point = sweep_of(tmp_path)[5].experiment
    plain = Experiment.from_mapping(
        {**(m := point.to_mapping()), "run": {k: m["run"][k] for k in m["run"] if k != "seed"}}
    )
    made = hashlib.sha256(b"fastcollapse sweep 1\0" + (7).to_bytes(8, "little") + bytes.fromhex(plain.digest))
    assert point.run.seed == int.from_bytes(made.digest()[:8], "little") >> 1


def test_seeds__do_not_depend_on_other_points():
    few = Sweep(mapping(grid={"truth.uniform": [20, 30]}))
    more = Sweep(mapping(grid={"truth.uniform": [10, 20, 30]}, seed=7))
    other = Sweep(mapping(grid={"truth.uniform": [20, 30]}, seed=8))
    seeds = [[sweep[i].experiment.run.seed for i in range(len(sweep))] for sweep in (few, more, other)]
    assert seeds[0] == seeds[1][1:]
    assert len({*seeds[1], *seeds[2]}) == 5


def test_seeds__paired_points_use_seed_of_sweep(tmp_path):
    sweep = sweep_of(tmp_path, "paired = true\nseed = 3")
    assert {sweep[i].experiment.run.seed for i in range(len(sweep))} == {3}


def test_seeds__varied_seeds_are_unchanged():
    sweep = Sweep(mapping(grid={"run.seed": [5, 9]}))
    assert [sweep[i].experiment.run.seed for i in range(2)] == [5, 9]


def test_digest__depends_on_points_only(tmp_path):
    digest = sweep_of(tmp_path).digest
    same = TOML.replace("seed = 7", 'seed = 7 # why\nrecord = ["metrics"]')
    assert sweep_of(tmp_path, text=same).digest == digest
    others = [
        TOML.replace("seed = 7", "seed = 8"),
        TOML.replace("20, 30", "30, 20"),
        TOML.replace("n_generations = 3", "n_generations = 4"),
        TOML.replace("[sweep]", "[sweep]\npaired = true"),
    ]
    digests = [sweep_of(tmp_path, text=text).digest for text in others]
    assert len({digest, *digests}) == 5


def test_digest__excludes_drawn_seed(tmp_path):
    free = sweep_of(tmp_path, text=TOML.replace("seed = 7", ""))
    assert free.seed is None
    assert free.resolve_seed().seed != free.resolve_seed().seed
    assert free.resolve_seed(5)[0].experiment.run.seed is not None


def test_with_values__changes_fixed_keys(tmp_path):
    sweep = sweep_of(tmp_path).with_values({"run.n_generations": 9, "run.seed": 1})
    assert (sweep[0].experiment.run.n_generations, sweep.seed) == (9, 1)
    with pytest.raises(InputError, match=r"truth\.uniform must be left to the sweep"):
        sweep.with_values({"truth.uniform": 3})


@pytest.mark.parametrize("key", ["sweep.paired", "sweep.grid.seed", "sweep"])
def test_with_values__does_not_change_sweep_section(tmp_path, key):
    with pytest.raises(InputError, match=f"^{key} must be changed in the file: it is no value of the experiment$"):
        sweep_of(tmp_path).with_values({key: True})


@pytest.mark.parametrize("name", sweeps())
def test_shipped_sweeps__are_complete_and_their_panels_exist(name):
    sweep = Sweep.from_toml(sweeps()[name])
    experiment = sweep[len(sweep) - 1].experiment
    assert describe_recipe(sweeps()[name])
    find_panels(experiment.family).check_names(experiment.recipe.panels)


BAD = {
    "nothing varied": ({}, r"sweep must have \[sweep.grid\] or \[sweep.zip\]"),
    "unknown key of sweep": ({"gird": {}}, "sweep.gird is not a known key, use grid.*did you mean 'grid'"),
    "unknown key of experiment": ({"grid": {"run.n_replicate": [1]}}, "run.n_replicate is not a known key.*point 0"),
    "unknown section": ({"grid": {"rnu.seed": [1]}}, "rnu is not a known section"),
    "no section": ({"grid": {"seed": [1]}}, 'sweep.grid."seed" must be a section and a key'),
    "not a list": ({"grid": {"run.seed": 3}}, 'sweep.grid."run.seed" must be a list of values, got 3'),
    "empty list": ({"zip": {"run.seed": []}}, 'sweep.zip."run.seed" must be a list of values'),
    "not a table": ({"grid": [1]}, "sweep.grid must be a table of dotted keys"),
    "a value twice": ({"grid": {"run.n_replicates": [1, 2, 1]}}, "must have each value once, got 1 twice"),
    "nan": ({"grid": {"truth.rate": [1.0, float("nan")]}}, "must hold finite numbers, strings, .*, got nan$"),
    "one is no table": ({"grid": {"workflow": [{"name": "replace"}, 3]}}, "or a list of tables, got 3$"),
    "the sweep itself": ({"grid": {"sweep.seed": [1, 2]}}, '"sweep.seed" must be a key of the experiment, got one of'),
    "unequal": (
        {"zip": {"run.n_replicates": [1, 2], "workflow.n_samples": [1, 2, 3]}},
        "sweep.zip must have lists of one length, got 2 of run.n_replicates, 3 of workflow.n_samples",
    ),
    "in both": ({"grid": {"run.seed": [1]}, "zip": {"run.seed": [2]}}, "must vary run.seed in one place"),
    "one within the other": (
        {"grid": {"workflow": [{"n_samples": 3}, {"name": "replace"}], "workflow.n_samples": [2]}},
        "must vary workflow.n_samples in one place, got workflow and",
    ),
    "a bad value": ({"grid": {"run.n_replicates": [1, 0]}}, r"n_replicates must be at least 1, got 0 \(point 1 of"),
    "the recipe": ({"grid": {"recipe.title": ["a"]}}, '"recipe.title" cannot be varied'),
    "paired seeds": ({"grid": {"run.seed": [1]}, "paired": True}, "sweep.paired must be left out where run.seed"),
    "paired seeds of tables": (
        {"grid": {"run": [{"seed": 1}, {"seed": 2}]}, "paired": True},
        "sweep.paired must be left",
    ),
    "paired is no flag": ({"grid": {"run.seed": [1]}, "paired": 1}, "sweep.paired must be true or false"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_input__is_refused_in_one_line(name):
    sweep, words = BAD[name]
    with pytest.raises(InputError) as error:
        Sweep(mapping(**sweep))
    assert "\n" not in str(error.value)
    assert re.search(words, str(error.value)), str(error.value)


def test_bad_input__two_identical_points():
    gaussian = {"model": {"family": "gaussian", "estimator": "mle"}, "truth": {}}
    with pytest.raises(InputError, match=r"points of a sweep must differ, got 0 and 2: truth\.sigma"):
        Sweep(mapping(grid={"truth.sigma": [1, 2, 1.0]}) | gaussian)


def test_bad_input__misspelled_workflow_key_is_refused(tmp_path):
    with pytest.raises(InputError, match="keep_rael is not a known key"):
        sweep_of(tmp_path, text=TOML.replace("keep_real", "keep_rael"))


def test_bad_input__sweep_is_not_an_experiment(tmp_path):
    sweep_of(tmp_path)
    with pytest.raises(InputError, match=r"this file has a \[sweep\] section: use `fastcollapse sweep`"):
        Experiment.from_toml(tmp_path / "s.toml")
