"""Table of all parameters of an experiment, for help texts and documentation."""

import dataclasses
import json
from typing import NamedTuple

from fastcollapse.config.fields import REQUIRED, join, list_depth
from fastcollapse.config.sampling import Sampling
from fastcollapse.config.section_base import Section, TableField
from fastcollapse.config.sections import Run
from fastcollapse.config.workflows import WORKFLOWS
from fastcollapse.models.registry import DEFAULT_FAMILY, families
from fastcollapse.models.registry import family as family_class


class Parameter(NamedTuple):
    """One row of the parameter table: dotted key, accepted values, default as text, help."""

    key: str
    kind: str
    default: str
    help: str


def parameters() -> list[Parameter]:
    """Return all parameters of an experiment in the order of the sections.

    Examples
    --------
    >>> [p.default for p in parameters() if p.key == "run.n_generations"]
    ['required']
    """
    table = [Parameter("model.family", " | ".join(families()), json.dumps(DEFAULT_FAMILY), "model family")]
    for part in ("PARAMETERS", "TRUTH"):
        for name in families():
            rows = _rows(getattr(family_class(name), part))
            table += [row._replace(help=f"{row.help} ({name})") for row in rows]
    table.append(
        Parameter("workflow.name", " | ".join(WORKFLOWS), "required", "data that each generation is fitted to")
    )
    owners: dict[Parameter, list[str]] = {}
    for cls in WORKFLOWS.values():
        for row in _rows(cls):
            owners.setdefault(row, []).append(cls.name)
    for row, names in owners.items():
        table.append(row if len(names) == len(WORKFLOWS) else row._replace(help=f"{row.help} ({', '.join(names)})"))
    return table + _rows(Run) + _rows(Sampling)


def _rows(cls: type[Section], prefix: str = "") -> list[Parameter]:
    rows = []
    for field in dataclasses.fields(cls):
        check, default = field.metadata["check"], field.default
        default_text = "required" if default is REQUIRED else "none" if default is None else json.dumps(default)
        key = join(prefix or cls.section, field.name)
        kind = f"{check.text}, or a file" if list_depth(check) > 0 else check.text
        rows.append(Parameter(key, kind, default_text, field.metadata["help"]))
        if isinstance(check, TableField):
            rows += _rows(check.cls, key)
    return rows
