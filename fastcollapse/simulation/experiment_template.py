"""Template of an experiment file: every key of a family with its help; it runs as it is."""

import dataclasses
import textwrap
from collections.abc import Iterator, Mapping
from typing import Any

from fastcollapse.config.fields import REQUIRED
from fastcollapse.config.sampling import Sampling
from fastcollapse.config.section_base import Section, TableField
from fastcollapse.config.sections import Run
from fastcollapse.config.toml_text import toml_value
from fastcollapse.config.workflows import WORKFLOWS
from fastcollapse.models.registry import family as family_class
from fastcollapse.simulation.example_experiments import example_experiments, example_values, served_keys
from fastcollapse.simulation.parameter_table import serves_map

_WIDTH = 100
_RUN = {"n_generations": 20, "n_replicates": 100}
_INTRODUCTION = """An experiment of the {family} family. To run it: fastcollapse run FILE.toml

A line such as "#seed = 3" is a key that is not set: remove its # to set it. Values that are set are only examples."""


def experiment_template(name: str) -> str:
    """Return an experiment file with the keys of a family: required ones with a value, and optional ones as comments.

    A comment before each key has its help, the values that it accepts and its default.

    Raises
    ------
    InputError
        There is no such family.

    Examples
    --------
    >>> print(experiment_template("poisson").partition("[truth]")[2].partition("[workflow]")[0].strip())
    # Rate: the mean of a count. Accepts: number above 0, at most 1e+15.
    rate = 0.5
    """
    model = family_class(name)
    example = next(example_experiments(name))
    workflows = served_keys(name)
    kinds = " | ".join(workflows)
    workflow = {key: value for key, value in example["workflow"].items() if key != "name"}
    parts = [
        [*map(_comment, _INTRODUCTION.format(family=name).split("\n\n"))],
        ["[model]", f"family = {toml_value(name)}", *_keys(model.PARAMETERS, example["model"])],
        ["[truth]", *_alternatives(model.TRUTH.alternatives), *_keys(model.TRUTH, example["truth"])],
        [
            "[workflow]",
            _comment(f"Data that each generation is fitted to: {kinds}."),
            f"name = {toml_value(example['workflow']['name'])}",
            *_keys(WORKFLOWS[example["workflow"]["name"]], workflow),
        ],
        *_other_workflows(workflows, example["workflow"]["name"]),
        *_maps(name),
        ["[run]", *_keys(Run, _RUN)],
    ]
    return "\n\n".join("\n".join(part) for part in parts) + "\n"


def _keys(section: type[Section], given: Mapping[str, Any], only: set[str] | None = None) -> Iterator[str]:
    """Yield the lines of the keys of a section, or of some of them: first those that are given."""
    fields = [field for field in dataclasses.fields(section) if only is None or field.name in only]
    for field in sorted(fields, key=lambda field: field.name not in given):
        yield from _described(field)
        if field.name in given:
            yield f"{field.name} = {toml_value(given[field.name])}"
        else:
            yield f"#{field.name} = {_example(section, field)}"


def _described(field: Any) -> Iterator[str]:
    """Yield the comment of a key: its help, the values that it accepts, its default, and the keys of a table."""
    check, default = field.metadata["check"], field.default
    end = "" if default is REQUIRED or default is None else f" Default: {toml_value(default)}."
    accepted = "a table of" if isinstance(check, TableField) else f"{check.text}.{end}"
    help_text = field.metadata["help"]
    yield _comment(f"{help_text[:1].upper()}{help_text[1:]}. Accepts: {accepted}")
    for inner in dataclasses.fields(check.cls) if isinstance(check, TableField) else ():
        inner_check = inner.metadata["check"]
        yield _comment(f"  {inner.name}: {inner.metadata['help']}; {inner_check.text}")


def _example(section: type[Section], field: Any) -> str:
    """Return a value for a key that is not set: its default, or one that its check accepts."""
    if field.default is not REQUIRED and field.default is not None:
        return toml_value(field.default)
    of_section = [values[field.name] for values in section.EXAMPLES if field.name in values]
    found = of_section or example_values(field.metadata["check"])
    return toml_value(found[0]) if found else '"..."'


def _alternatives(alternatives: Mapping[str, tuple[str, ...]]) -> Iterator[str]:
    if alternatives:
        yield _comment(f"Exactly one of {', '.join(alternatives)} is set.")


def _other_workflows(served: Mapping[str, list[str]], chosen: str) -> Iterator[list[str]]:
    """Yield the keys of the workflows that the template does not use."""
    shown = {_help(chosen, key) for key in served[chosen]}
    for name, keys in served.items():
        new = {key for key in keys if _help(name, key) not in shown}
        if name != chosen and new:
            yield [_comment(f'With name = "{name}":'), *_keys(WORKFLOWS[name], {}, new)]
            shown |= {_help(name, key) for key in new}


def _help(workflow: str, key: str) -> tuple[str, str]:
    """Return a key with its help: workflows may mean different things by one name."""
    [field] = [field for field in dataclasses.fields(WORKFLOWS[workflow]) if field.name == key]
    return key, field.metadata["help"]


def _maps(family: str) -> Iterator[list[str]]:
    """Yield the section of the maps that a family serves."""
    served = {field.name for field in dataclasses.fields(Sampling) if serves_map(family, field.name)}
    if served:
        yield [
            "[sampling]",
            _comment("Maps of the model before it is sampled; by default there are none."),
            *_keys(Sampling, {}, served),
        ]


def _comment(text: str) -> str:
    indent = " " * (len(text) - len(text.lstrip()))
    lines = textwrap.wrap(text.strip(), _WIDTH - 2, subsequent_indent="  " if indent else "", initial_indent=indent)
    return "\n".join(f"# {line}" for line in lines)
