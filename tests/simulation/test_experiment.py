"""Experiments: reading, checks, new values and digests."""

import dataclasses
import pickle
import subprocess
import sys
import tomllib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fastcollapse import simulate
from fastcollapse.config.workflows import WORKFLOWS
from fastcollapse.datasets.shipped import recipes
from fastcollapse.errors import InputError
from fastcollapse.models.registry import families
from fastcollapse.simulation.experiment import Experiment
from fastcollapse.simulation.experiment_file import parse_setting
from fastcollapse.simulation.parameter_table import parameters

GOOD = {
    "model": {"family": "discrete"},
    "truth": {"uniform": 10},
    "workflow": {"name": "replace", "n_samples": 100},
    "run": {"n_generations": 5, "n_replicates": 2, "seed": 1},
}
ACCUMULATE = {"name": "accumulate_subsample", "n_samples": 100, "keep_real": True, "replacement": False}


def changed(section, **values):
    return {**GOOD, section: {**GOOD[section], **values}}


def message_of(mapping):
    with pytest.raises(InputError) as caught:
        Experiment.from_mapping(mapping)
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize(
    ("mapping", "expected"),
    [
        (changed("workflow", n_samples=0), "workflow.n_samples must be at least 1, got 0"),
        (
            changed("run", n_generations=5.0),
            "run.n_generations must be a whole number, written without a decimal point, got 5.0",
        ),
        (changed("run", n_generations=10**7 + 1), "run.n_generations must be at most 10**7, got 10000001"),
        (changed("run", n_replicates=True), "run.n_replicates must be a whole number, got True"),
        (changed("run", n_replicates="ten"), "run.n_replicates must be a whole number, got 'ten'"),
        (changed("run", seed=-1), "run.seed must be at least 0, got -1"),
        (changed("run", seed=2**64), "run.seed must be at most 2**64 - 1, got 18446744073709551616"),
        (changed("run", seed=10**5000), "run.seed must be at most 2**64 - 1, got a int too large to show"),
        (changed("run", record="states"), "run.record must be of metrics, trajectory, support_size, "),
        (changed("run", record=[]), "run.record must be a list of at least 1, got []"),
        (changed("run", record=["metrics", "metrics"]), "run.record must not contain a name twice"),
        (changed("run", record=["metrics", 3]), "run.record[1] must be a string that is not empty, got 3"),
        (
            changed("run", n_generatons=5),
            "run.n_generatons is not a known key, use n_generations, n_replicates, seed, "
            "record, stop (did you mean 'n_generations'?)",
        ),
        (changed("run", **{"two\nlines": 5}), "run.'two\\nlines' is not a known key"),
        (
            {**GOOD, "run": {}},
            "run.n_generations is required: whole number from 1 to 10**7; run.n_replicates is ",
        ),
        ({**GOOD, "run": {3: 4, "n_generations": 1, "n_replicates": 1}}, "run.3 is not a known key"),
        ({**GOOD, "truth": 3}, "truth must be a table of keys and values, got 3"),
        (
            {**GOOD, "wrkflow": {}},
            "wrkflow is not a known section, use model, truth, workflow, run, sampling, recipe "
            "(did you mean 'workflow'?)",
        ),
        ({**GOOD, 3: {}}, "3 is not a section name"),
        (changed("model", family="discreet"), "model.family must be one of "),
        (changed("model", family="discreet"), "got 'discreet' (did you mean 'discrete'?)"),
        (
            {**GOOD, "truth": {}},
            "truth must have exactly one of text, counts, counts_of_counts, zipf_mandelbrot, uniform, probabilities, "
            "got none",
        ),
        (changed("truth", text="x"), "got text and uniform"),
        ({**GOOD, "truth": {"text": " "}}, "truth.text must be a string that is not empty, got ' '"),
        ({**GOOD, "truth": {"uniform": 1}}, "truth.uniform must be at least 2, got 1"),
        (
            {**GOOD, "truth": {"probabilities": [1.0]}},
            "truth.probabilities must be a list of at least 2, got [1.0]",
        ),
        (
            {**GOOD, "truth": {"probabilities": [1.5, -0.5]}},
            "truth.probabilities[0] must be at most 1, got 1.5",
        ),
        (
            {**GOOD, "truth": {"probabilities": [0.5, -0.5]}},
            "truth.probabilities[1] must be at least 0, got -0.5",
        ),
        (
            {**GOOD, "truth": {"probabilities": [0.5, float("nan")]}},
            "truth.probabilities[1] must be a finite number",
        ),
        (
            {**GOOD, "truth": {"probabilities": [0.5, float("inf")]}},
            "truth.probabilities[1] must be a finite number",
        ),
        (
            {**GOOD, "truth": {"probabilities": [0.5, 10**400]}},
            "truth.probabilities[1] must be at most 1, got 1",
        ),
        (
            {**GOOD, "truth": {"probabilities": [0.5, 0.499]}},
            "truth.probabilities must sum to 1 within 1e-9, got a sum of 0.999",
        ),
        ({**GOOD, "truth": {"probabilities": 1.0}}, "truth.probabilities must be a list, got 1.0"),
        (
            {**GOOD, "truth": {"zipf_mandelbrot": 3}},
            "truth.zipf_mandelbrot must be a table {a, b, size}, got 3",
        ),
        (
            {**GOOD, "truth": {"zipf_mandelbrot": {"a": 0, "b": -1.0, "size": 1, "c": 2}}},
            "truth.zipf_mandelbrot.c is not a known key, use a, b, size; "
            "truth.zipf_mandelbrot.a must be above 0, got 0; "
            "truth.zipf_mandelbrot.b must be above -1, got -1.0; "
            "truth.zipf_mandelbrot.size must be at least 2, got 1",
        ),
        (
            {**GOOD, "workflow": {"n_samples": 5}},
            "workflow.name is required: replace | accumulate | accumulate_subsample | mix",
        ),
        (
            changed("workflow", name="replac"),
            "workflow.name must be one of replace, accumulate, accumulate_subsample, mix, "
            "got 'replac' (did you mean 'replace'?)",
        ),
        (changed("workflow", name=["mix"]), "got ['mix']"),
        (
            changed("workflow", keep_real=True),
            "workflow.keep_real belongs to accumulate, accumulate_subsample, not to replace",
        ),
        (changed("workflow", name="accumulate"), "workflow.keep_real is required: true or false"),
        ([], "an experiment must be a table of sections, got []"),
    ],
)
def test_from_mapping__refuses_with_the_key_the_value_and_what_is_allowed(mapping, expected):
    assert expected in message_of(mapping)


def test_from_mapping__names_all_errors_at_once():
    got = message_of(
        {
            **GOOD,
            "truth": {"uniform": 0},
            "workflow": {"name": "mix", "n_samples": 0, "n_real": -1},
            "run": {"n_generations": 0, "n_replicates": 0, "sede": 3},
        }
    )
    for key in (
        "truth.uniform",
        "workflow.n_samples",
        "workflow.n_real",
        "workflow.real",
        "run.n_generations",
        "run.n_replicates",
        "run.sede",
    ):
        assert key in got


def test_from_mapping__fills_defaults():
    experiment = Experiment.from_mapping({k: v for k, v in GOOD.items() if k != "model"})
    assert experiment.family == "discrete"
    assert experiment.run.record == ("metrics",)


def test_from_mapping__accepts_numpy_values():
    experiment = Experiment.from_mapping(
        {**changed("run", seed=np.uint64(2**64 - 1)), "truth": {"probabilities": np.array([0.25, 0.75])}}
    )
    assert experiment.to_mapping()["truth"] == {"probabilities": [0.25, 0.75]}
    assert experiment.run.seed == 2**64 - 1


@pytest.mark.parametrize(
    "mapping",
    [
        GOOD,
        {**GOOD, "workflow": ACCUMULATE},
        changed("workflow", n_samples={"start": 10, "factor": 1.5}),
        changed("run", record=["trajectory", "metrics"]),
        {**GOOD, "truth": {"zipf_mandelbrot": {"a": 1, "b": 2.7, "size": 1000}}},
        {
            **GOOD,
            "workflow": {"name": "mix", "n_samples": [1, 2, 3, 4, 5], "n_real": "truth", "real": "fixed"},
        },
    ],
)
def test_to_mapping__reads_back_as_the_same_experiment(mapping):
    experiment = Experiment.from_mapping(mapping)
    again = Experiment.from_mapping(experiment.to_mapping())
    assert again == experiment
    assert again.digest == experiment.digest
    assert pickle.loads(pickle.dumps(experiment)) == experiment


def test_digest__depends_on_values_only():
    expected = Experiment.from_mapping(GOOD).digest
    turned = {name: dict(reversed(GOOD[name].items())) for name in reversed(GOOD)}
    assert Experiment.from_mapping(turned).digest == expected
    assert Experiment.from_mapping(changed("run", record="metrics"), text="# other text").digest == expected
    assert Experiment.from_mapping(changed("run", seed=2)).digest != expected
    unset = {name: value for name, value in GOOD["run"].items() if name != "seed"}
    assert (
        Experiment.from_mapping({**GOOD, "run": unset}).digest
        == Experiment.from_mapping(changed("run", seed=None)).digest
    )
    one = {**GOOD, "truth": {"zipf_mandelbrot": {"a": 1, "b": -0.0, "size": 5}}}
    two = {**GOOD, "truth": {"zipf_mandelbrot": {"a": 1.0, "b": 0, "size": 5}}}
    assert Experiment.from_mapping(one).digest == Experiment.from_mapping(two).digest


def test_resolve_seed__draws_once_and_keeps_a_given_one():
    drawn = Experiment.from_mapping(changed("run", seed=None)).resolve_seed()
    assert 0 <= drawn.run.seed < 2**63
    assert drawn.resolve_seed() is drawn
    assert Experiment.from_mapping(changed("run", seed=0)).resolve_seed().run.seed == 0


def test_with_values__changes_only_what_is_named():
    experiment = Experiment.from_mapping(GOOD, text="# mine")
    got = experiment.with_values({"run.n_generations": 200, "truth.zipf_mandelbrot": {"a": 1, "b": 0, "size": 4}})
    expected = {
        **changed("run", n_generations=200, record=["metrics"]),
        "truth": {"zipf_mandelbrot": {"a": 1.0, "b": 0.0, "size": 4}},
    }
    assert got.to_mapping() == expected
    assert got.text == "# mine"
    assert experiment.run.n_generations == 5
    assert got.with_values({"truth.zipf_mandelbrot.a": 2}).truth.zipf_mandelbrot.a == 2.0


def test_with_values__another_workflow_drops_what_only_the_old_one_had():
    experiment = Experiment.from_mapping({**GOOD, "workflow": ACCUMULATE})
    got = experiment.with_values({"workflow.name": "replace"}).to_mapping()["workflow"]
    assert got == {"name": "replace", "n_samples": 100}
    with pytest.raises(InputError, match="belongs to accumulate, accumulate_subsample, not to replace"):
        experiment.with_values({"workflow.name": "replace", "workflow.keep_real": True})


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (
            {"n_generations": 3},
            "'n_generations' must be a section and a key such as run.seed (did you mean 'run.n_generations'?)",
        ),
        ({"run.": 3}, "'run.' must be a section and a key"),
        ({"run.seeed": 3}, "run.seeed is not a known key"),
        ({"truth.unifrom": 3}, "truth.unifrom is not a known key"),
        ({"rum.seed": 3}, "rum is not a known section"),
        ({"run.seed.low": 3}, "run.seed must be a whole number, got {'low': 3}"),
        ({"workflow.name": "x"}, "workflow.name must be one of"),
        ({"run.n_generations": "many"}, "run.n_generations must be a whole number, got 'many'"),
    ],
)
def test_with_values__refuses_by_key(values, expected):
    with pytest.raises(InputError) as caught:
        Experiment.from_mapping(GOOD).with_values(values)
    assert expected in str(caught.value)


@pytest.mark.parametrize(
    ("setting", "expected"),
    [
        ("run.seed=3", ("run.seed", 3)),
        (" run.seed = 3 ", ("run.seed", 3)),
        ("a.b=1e3", ("a.b", 1000.0)),
        ("a.b=true", ("a.b", True)),
        ("a.b=mix", ("a.b", "mix")),
        ('a.b="mix"', ("a.b", "mix")),
        ("a.b=[1, 2]", ("a.b", [1, 2])),
        ("a.b={start = 1, step = 2}", ("a.b", {"start": 1, "step": 2})),
        ("a.b=data/x=y.txt", ("a.b", "data/x=y.txt")),
        ("a.b=3 # no", ("a.b", 3)),
        ("a.b=12abc", ("a.b", "12abc")),
        ("a.b=3\nc=4", ("a.b", "3\nc=4")),
    ],
)
def test_parse_setting__reads_toml_values_and_bare_words(setting, expected):
    assert parse_setting(setting) == expected


@pytest.mark.parametrize(
    "setting", ["run.seed", "=3", "run.seed=", "a.b=[1, 2", "a.b={", "a.b='x", "a.b=" + "[" * 9999]
)
def test_parse_setting__refuses_what_has_no_meaning(setting):
    with pytest.raises(InputError, match=r"must be (key=value|a TOML value)"):
        parse_setting(setting)


def test_from_toml__keeps_the_text_and_the_folder(tmp_path):
    path = tmp_path / "x.toml"
    text = (
        "# mine\n[truth]\nuniform = 3\n[workflow]\nname = 'replace'\nn_samples = 4\n[run]\n"
        "n_generations = 1\n"
        "n_replicates = 1\n"
    )
    path.write_bytes(text.encode())
    experiment = Experiment.from_toml(path)
    assert experiment.text == text
    assert experiment.base == tmp_path.resolve()


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"[run\n", "must be valid TOML: line 1, at the end of '[run': Expected ']'"),
        (b"a = 1\na = 2\n", "line 2, at the end of 'a = 2': a key or a table is given twice"),
        (b"\xff\xfe", "must be TOML text in UTF-8, got UTF-16"),
        (b"\xff\xfa", "must be UTF-8 text"),
        (b"a = \x00", "must be valid TOML"),
        (b"", "truth must have exactly one"),
        (b"a = " + b"[" * 5000, "must be valid TOML"),
        (b"a = " + b"9" * 5000, "must be valid TOML"),
    ],
)
def test_from_toml__refuses_a_bad_file_in_one_line(tmp_path, content, expected):
    path = tmp_path / "bad.toml"
    path.write_bytes(content)
    with pytest.raises(InputError) as caught:
        Experiment.from_toml(path)
    assert expected in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("none.toml", "does not exist"),
        ("", "must be a file, got a directory"),
        ("a\0b", "cannot be read"),
        ("x" * 300, "cannot be read: File name too long"),
    ],
)
def test_from_toml__refuses_a_path_that_is_no_file(tmp_path, name, expected):
    with pytest.raises(InputError) as caught:
        Experiment.from_toml(f"{tmp_path}/{name}")
    assert expected in str(caught.value)


def test_from_toml__ends_on_an_endless_file():
    with pytest.raises(InputError, match="must be at most 64 MiB"):
        Experiment.from_toml("/dev/zero")


@pytest.mark.parametrize("name", recipes())
def test_recipes__are_experiments(name):
    experiment = Experiment.from_toml(recipes()[name])
    assert experiment.text.startswith("# ")
    assert experiment.run.seed is not None


def test_parameters__list_every_field_with_help():
    table = parameters()
    # Families may share a key; each says what it is there.
    assert len({(p.key, p.help) for p in table}) == len(table)
    for cls in WORKFLOWS.values():
        assert {f"workflow.{f.name}" for f in dataclasses.fields(cls)} <= {p.key for p in table}
    for parameter in table:
        assert parameter.kind
        assert parameter.help
        assert parameter.default


def test_families__are_found_without_importing_them():
    assert "discrete" in families()
    assert not {"base", "__init__"} & set(families())
    code = "import sys, fastcollapse.models.registry as r; r.families(); sys.exit('numpy' in sys.modules)"
    probe = subprocess.run([sys.executable, "-c", code], check=False)
    assert probe.returncode == 0


scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=8),
    st.binary(max_size=4),
    st.dates(),
    st.sampled_from(["replace", "mix", "truth", "metrics", "discrete", 2, 10, 0.5]),
)
values = st.recursive(
    scalars,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.tuples(inner),
        st.dictionaries(
            st.one_of(
                st.text(max_size=4),
                st.integers(),
                st.sampled_from(["start", "factor", "step", "a", "b", "size"]),
            ),
            inner,
            max_size=4,
        ),
    ),
    max_leaves=8,
)
names = st.sampled_from([p.key.rpartition(".")[2] for p in parameters()])
tables = st.dictionaries(st.one_of(names, st.text(max_size=4), st.none()), values, max_size=8)
keys = st.one_of(st.sampled_from(list(GOOD)), st.text(max_size=4), st.integers())


@settings(deadline=None, max_examples=300)
@given(wild=st.dictionaries(keys, st.one_of(values, tables), max_size=5), base=st.sampled_from([{}, GOOD]))
def test_from_mapping__gives_an_experiment_or_one_line(wild, base):
    mapping = {
        **base,
        **{k: {**base[k], **v} if k in base and isinstance(v, dict) else v for k, v in wild.items()},
    }
    try:
        experiment = Experiment.from_mapping(mapping)
    except InputError:
        assert "\n" not in message_of(mapping)
    else:
        assert Experiment.from_mapping(experiment.to_mapping()) == experiment


@settings(deadline=None, max_examples=200)
@given(content=st.one_of(st.binary(max_size=80), st.text(max_size=80).map(str.encode)))
def test_from_toml__gives_an_experiment_or_one_line_for_any_bytes(tmp_path_factory, content):
    path = tmp_path_factory.mktemp("any") / "x.toml"
    path.write_bytes(content)
    with pytest.raises(InputError) as caught:
        Experiment.from_toml(path)
    assert len(str(caught.value).splitlines()) == 1


def test_recipe__of_a_mapping_is_recorded():
    recipe = {"title": "Two sizes \x7f", "source": "a paper", "cases": [{"run.seed": 1}, {"run.seed": 2}]}
    sections = {"truth": {"uniform": 3}, "workflow": {"name": "replace", "n_samples": 5}}
    run = {"n_generations": 2, "n_replicates": 2}
    experiment = Experiment.from_mapping({**sections, "run": run, "recipe": recipe})
    assert tomllib.loads(experiment.text)["recipe"].items() >= recipe.items()
    results = simulate(experiment.cases()[1])
    assert (results.recipe.title, results.recipe.source) == ("Two sizes \x7f", "a paper")
    assert Experiment.from_mapping({**sections, "run": run}).text == ""


@pytest.mark.parametrize("key", ["model.order", "sampling.best_of"])
def test_from_mapping__refuses_an_array_in_place_of_a_number_in_one_line(key):
    sections = {
        "model": {"family": "ngram" if key == "model.order" else "discrete"},
        "truth": {"text": "toy.txt"} if key == "model.order" else {"uniform": 4},
        "workflow": {"name": "replace", "n_samples": 5},
        "run": {"n_generations": 2, "n_replicates": 2},
    }
    section, name = key.split(".")
    sections.setdefault(section, {})[name] = np.array([[0.5, 0.5]])
    with pytest.raises(InputError, match=key) as refused:
        Experiment.from_mapping(sections)
    assert "\n" not in str(refused.value)


def test_repr__has_all_keys_and_cuts_long_values():
    covariance = np.eye(100)
    mapping = {
        "model": {"family": "gaussian", "estimator": "mle"},
        "truth": {"covariance": covariance},
        "workflow": {"name": "replace", "n_samples": 200},
        "run": {"n_generations": 2, "n_replicates": 3},
    }
    text = repr(Experiment.from_mapping(mapping))
    assert text.startswith("<Experiment: model.family = 'gaussian', model.estimator = 'mle', truth.dimension = 100, ")
    assert "workflow.n_samples = 200, run.n_generations = 2, run.n_replicates = 3" in text
    assert len(text) < 500


@pytest.mark.parametrize(
    ("record", "expected"),
    [
        (["metrics", "mmd"], ("centre", "ise", "mmd", "nll", "second_moment", "within_variance")),
        (
            ["trajectory", "mmd", "metrics"],
            ("centre", "ise", "mmd", "nll", "second_moment", "within_variance", "trajectory"),
        ),
        (["metrics", "nll"], ("metrics",)),
        (["metrics", "nll", "trajectory"], ("metrics", "trajectory")),
        (["nll", "mmd"], ("mmd", "nll")),
    ],
)
def test_record__of_all_metrics_and_names_has_both(record, expected):
    sections = {
        "model": {"family": "kde", "bandwidth": 0.3},
        "truth": {"shape": "moons"},
        "workflow": {"name": "replace", "n_samples": 5},
        "run": {"n_generations": 1, "n_replicates": 1, "seed": 1, "record": record},
    }
    experiment = Experiment.from_mapping(sections)
    assert experiment.run.record == expected
    assert Experiment.from_mapping(experiment.to_mapping()) == experiment
