"""Sections of an experiment from a mapping: all problems of all sections are found and named together."""

import dataclasses
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fastcollapse.config.capabilities import check_maps, missing_capability
from fastcollapse.config.fields import ChoiceField, ValidationErrors, show
from fastcollapse.config.sampling import Sampling
from fastcollapse.config.section_base import build
from fastcollapse.config.sections import Recipe, Record, Run
from fastcollapse.config.workflow_base import Workflow
from fastcollapse.config.workflows import WORKFLOWS
from fastcollapse.datasets.data_files import split_name
from fastcollapse.errors import nearest
from fastcollapse.models.registry import DEFAULT_FAMILY, families
from fastcollapse.models.registry import family as family_class
from fastcollapse.simulation.key_hints import key_hint, unknown_key
from fastcollapse.simulation.number_files import NumberFiles, named_files, with_numbers

if TYPE_CHECKING:
    from fastcollapse.variables import Metric


def checked_sections(
    mapping: Mapping[str, Any], base: Path | None, numbers: NumberFiles | None
) -> tuple[str, dict[str, Any], dict[str, tuple[str, str]]]:
    """Return the family, the sections by name, and path and SHA-256 of each file of numbers by dotted key.

    Parameters
    ----------
    mapping : sections, each with keys and values.
    base : folder that is searched for files of numbers.
    numbers : reads the files of numbers; by default from `base`.

    Raises
    ------
    InputError
        See `Experiment.from_mapping`.
    """
    family, workflow = _family(mapping), _workflow_name(mapping)
    offered = family_class(family)
    numbers = NumberFiles(base) if numbers is None else numbers
    paths: dict[str, str] = {}

    def unknown(section: str) -> Callable[[str], str]:
        return lambda name: unknown_key(section, name, family, workflow)

    builders: dict[str, Any] = {
        "model": lambda m: build(offered.PARAMETERS, {k: v for k, v in m.items() if k != "family"}, unknown("model")),
        "truth": lambda m: build(offered.TRUTH, m, unknown("truth")),
        "workflow": lambda m: _workflow(m, family, offered.CAPABILITIES, unknown("workflow")),
        "run": lambda m: build(Run, m, unknown("run")),
        "sampling": lambda m: _sampling(m, family, offered.CAPABILITIES, unknown("sampling")),
        "recipe": lambda m: build(Recipe, m),
    }
    items = [
        (
            name if isinstance(name, str) and name.isidentifier() else show(name),
            f"is not a known section, use {', '.join(builders)}"
            f"{nearest(name, builders) or key_hint(name, family, workflow)}"
            if isinstance(name, str)
            else "is not a section name",
        )
        for name in mapping
        if not isinstance(name, str) or name not in builders
    ]
    sections = {}
    classes = {"model": offered.PARAMETERS, "truth": offered.TRUTH, "run": Run, "sampling": Sampling}
    classes["workflow"] = WORKFLOWS.get(workflow or "", Workflow)
    for name, builder in builders.items():
        if name in ("recipe", "sampling") and name not in mapping:
            continue
        given = mapping[name] if name in mapping else {}
        try:
            if not isinstance(given, Mapping):
                raise ValidationErrors([(name, f"must be a table of keys and values, got {show(given)}")])
            if name in classes:
                given, found = with_numbers(classes[name], given, numbers, name)
                paths |= found
            sections[name] = builder(given)
        except ValidationErrors as error:
            items += error.items
    if "run" in sections:
        items += _unknown_metrics(sections["run"].record, family)
    if items:
        raise ValidationErrors(named_files(items, paths))
    if "metrics" in sections["run"].record and set(sections["run"].record) - set(Record.names):
        metrics = offered.available_metrics(sections["model"], sections.get("sampling"))
        sections["run"] = _with_all_metrics(sections["run"], metrics)
    number_files = {key: (path, numbers.hashes.get(split_name(path)[0], "")) for key, path in paths.items()}
    return family, sections, number_files


def _family(mapping: Mapping[str, Any]) -> str:
    """Return the family in `[model]`; the default for a section that is refused later."""
    model = mapping.get("model", {})
    if not isinstance(model, Mapping) or "family" not in model:
        return DEFAULT_FAMILY
    try:
        return ChoiceField(families)(model["family"])
    except ValidationErrors as error:
        raise ValidationErrors(error.under("model.family")) from None


def _unknown_metrics(record: tuple[str, ...], family: str) -> list[tuple[str, str]]:
    """Return the problems of the names in `run.record`."""
    named = [name for name in record if name not in Record.names]
    if not named:
        return []
    known = [*Record.names, *family_class(family).METRICS]
    return [
        ("run.record", f"must be of {', '.join(known)}, got {show(name)}{nearest(name, known)}")
        for name in named
        if name not in known
    ]


def _with_all_metrics(run: Run, offered: Mapping[str, "Metric"]) -> Run:
    """Return the section in which "metrics" beside names of metrics is replaced by the names of both."""
    named = set(run.record) - set(Record.names)
    usual = {name for name, metric in offered.items() if not metric.on_request}
    names = ("metrics",) if named <= usual else sorted(usual | named)
    return dataclasses.replace(run, record=(*names, *(name for name in run.record if name == "trajectory")))


def _workflow_name(mapping: Mapping[str, Any]) -> str | None:
    """Return the name in `[workflow]`, for hints; None for a section that is refused later."""
    given = mapping.get("workflow")
    name = given.get("name") if isinstance(given, Mapping) else None
    return name if isinstance(name, str) and name in WORKFLOWS else None


def _sampling(
    mapping: Mapping[str, Any], family: str, capabilities: frozenset[str], unknown: Callable[[str], str]
) -> Sampling | None:
    """Return the section `[sampling]`, or None if it has no map."""
    sampling = build(Sampling, mapping, unknown)
    check_maps(sampling, capabilities, family)
    return sampling if sampling.maps else None


def _workflow(
    mapping: Mapping[str, Any], family: str, capabilities: frozenset[str], unknown: Callable[[str], str]
) -> Workflow:
    try:
        cls = WORKFLOWS[ChoiceField(lambda: WORKFLOWS)(mapping["name"])] if "name" in mapping else None
    except ValidationErrors as error:
        raise ValidationErrors(error.under("workflow.name")) from None
    if cls is None:
        raise ValidationErrors([("workflow.name", f"is required: {' | '.join(WORKFLOWS)}")])
    workflow = build(cls, {name: value for name, value in mapping.items() if name != "name"}, unknown)
    missing = missing_capability(workflow.needs(), capabilities, family)
    if not missing:
        return workflow
    key, problem = "name", f"must not be '{cls.name}': {missing}"
    for field in dataclasses.fields(workflow):
        given = getattr(workflow, field.name)
        if field.default is None and given is not None and _lacks_less_without(workflow, field.name, capabilities):
            key, problem = field.name, f"must be absent: {missing}, got {show(given)}"
    raise ValidationErrors([(f"workflow.{key}", problem)])


def _lacks_less_without(workflow: Workflow, key: str, capabilities: frozenset[str]) -> bool:
    """Whether fewer capabilities are missing for a workflow without one of its keys."""
    absent: dict[str, Any] = {key: None}
    try:
        without = dataclasses.replace(workflow, **absent).needs()
    except ValidationErrors:  # the key is needed
        return False
    return without - capabilities < workflow.needs() - capabilities
