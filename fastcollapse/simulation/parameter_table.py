"""Table of all parameters of an experiment, for help texts and documentation."""

import dataclasses
import inspect
import json
from typing import NamedTuple

from fastcollapse.config.fields import REQUIRED, join, list_depth
from fastcollapse.config.sampling import Sampling
from fastcollapse.config.section_base import Section, TableField
from fastcollapse.config.sections import Run
from fastcollapse.config.workflows import WORKFLOWS
from fastcollapse.errors import InputError
from fastcollapse.models.registry import DEFAULT_FAMILY, families
from fastcollapse.models.registry import family as family_class
from fastcollapse.simulation.example_experiments import served_keys


class Parameter(NamedTuple):
    """One row of the parameter table: dotted key, accepted values, default as text, help."""

    key: str
    kind: str
    default: str
    help: str


def parameters(family: str | None = None) -> list[Parameter]:
    """Return the parameters of an experiment in the order of the sections.

    Parameters
    ----------
    family : its parameters, with the workflows, keys of workflows and maps that it serves; None for those of all
        families.

    Raises
    ------
    InputError
        There is no such family.

    Examples
    --------
    >>> [p.default for p in parameters("poisson") if p.key in ("truth.rate", "model.family")]
    ['"discrete"', 'required']
    """
    served = None if family is None else served_keys(family)
    names = families() if family is None else [family]
    table = [Parameter("model.family", " | ".join(families()), json.dumps(DEFAULT_FAMILY), "model family")]
    for part in ("PARAMETERS", "TRUTH"):
        for name in names:
            rows = section_parameters(getattr(family_class(name), part))
            table += [row if family else row._replace(help=f"{row.help} ({name})") for row in rows]
    workflows = list(WORKFLOWS) if served is None else list(served)
    table.append(
        Parameter("workflow.name", " | ".join(workflows), "required", "data that each generation is fitted to")
    )
    owners: dict[Parameter, list[str]] = {}
    for workflow in workflows:
        for row in section_parameters(WORKFLOWS[workflow]):
            if served is None or row.key.split(".")[1] in served[workflow]:
                owners.setdefault(row, []).append(workflow)
    for row, having in owners.items():
        table.append(row if len(having) == len(workflows) else row._replace(help=f"{row.help} ({', '.join(having)})"))
    maps = [row for row in section_parameters(Sampling) if family is None or serves_map(family, row.key.split(".")[1])]
    return table + maps + section_parameters(Run)


def described_families() -> dict[str, str]:
    """Return what each family is, in a few words, or why the package that offers it cannot be used."""
    found = {}
    for name in families():
        try:
            found[name] = first_clause(family_class(name))
        except InputError as error:
            found[name] = str(error)
    return found


def described_metrics(family: str) -> dict[str, str]:
    """Return what each metric of a family is, in a few words."""
    return {
        name: metric.variable.long_name + ("; recorded where run.record names it" if metric.on_request else "")
        for name, metric in family_class(family).METRICS.items()
    }


def first_clause(documented: type) -> str:
    """Return the first clause of the docstring of a class, "" where Python has stripped it."""
    return (inspect.getdoc(documented) or "").partition("\n")[0].partition(";")[0].rstrip(".")


def serves_map(family: str, name: str) -> bool:
    """Whether a family serves a map of `[sampling]`."""
    return name in family_class(family).CAPABILITIES


def section_parameters(cls: type[Section], prefix: str = "") -> list[Parameter]:
    """Return the parameters of one section, with those of its tables."""
    rows = []
    for field in dataclasses.fields(cls):
        check, default = field.metadata["check"], field.default
        default_text = "required" if default is REQUIRED else "none" if default is None else json.dumps(default)
        key = join(prefix or cls.section, field.name)
        kind = f"{check.text}, or a file" if list_depth(check) > 0 else check.text
        rows.append(Parameter(key, kind, default_text, field.metadata["help"]))
        if isinstance(check, TableField):
            rows += section_parameters(check.cls, key)
    return rows
