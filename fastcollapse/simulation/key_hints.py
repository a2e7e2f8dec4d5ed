"""Hints for keys that an experiment does not accept: the key that is meant, or the families that have the key."""

import dataclasses
import difflib
from collections.abc import Iterator, Sequence
from typing import Any

from fastcollapse.config.fields import join
from fastcollapse.config.sampling import Sampling
from fastcollapse.config.section_base import Section, TableField
from fastcollapse.config.sections import Run
from fastcollapse.config.workflow_base import Workflow
from fastcollapse.config.workflows import WORKFLOWS
from fastcollapse.errors import nearest
from fastcollapse.models.registry import families, importable_families
from fastcollapse.models.registry import family as family_class

# A name of at least this length hints at the keys that begin with it.
_LONG_ENOUGH = 3


def accepted_keys(family: Any, workflow: Any) -> list[str]:
    """Return the dotted keys that an experiment of a family and a workflow accepts, keys in tables last.

    Parameters
    ----------
    family, workflow : their names; for None or no such name, only the keys that all of them have.

    Examples
    --------
    >>> [key for key in accepted_keys("discrete", "replace") if key.startswith("workflow.")]
    ['workflow.name', 'workflow.n_samples']
    """
    keys = [
        *_keys(Run),
        *_keys(Sampling),
        "workflow.name",
        *_keys(WORKFLOWS[workflow] if workflow in list(WORKFLOWS) else Workflow),
        "model.family",
    ]
    if family in families():
        keys += _family_keys(family)
    return sorted(keys, key=lambda key: key.count("."))


def _keys(cls: type[Section], prefix: str = "") -> Iterator[str]:
    for field in dataclasses.fields(cls):
        key = join(prefix or cls.section, field.name)
        yield key
        if isinstance(field.metadata["check"], TableField):
            yield from _keys(field.metadata["check"].cls, key)


def _family_keys(family: str) -> list[str]:
    offered = family_class(family)
    return [*_keys(offered.PARAMETERS), *_keys(offered.TRUTH)]


def unknown_key(section: str, name: str, family: Any, workflow: Any) -> str:
    """Return what is wrong with a key that a section of an experiment of this family and workflow does not have.

    Examples
    --------
    >>> unknown_key("workflow", "n_real", "discrete", "replace")
    'belongs to accumulate, mix, not to replace'
    >>> unknown_key("model", "design", "ridge", "replace").partition(" (")[2]
    "did you mean 'truth.design'?)"
    """
    accepted = accepted_keys(family, workflow)
    if not any(_name(other) == name for other in accepted):
        owners = _owners(family, workflow).get(f"{section}.{name}")
        if owners:
            return owners
    own = [_name(other) for other in accepted if other.rpartition(".")[0] == section]
    return f"is not a known key, use {', '.join(own)}{key_hint(name, family, workflow, own)}"


def key_hint(name: str, family: Any, workflow: Any, own: Sequence[str] = ()) -> str:
    """Return the key that is meant by a name, as the end of a message; "" if there is none.

    The search order is: an equal name in any section, a similar name in the same section, an equal name in other
    families or workflows, a similar name in any section.

    Parameters
    ----------
    name : last part of a key.
    family, workflow : as for `accepted_keys`.
    own : names in the section of the key.

    Examples
    --------
    >>> key_hint("n_samples", "ridge", "replace"), key_hint("scale", "discrete", "replace")
    (" (did you mean 'workflow.n_samples'?)", '; model.scale belongs to model.family kernel_ridge, not to discrete')
    """
    accepted = accepted_keys(family, workflow)
    equal = [key for key in accepted if _name(key) == name]
    if equal:
        return f" (did you mean '{equal[0]}'?)"
    if similar := nearest(name, own):
        return similar
    for key, owners in _owners(family, workflow).items() if family in families() else ():
        if _name(key) == name:
            return f"; {key} {owners}"
    begins = [key for key in accepted if len(name) >= _LONG_ENOUGH and _name(key).startswith(name)]
    close = begins or difflib.get_close_matches(name, [_name(key) for key in accepted], n=1)
    for key in accepted:
        if key in close or _name(key) in close:
            return f" (did you mean '{key}'?)"
    return ""


def _name(key: str) -> str:
    return key.rpartition(".")[2]


def _owners(family: Any, workflow: Any) -> dict[str, str]:
    """Return which families or workflows have a key, as a text by key, for the keys that these two do not have."""
    has: dict[str, list[str]] = {}
    for other in importable_families():
        for key in dict.fromkeys(_family_keys(other)):
            has.setdefault(key, []).append(other)
    texts = {key: f"belongs to model.family {' or '.join(names)}, not to {family}" for key, names in has.items()}
    flows: dict[str, list[str]] = {}
    for name, cls in WORKFLOWS.items():
        for key in _keys(cls):
            flows.setdefault(key, []).append(name)
    not_to = f", not to {workflow}" if workflow in list(WORKFLOWS) else ""
    texts |= {key: f"belongs to {', '.join(names)}{not_to}" for key, names in flows.items()}
    accepted = accepted_keys(family, workflow)
    return {key: text for key, text in texts.items() if key not in accepted}
