"""Small experiments of a family that together use all of its kernels."""

import contextlib
import dataclasses
import itertools
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from fastcollapse.config.fields import (
    REQUIRED,
    BoolField,
    ChoiceField,
    FloatField,
    IntField,
    ListField,
    OneOrMoreField,
    ValidationErrors,
)
from fastcollapse.config.sampling import Sampling
from fastcollapse.config.section_base import Section, TableField, build
from fastcollapse.config.sizes import SizeField
from fastcollapse.config.workflows import WORKFLOWS
from fastcollapse.models.registry import family

_N = 20
_N_GENERATIONS = 3
# A kernel may work on many replicates in another way than on one, and what a run records may change its arrays.
_RUNS: tuple[dict[str, Any], ...] = (
    {"n_replicates": 1, "record": ["metrics", "trajectory"]},
    {"n_replicates": 8, "record": ["metrics"]},
)


def example_experiments(name: str) -> Iterator[dict[str, Any]]:
    """Yield the sections of small experiments of a family, under every workflow and with every choice of its keys.

    Sections `[model]` and `[truth]` are the `EXAMPLES` of the family, or are derived from the checks of its parameters.
    The family may refuse some of the combinations.
    """
    model = family(name)
    examples = model.EXAMPLES or [
        {"model": parameters, "truth": truth}
        for parameters, truth in _one_at_a_time(_variants(model.PARAMETERS), _variants(model.TRUTH))
    ]
    cases = [*((workflow, {}) for workflow in workflow_examples()), *_samplings(model.CAPABILITIES)]
    for example, (workflow, sampling), run in itertools.product(examples, cases, _RUNS):
        values = example.get("workflow", {})
        if values.get("name", workflow["name"]) != workflow["name"]:
            continue
        yield {
            **({"sampling": sampling} if sampling else {}),
            "model": {**example.get("model", {}), "family": name},
            "truth": dict(example["truth"]),
            "workflow": {**workflow, **{key: value for key, value in values.items() if key in workflow}},
            "run": {"n_generations": _N_GENERATIONS, "seed": 1, **run, **example.get("run", {})},
        }


def served_keys(name: str) -> dict[str, list[str]]:
    """Return the workflows that a family serves, each with its keys; keys of stages that it lacks are left out.

    Examples
    --------
    >>> served_keys("mixture")["replace"]
    ['n_samples']
    """
    capabilities = family(name).CAPABILITIES
    shown: dict[str, set[str]] = {}
    served: dict[str, set[str]] = {}
    for values in workflow_examples():
        workflow, keys = values["name"], values.keys() - {"name"}
        shown.setdefault(workflow, set()).update(keys)
        if build(WORKFLOWS[workflow], {key: values[key] for key in keys}).needs() <= capabilities:
            served.setdefault(workflow, set()).update(keys)
    return {
        workflow: [f.name for f in dataclasses.fields(WORKFLOWS[workflow]) if f.name not in shown[workflow] - keys]
        for workflow, keys in served.items()
    }


def workflow_examples() -> Iterator[dict[str, Any]]:
    """Yield every workflow with every combination of its required choices, and the examples of its optional keys."""
    for name, workflow in WORKFLOWS.items():
        required = [field for field in dataclasses.fields(workflow) if field.default is REQUIRED]
        for values in itertools.product(*(example_values(field.metadata["check"]) for field in required)):
            for optional in workflow.EXAMPLES:
                keys = {**{field.name: value for field, value in zip(required, values, strict=True)}, **optional}
                with contextlib.suppress(ValidationErrors):  # the keys do not go together
                    build(workflow, keys)
                    yield {"name": name, **keys}


def _samplings(capabilities: frozenset[str]) -> Iterator[tuple[dict[str, Any], Mapping[str, Any]]]:
    """Yield the examples of maps that a family serves, each under the simplest workflow."""
    for values in Sampling.EXAMPLES:
        if capabilities.issuperset(build(Sampling, values).maps):
            yield {"name": "replace", "n_samples": _N}, values


def _one_at_a_time(*axes: Sequence[Any]) -> Iterator[tuple[Any, ...]]:
    """Yield the first of every axis, and then each other item beside the first of the other axes."""
    firsts = tuple(axis[0] for axis in axes)
    yield firsts
    for i, axis in enumerate(axes):
        for item in axis[1:]:
            yield (*firsts[:i], item, *firsts[i + 1 :])


def _variants(section: type[Section]) -> list[dict[str, Any]]:
    """Return mappings of a section: its required keys, and then one other choice of one key each."""
    fields = dataclasses.fields(section)
    axes = [
        [*([] if field.default is REQUIRED else [REQUIRED]), *example_values(field.metadata["check"])] or [REQUIRED]
        for field in fields
    ]
    return [
        {field.name: value for field, value in zip(fields, chosen, strict=True) if value is not REQUIRED}
        for chosen in _one_at_a_time(*axes)
    ]


def example_values(check: Any) -> list[Any]:
    """Return values that a check accepts: all choices, or one number; none for a check without known values."""
    if isinstance(check, BoolField):
        return [False, True]
    if isinstance(check, ChoiceField):
        return list(check.names())
    if isinstance(check, SizeField):
        return [_N]
    if isinstance(check, IntField):
        return [min(max(check.minimum, 3), check.maximum)]
    if isinstance(check, FloatField):
        return [min(max(check.minimum + 0.5, 0.5), (check.minimum + check.maximum) / 2)]
    if isinstance(check, ListField):
        return [[value] * max(check.shortest, 2) for value in example_values(check.entry)[:1]]
    if isinstance(check, OneOrMoreField):
        return example_values(check.entry)
    if isinstance(check, TableField):
        return list(_variants(check.cls)[:1])
    return []
