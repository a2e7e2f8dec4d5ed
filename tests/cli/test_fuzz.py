"""Random experiments run or are refused in one line; numbers depend neither on the order of keys nor on the locale.

Families, workflows and their fields are listed; the check of a field gives the values that it accepts.
"""

import dataclasses
import datetime
import json
import math
import os
import random
import shutil
import subprocess
import sys
import warnings
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fastcollapse.config.fields import (
    REQUIRED,
    BoolField,
    ChoiceField,
    FloatField,
    IntField,
    ListField,
    StringField,
)
from fastcollapse.config.section_base import TableField
from fastcollapse.config.sections import Recipe, Run
from fastcollapse.config.sizes import Growth, SizeField, TimesTruth
from fastcollapse.config.workflows import WORKFLOWS
from fastcollapse.datasets.load import load_truth
from fastcollapse.errors import InputError, NonFiniteError, UserCodeError
from fastcollapse.models.registry import families
from fastcollapse.models.registry import family as family_class
from fastcollapse.simulation.experiment import Experiment
from fastcollapse.simulation.experiment_file import parse_setting
from fastcollapse.simulation.schedules import real_size
from tests._runs import run_with_truth
from tests.test_conformance import CASES, assert_same, everything

ROOT = Path(__file__).parents[2]
FUZZ = settings(suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture])
# What is run must be over soon: no whole number but the seed is above this, and no pool of a schedule above the other.
LARGEST, LARGEST_POOL = 60, 400

SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-3, 20),
    st.sampled_from([10**15, 10**15 + 1, -(10**400), 2**63, 2**64 - 1, 2**64]),
    st.floats(),
    st.text(max_size=8),
    st.sampled_from(["truth", "", " ", "nan", "\x00", "a\nb", "../x", "counts.csv", "é" * 5000, "true", "1"]),
    st.sampled_from([datetime.date(2024, 1, 1), datetime.datetime(2024, 1, 1), datetime.time(1, 2)]),
)
ODD = st.sampled_from(
    [
        b"bytes", 1j, Decimal("1.5"), Fraction(1, 3), {1, 2}, range(3), object, print,
        np.arange(3), np.array(5), np.float32(0.5), np.int64(7), np.array([[0.5, 0.5]]), np.array("x"), np.bool_(True),
    ]
)  # fmt: skip
TOML_JUNK = st.recursive(
    SCALARS,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=4), inner, max_size=3)),
)
JUNK = st.one_of(TOML_JUNK, ODD, st.dictionaries(SCALARS, SCALARS, max_size=2))


def accepted(check):
    """Return small values that a check accepts."""
    if isinstance(check, IntField):
        return st.integers(check.minimum, min(check.maximum, max(check.minimum, 0) + 6))
    if isinstance(check, FloatField):
        top = min(check.maximum, max(check.minimum, 0.0) + 3.0)
        return st.floats(check.minimum, top, exclude_min=check.above, allow_nan=False)
    if isinstance(check, BoolField):
        return st.booleans()
    if isinstance(check, ChoiceField):
        return st.sampled_from(sorted(check.names()))
    if isinstance(check, StringField):
        return st.sampled_from(["counts.csv", "wide.csv", "a title"])
    if isinstance(check, ListField):
        return st.lists(accepted(check.entry), min_size=check.shortest, max_size=check.shortest + 2)
    if isinstance(check, TableField):
        return table_of(check.cls)
    if isinstance(check, SizeField):
        number = st.integers(check.minimum, 20)
        names, lists = st.sampled_from(check.names or ("truth",)), st.lists(number, min_size=1, max_size=6)
        return st.one_of(number, names, lists, table_of(Growth), table_of(TimesTruth))
    inner = (
        [getattr(check, field.name) for field in dataclasses.fields(check)] if dataclasses.is_dataclass(check) else []
    )
    known = [accepted(one) for one in inner if hasattr(one, "text")]
    return st.one_of(*known, *(st.lists(one, min_size=1, max_size=3) for one in known), SCALARS)


def table_of(cls):
    """Return mappings of the parameters of a section, often without those that have a default."""
    fields = {field.name: accepted(field.metadata["check"]) for field in dataclasses.fields(cls)}
    required = {name for name, field in zip(fields, dataclasses.fields(cls), strict=True) if field.default is REQUIRED}
    return st.fixed_dictionaries(
        {name: fields[name] for name in required},
        optional={name: values for name, values in fields.items() if name not in required},
    )


def fields_of(family, workflow):
    """Return (section, field) -> values that the field accepts."""
    offered = family_class(family)
    classes = {
        "model": offered.PARAMETERS,
        "truth": offered.TRUTH,
        "workflow": WORKFLOWS[workflow],
        "run": Run,
        "recipe": Recipe,
    }
    found = {
        (section, field.name): accepted(field.metadata["check"])
        for section, cls in classes.items()
        for field in dataclasses.fields(cls)
    }
    found["model", "family"] = st.sampled_from(families())
    found["workflow", "name"] = st.sampled_from(sorted(WORKFLOWS))
    found["run", "record"] = st.sampled_from([["metrics"], ["metrics", "trajectory"], "trajectory", "metrics"])
    return found


@st.composite
def experiments(draw, junk=JUNK):
    """Return an experiment of the conformance test with up to three changes."""
    # The family first, because some have many more cases than others.
    named = draw(st.sampled_from(families()))
    family, case, workflow = draw(st.sampled_from([param.values for param in CASES if param.values[0] == named]))
    made = __import__(f"tests.naive.{family}", fromlist=["CASES"]).CASES[case]
    sizes = {name: size for name, size in made.sizes.items() if name in workflow}
    mapping = {
        "model": {"family": family, **made.model},
        "truth": dict(made.truth),
        "workflow": {**workflow, **sizes},
        "run": {"n_generations": 3, "n_replicates": 2, "seed": 1},
    }
    fields = fields_of(family, workflow["name"])
    for _ in range(draw(st.integers(0, 3))):
        section, name = draw(st.sampled_from(sorted(fields)))
        how = draw(st.sampled_from(["accepted", "accepted", "accepted", "junk", "gone", "section", "more"]))
        if how == "section":
            mapping[section] = draw(junk)
        elif how == "more":
            mapping[draw(st.one_of(st.just(section), SCALARS.filter(lambda key: key.__hash__)))] = {
                draw(SCALARS.filter(lambda key: key.__hash__)): draw(junk)
            }
        elif isinstance(mapping.setdefault(section, {}), dict):
            if how == "gone":
                mapping[section].pop(name, None)
            else:
                mapping[section][name] = draw(fields[section, name] if how == "accepted" else junk)
    return mapping


def whole_numbers(value):
    if isinstance(value, dict):
        return [n for key, inner in value.items() if key != "seed" for n in whole_numbers(inner)]
    if isinstance(value, (list, tuple)):
        return [n for inner in value for n in whole_numbers(inner)]
    return [value] if isinstance(value, int) else []


def one_line(error):
    text = str(error)
    assert text.strip()
    assert len(text.splitlines()) == 1
    assert "Traceback" not in text
    return text


def outcome(mapping, folder):
    """Return the results of a run, the line of its refusal, or None if it would take too long."""
    try:
        experiment = Experiment.from_mapping(mapping, base=folder)
        assert Experiment.from_mapping(json.loads(experiment.json)).digest == experiment.digest
        numbers = experiment.to_mapping()
        sizes = numbers["workflow"]
        # What is given: a default may be large where it bounds and does not ask.
        has_long_text = numbers["truth"].get("text", "toy.txt") != "toy.txt"
        if max(whole_numbers({**mapping, "workflow": {}}), default=0) > LARGEST or has_long_text:
            return None
        truth = load_truth(experiment.truth, folder)
        total = real_size(experiment, truth)
        schedule = experiment.workflow.schedule(experiment.run.n_generations, total)
        if sizes["name"] and max(schedule.pool_totals(total).max(), schedule.n_train.max()) > LARGEST_POOL:
            return None
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return everything(run_with_truth(experiment, truth, threads=1))
    except InputError as error:
        return one_line(error)
    except (NonFiniteError, UserCodeError) as error:  # such as an estimator that cannot score a law of one point
        return one_line(error)


@FUZZ
@given(mapping=experiments())
def test_mapping__runs_or_is_refused_in_one_line(tables, mapping):
    outcome(mapping, tables)


@pytest.mark.slow
@settings(FUZZ, max_examples=5000, derandomize=False)
@given(mapping=experiments())
def test_mapping__runs_or_is_refused_in_one_line_many_times(tables, mapping):
    outcome(mapping, tables)


def test_mappings__are_of_all_kinds(tables):
    """Negative control: runs, refusals and large experiments are all frequent, and no family is left out."""
    found = {"run": 0, "refused": 0, "large": 0}
    seen = set()

    @settings(FUZZ, max_examples=800, database=None)
    @given(mapping=experiments())
    def look(mapping):
        got = outcome(mapping, tables)
        found["large" if got is None else "refused" if isinstance(got, str) else "run"] += 1
        if isinstance(got, list):
            seen.add(mapping.get("model", {}).get("family", "discrete"))

    look()
    assert found["run"] > 15
    assert found["refused"] > 30
    assert seen == set(families())


@FUZZ
@given(value=JUNK)
def test_experiment__that_is_no_table_is_refused_in_one_line(value):
    with pytest.raises(InputError) as error:
        Experiment.from_mapping(value)
    one_line(error.value)


def toml(value):
    """Return a value as TOML; values that TOML does not have are a bare word, which is invalid."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, float):
        return "nan" if math.isnan(value) else f"{'-' if value < 0 else ''}inf" if math.isinf(value) else repr(value)
    if isinstance(value, int):
        return hex(value) if abs(value) > 10**300 else str(value)
    if isinstance(value, dict):
        return "{" + ", ".join(f"{toml(str(key))} = {toml(inner)}" for key, inner in value.items()) + "}"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(map(toml, value)) + "]"
    return value.isoformat() if isinstance(value, (datetime.date, datetime.time)) else "nothing"


@st.composite
def texts(draw):
    """Return an experiment file, valid or with text inserted, removed or repeated."""
    mapping = draw(experiments(TOML_JUNK))
    text = "".join(
        f"[{section}]\n" + "".join(f"{key} = {toml(value)}\n" for key, value in values.items())
        if isinstance(values, dict)
        else f"{section} = {toml(values)}\n"
        for section, values in mapping.items()
    )
    for _ in range(draw(st.integers(0, 2))):
        low, n = draw(st.integers(0, len(text))), draw(st.integers(0, 12))
        twice, signs = text[low : low + n] * 2, st.sampled_from(['"', "]", "\x00", "[["])
        put = draw(st.one_of(st.text(max_size=4), st.just(twice), signs))
        text = text[:low] + put + text[low + n :]
    return text


@FUZZ
@given(text=st.one_of(texts(), st.text()), raw=st.booleans(), ending=st.binary(max_size=3))
def test_toml__runs_or_is_refused_in_one_line(tables, text, raw, ending):
    path = tables / "fuzz.toml"
    path.write_bytes(text.encode("utf-8", "surrogatepass") + (ending if raw else b""))
    try:
        experiment = Experiment.from_toml(path)
    except InputError as error:
        one_line(error)
    else:
        outcome(experiment.to_mapping(), tables)


@FUZZ
@given(setting=st.text(), key=st.text(), value=JUNK, name=st.sampled_from(sorted(fields_of("gaussian", "mix"))))
def test_setting__is_taken_or_refused_in_one_line(setting, key, value, name):
    experiment = Experiment.from_mapping(
        {
            "model": {"family": "gaussian", "estimator": "mle"},
            "workflow": {"name": "replace", "n_samples": 9},
            "run": {"n_generations": 2, "n_replicates": 2},
        }
    )
    for values in ({key: value}, {".".join(name): value}, {f"{name[0]}.{key}": value}):
        try:
            experiment.with_values(values)
        except InputError as error:
            one_line(error)
    try:
        parse_setting(setting)
        parse_setting(f"{'.'.join(name)}={setting}")
    except InputError as error:
        one_line(error)


def shuffled(value, rng):
    if not isinstance(value, dict):
        return value
    keys = list(value)
    rng.shuffle(keys)
    return {key: shuffled(value[key], rng) for key in keys}


@settings(FUZZ, max_examples=40)
@given(mapping=experiments(), seed=st.integers(0, 10**6))
def test_numbers__do_not_depend_on_the_order_of_keys(tables, mapping, seed):
    if isinstance(mapping.get("run"), dict):  # a seed that is drawn is another one each time
        mapping = {**mapping, "run": {"seed": 1, **mapping["run"]}}
    expected, got = outcome(mapping, tables), outcome(shuffled(mapping, random.Random(seed)), tables)
    if isinstance(expected, list):
        assert_same(got, expected)
    else:
        assert (got is None) == (expected is None)
        assert isinstance(got, str) == isinstance(expected, str)


LOCALE_RUN = """
import json, locale, sys
locale.setlocale(locale.LC_ALL, "")
from fastcollapse.cli.main import main
print(json.dumps([locale.localeconv()["decimal_point"]]), flush=True)
main(["run", "run.toml", "-o", sys.argv[1]])
"""


def test_numbers__do_not_depend_on_the_locale(tmp_path):
    """The test creates a German locale, in which one half is written 0,5."""
    built = tmp_path / "de_DE.UTF-8"
    if shutil.which("localedef") is None:
        pytest.skip("no localedef to make a locale with")
    subprocess.run(["localedef", "-i", "de_DE", "-f", "UTF-8", str(built)], check=False, capture_output=True)
    if not built.is_dir():
        pytest.skip("the system has no description of a locale with commas")
    (tmp_path / "run.toml").write_text(
        "[truth]\nprobabilities = [0.125, 0.875]\n[workflow]\nname = 'replace'\n"
        "n_samples = {start = 50, factor = 1.5}\n[run]\nn_generations = 4\nn_replicates = 3\nseed = 1\n"
    )
    found = {}
    for name in ("C", "de_DE.UTF-8"):
        env = {**os.environ, "LOCPATH": str(tmp_path), "LC_ALL": name, "PYTHONPATH": str(ROOT)}
        call = [sys.executable, "-c", LOCALE_RUN, f"{name[0]}.h5"]
        done = subprocess.run(call, cwd=tmp_path, env=env, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        found[name] = json.loads(done.stdout.splitlines()[0])[0], done.stdout.split("\n", 1)[1]
    assert (found["C"][0], found["de_DE.UTF-8"][0]) == (".", ",")
    assert (tmp_path / "C.h5").exists()
    from fastcollapse import open_results

    one, other = (open_results(tmp_path / f"{name}.h5") for name in ("C", "d"))
    assert one.experiment.digest == other.experiment.digest
    assert_same(everything(one), everything(other))
